// SPDX-License-Identifier: Apache-2.0
// Processes that crash, and what they leave behind: the real handlers, in children.
#include "io/crash_watch.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "io/crash_record.hpp"
#include "support/scratch_folder.hpp"
#include "tocsin/event.hpp"

namespace tocsin {
namespace {

// A sanitizer reports what it sees and exits, instead of dying of the signal.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool dies_of_signals = false;
#else
constexpr bool dies_of_signals = true;
#endif

/// Two events that came in two messages, the second one in the second.
struct two_events {
  std::vector<std::string_view> messages{"one", "two"};
  event_batch batch;
  two_events() {
    batch.events.resize(2);
    batch.events[1].message = 1;
    batch.messages = messages;
    batch.first_position = 40;
  }
};

class crash_watches : public ::testing::Test {
 protected:
  /// Runs `work` in a child with a watch; gives the child's wait status.
  [[nodiscard]] int in_child(const std::function<void()>& work) const {
    const pid_t child = ::fork();
    if (child == 0) {
      const struct rlimit no_core {};
      ::setrlimit(RLIMIT_CORE, &no_core);
      const auto watch = crash_watch::begin(file());
      if (!watch) ::_exit(3);
      work();
      ::_exit(0);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return status;
  }
  void dies_of(int signal, const std::function<void()>& work) const {
    const int status = in_child(work);
    if (dies_of_signals) {
      ASSERT_TRUE(WIFSIGNALED(status)) << status;
      EXPECT_EQ(WTERMSIG(status), signal);
    } else {
      EXPECT_NE(status, 0);
    }
  }
  [[nodiscard]] std::vector<crash_record> records() const {
    std::ifstream from(file(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>{from}, {}};
    const crash_records read = decode_crash_records(bytes);
    EXPECT_EQ(read.ignored_bytes, 0U);
    return read.records;
  }
  [[nodiscard]] std::string file() const { return folder_.file("crashes"); }

  testing::scratch_folder folder_;
};

TEST_F(crash_watches, each_signal_leaves_the_event_at_hand_and_ends_the_process_as_ever) {
  const auto before = std::chrono::system_clock::now() - std::chrono::seconds{1};
  const std::vector<int> signals{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
  for (const int signal : signals) {
    dies_of(signal, [signal] {
      const two_events held;
      at_hand = {.batch = &held.batch, .step = 7, .event = 1};
      ::raise(signal);
    });
  }
  const auto all = records();
  ASSERT_EQ(all.size(), signals.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].what, crash_record::kind::event);
    EXPECT_EQ(all[i].signal, signals[i]);
    EXPECT_EQ(all[i].position, 41U);
    EXPECT_EQ(all[i].step, 7U);
    EXPECT_EQ(all[i].message, print_of_message("two"));
    EXPECT_GE(all[i].at, std::chrono::time_point_cast<duration>(before));
  }
}

TEST_F(crash_watches, a_message_that_is_decoded_is_known_by_its_bytes) {
  const std::string_view message = "some bytes";
  dies_of(SIGSEGV, [&] {
    at_hand = {.message = &message};
    ::raise(SIGSEGV);
  });
  const auto all = records();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].what, crash_record::kind::message);
  EXPECT_EQ(all[0].message, print_of_message("some bytes"));
  EXPECT_EQ(all[0].step, 0U);
}

TEST_F(crash_watches, an_event_that_has_no_step_yet_is_accused_as_its_message) {
  dies_of(SIGABRT, [] {
    const two_events held;
    at_hand = {.batch = &held.batch, .event = 0};
    ::abort();
  });
  const auto all = records();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].what, crash_record::kind::message);
  EXPECT_EQ(all[0].message, print_of_message("one"));
}

TEST_F(crash_watches, what_belongs_to_no_single_event_accuses_the_step_and_its_messages) {
  dies_of(SIGSEGV, [] {
    const two_events held;
    at_hand = {.batch = &held.batch, .step = 9};
    ::raise(SIGSEGV);
  });
  const auto all = records();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].what, crash_record::kind::step);
  EXPECT_EQ(all[1].message, print_of_message("one"));
  EXPECT_EQ(all[2].message, print_of_message("two"));
  for (const crash_record& each : all) {
    EXPECT_EQ(each.step, 9U);
    EXPECT_EQ(each.at, all[0].at) << "one crash has one time";
  }
}

TEST_F(crash_watches, who_has_nothing_at_hand_accuses_nobody) {
  dies_of(SIGSEGV, [] { ::raise(SIGSEGV); });
  dies_of(SIGSEGV, [] {
    at_hand = {.message = nullptr, .batch = nullptr, .step = 0, .event = 4};
    ::raise(SIGSEGV);
  });
  EXPECT_TRUE(records().empty());
}

TEST_F(crash_watches, a_process_that_is_killed_accuses_nobody) {
  const int status = in_child([] {
    const two_events held;
    at_hand = {.batch = &held.batch, .step = 7, .event = 1};
    ::raise(SIGKILL);
  });
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_TRUE(records().empty());
}

[[gnu::noinline]] int overflow_the_stack(int depth) {
  volatile char room[4096];
  room[0] = static_cast<char>(depth);
  constexpr int beyond_any_stack = 1'000'000;
  if (depth == beyond_any_stack) return 0;
  return overflow_the_stack(depth + 1) + room[0];
}

TEST_F(crash_watches, a_stack_that_overflows_is_a_crash_like_others) {
  if (!dies_of_signals) GTEST_SKIP() << "the sanitizer has its own idea of stacks";
  dies_of(SIGSEGV, [] {
    std::thread{[] {
      give_crash_stack();
      const two_events held;
      at_hand = {.batch = &held.batch, .step = 7, .event = 1};
      (void)overflow_the_stack(0);
    }}.join();
  });
  ASSERT_EQ(records().size(), 1U);
  EXPECT_EQ(records()[0].position, 41U);
}

TEST_F(crash_watches, an_exception_leaves_the_same_record_and_the_thread_goes_on_with_nothing) {
  const two_events held;
  const auto watch = crash_watch::begin(file());
  ASSERT_TRUE(watch);
  at_hand = {.batch = &held.batch, .step = 7, .event = 1};
  record_failure();
  record_failure();
  const auto all = records();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].what, crash_record::kind::event);
  EXPECT_EQ(all[0].signal, 0);
  EXPECT_EQ(all[0].position, 41U);
}

TEST_F(crash_watches, when_it_is_over_signals_do_what_they_did_and_failures_leave_nothing) {
  struct sigaction original {
  }, during{}, after{};
  ::sigaction(SIGSEGV, nullptr, &original);
  {
    const auto watch = crash_watch::begin(file());
    ASSERT_TRUE(watch);
    ::sigaction(SIGSEGV, nullptr, &during);
    EXPECT_NE(during.sa_handler, original.sa_handler);
  }
  ::sigaction(SIGSEGV, nullptr, &after);
  EXPECT_EQ(after.sa_handler, original.sa_handler);
  const two_events held;
  at_hand = {.batch = &held.batch, .step = 7, .event = 1};
  record_failure();
  EXPECT_TRUE(records().empty());
}

TEST_F(crash_watches, a_file_that_cannot_be_opened_is_an_error_with_its_name) {
  const auto refused = crash_watch::begin(folder_.file("none/crashes"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.failure().message, folder_.file("none/crashes") +
                                           ": open: No such file or "
                                           "directory");
}

crash_record some_record(std::uint64_t position) {
  return {crash_record::kind::event,      SIGSEGV, position, 3, print_of_message("m"),
          from_unix_ms(1'700'000'000'123)};
}

std::string bytes_of(const crash_record& of) {
  const auto bytes = encode_crash_record(of);
  return {bytes.data(), bytes.size()};
}

TEST(crash_records, are_read_back_as_they_were_written) {
  const std::vector<crash_record> all{some_record(1), some_record(2)};
  const crash_records read = decode_crash_records(bytes_of(all[0]) + bytes_of(all[1]));
  EXPECT_EQ(read.records, all);
  EXPECT_EQ(read.ignored_bytes, 0U);
}

TEST(crash_records, of_which_any_part_is_missing_or_changed_end_the_file) {
  const std::string whole = bytes_of(some_record(1));
  for (std::size_t length = 1; length < whole.size(); ++length) {
    const crash_records read = decode_crash_records(whole + whole.substr(0, length));
    EXPECT_EQ(read.records.size(), 1U) << length;
    EXPECT_EQ(read.ignored_bytes, length);
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    const crash_records read = decode_crash_records(changed + whole);
    EXPECT_TRUE(read.records.empty()) << "byte " << at;
    EXPECT_EQ(read.ignored_bytes, 2 * whole.size());
  }
}

}  // namespace
}  // namespace tocsin
