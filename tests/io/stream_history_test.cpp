// SPDX-License-Identifier: Apache-2.0
// What the history remembers, what it forgets, and when it says so.
#include "io/stream_history.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "io/alert_codec.hpp"

namespace tocsin {
namespace {

/// A history with an alert stream's habits: consecutive numbers, an alert behind each.
class stream_history_test : public ::testing::Test {
 protected:
  void SetUp() override { restart({}); }

  void restart(history_limits limits) {
    history = std::make_unique<stream_history>(limits);
    history->begin({"stream", 7, 0});
    seq = 0;
  }
  static transition alert_of(std::uint64_t id, alert_state state, std::string rule,
                             std::uint64_t number = 0, std::string note = "") {
    auto made = std::make_shared<alert>();
    made->alert_id = {0, id};
    made->state = state;
    made->severity = severity::error;
    made->rule = std::move(rule);
    made->seq = number;
    made->note = std::move(note);
    return made;
  }
  void add(std::uint64_t id, alert_state state = alert_state::firing, const std::string& rule = "a",
           std::string note = "") {
    ++seq;
    EXPECT_EQ(history->record(alert_of(id, state, rule, 0, std::move(note))), seq);
  }
  static std::vector<std::uint64_t> numbers(const std::vector<sent>& messages) {
    std::vector<std::uint64_t> all;
    for (const sent& each : messages) all.push_back(each->seq);
    return all;
  }
  static std::vector<std::uint64_t> numbers(const std::vector<active_alert>& alerts) {
    std::vector<std::uint64_t> all;
    for (const active_alert& each : alerts) all.push_back(each.seq);
    return all;
  }
  /// All that after() gives, in pages of `page`.
  std::vector<std::uint64_t> read_after(std::uint64_t since, const std::string& prefix = "",
                                        std::size_t page = 1000) {
    std::vector<std::uint64_t> all;
    for (;;) {
      const auto found = history->after(since, prefix, page);
      EXPECT_FALSE(found.lost);
      for (const auto number : numbers(found.messages)) all.push_back(number);
      since = found.through;
      if (found.lost || since == found.at.seq) return all;
    }
  }

  std::unique_ptr<stream_history> history;
  std::uint64_t seq = 0;
};

using numbers_t = std::vector<std::uint64_t>;

TEST_F(stream_history_test, what_came_after_a_number_is_told_in_order) {
  for (int i = 0; i < 5; ++i) add(1);
  const auto entry = history->enter(2, "", std::nullopt);
  EXPECT_FALSE(entry.snapshot);
  EXPECT_EQ(entry.through, 2u);
  EXPECT_EQ(entry.at, (stream_position{"stream", 7, 5}));
  EXPECT_EQ(read_after(2), (numbers_t{3, 4, 5}));
  EXPECT_EQ(decode_header(history->after(2, "", 1000).messages[0]->header)->seq, 3u);
  EXPECT_EQ(read_after(5), numbers_t{});
}

TEST_F(stream_history_test, pages_of_any_size_tell_the_same) {
  for (int i = 0; i < 20; ++i) add(1, alert_state::firing, i % 3 == 0 ? "a" : "b");
  for (const std::size_t page : {1, 2, 7, 19, 20, 21}) {
    EXPECT_EQ(read_after(4, "alert.error.a", page), (numbers_t{7, 10, 13, 16, 19})) << page;
  }
}

TEST_F(stream_history_test, beyond_the_limit_of_messages_the_oldest_are_forgotten) {
  restart({.messages_max = 3});
  for (int i = 0; i < 5; ++i) add(1);
  EXPECT_EQ(read_after(2), (numbers_t{3, 4, 5}));
  EXPECT_TRUE(history->after(1, "", 1000).lost);
  EXPECT_FALSE(history->enter(2, "", std::nullopt).snapshot);
  EXPECT_TRUE(history->enter(1, "", std::nullopt).snapshot);
}

TEST_F(stream_history_test, beyond_the_limit_of_bytes_the_oldest_are_forgotten) {
  restart({.bytes_max = 10'000});
  for (int i = 0; i < 3; ++i) add(1, alert_state::firing, "a", std::string(4000, 'x'));
  EXPECT_EQ(read_after(1), (numbers_t{2, 3}));
  EXPECT_TRUE(history->after(0, "", 1000).lost);
  add(1, alert_state::firing, "a", std::string(20'000, 'x'));
  EXPECT_TRUE(history->after(3, "", 1000).lost) << "longer than the whole history";
  EXPECT_EQ(read_after(4), numbers_t{});
  EXPECT_EQ(numbers(history->enter(0, "", std::nullopt).active), numbers_t{4});
}

TEST_F(stream_history_test, a_snapshot_has_each_active_alert_once_by_its_last_transition) {
  restart({.messages_max = 1});
  add(1, alert_state::pending);
  add(2);
  add(3);
  add(4);
  add(1);
  add(2, alert_state::resolved);
  add(3, alert_state::closed);
  const auto entry = history->enter(1, "", std::nullopt);
  EXPECT_TRUE(entry.snapshot);
  EXPECT_EQ(entry.through, 7u);
  EXPECT_EQ(numbers(entry.active), (numbers_t{4, 5}));
}

TEST_F(stream_history_test, a_snapshot_heeds_the_prefix) {
  restart({.messages_max = 1});
  add(1, alert_state::firing, "a-1");
  add(2, alert_state::firing, "b");
  add(3, alert_state::firing, "a-2");
  EXPECT_EQ(numbers(history->enter(0, "alert.error.a", std::nullopt).active), (numbers_t{1, 3}));
}

TEST_F(stream_history_test, another_epoch_or_a_number_never_sent_is_told_by_a_snapshot) {
  add(1);
  EXPECT_FALSE(history->enter(1, "", 7).snapshot);
  EXPECT_TRUE(history->enter(1, "", 6).snapshot);
  EXPECT_TRUE(history->enter(2, "", 7).snapshot);
  EXPECT_TRUE(history->enter(~std::uint64_t{0}, "", std::nullopt).snapshot);
  EXPECT_TRUE(history->after(2, "", 1000).lost);
}

TEST_F(stream_history_test, a_new_beginning_forgets_everything) {
  add(1);
  history->begin({"other", 8, 0});
  const auto entry = history->enter(0, "", 7);
  EXPECT_EQ(entry.at, (stream_position{"other", 8, 0}));
  EXPECT_TRUE(entry.snapshot);
  EXPECT_TRUE(entry.active.empty());
}

TEST_F(stream_history_test, what_was_published_before_the_beginning_is_told_when_it_is_remembered) {
  history->begin({"stored", 3, 40});
  seq = 40;
  add(1);
  history->remember({alert_of(1, alert_state::firing, "a", 38),
                     alert_of(1, alert_state::firing, "a", 39),
                     alert_of(1, alert_state::resolved, "a", 40)});
  EXPECT_FALSE(history->enter(37, "", 3).snapshot);
  EXPECT_EQ(read_after(37), (numbers_t{38, 39, 40, 41}));
  EXPECT_TRUE(history->enter(36, "", 3).snapshot);
}

TEST_F(stream_history_test, what_does_not_reach_up_to_the_beginning_is_not_remembered) {
  history->begin({"stored", 3, 40});
  history->remember(
      {alert_of(1, alert_state::firing, "a", 38), alert_of(1, alert_state::firing, "a", 39)});
  EXPECT_TRUE(history->enter(38, "", 3).snapshot);
}

TEST_F(stream_history_test, what_is_remembered_keeps_to_the_limits_and_the_newest) {
  restart({.messages_max = 2});
  history->begin({"stored", 3, 40});
  history->remember({alert_of(1, alert_state::firing, "a", 38),
                     alert_of(1, alert_state::firing, "a", 39),
                     alert_of(1, alert_state::firing, "a", 40)});
  EXPECT_EQ(read_after(38), (numbers_t{39, 40}));
  EXPECT_TRUE(history->enter(37, "", 3).snapshot);
}

TEST_F(stream_history_test, a_beginning_that_goes_on_tells_what_is_active_and_reaches_no_further) {
  history->begin({"stored", 3, 40}, {alert_of(1, alert_state::firing, "a", 17),
                                     alert_of(2, alert_state::acknowledged, "a", 40),
                                     alert_of(3, alert_state::pending, "a", 9)});
  EXPECT_FALSE(history->enter(40, "", 3).snapshot);
  const auto before = history->enter(39, "", 3);
  EXPECT_TRUE(before.snapshot);
  EXPECT_EQ(before.at, (stream_position{"stored", 3, 40}));
  EXPECT_EQ(numbers(before.active), (numbers_t{9, 17, 40}));
  seq = 40;
  add(1, alert_state::resolved);
  add(3);
  EXPECT_EQ(read_after(40), (numbers_t{41, 42}));
  EXPECT_EQ(numbers(history->enter(0, "", 3).active), (numbers_t{40, 42}));
}

TEST_F(stream_history_test, a_reader_beside_the_recorder_sees_every_number_once) {
  constexpr std::uint64_t last = 20'000;
  std::thread recorder{[&] {
    for (std::uint64_t i = 0; i < last; ++i) {
      add(i % 10, i % 3 == 0 ? alert_state::resolved : alert_state::firing);
    }
  }};
  std::uint64_t through = 0;
  while (through < last) {
    const auto page = history->after(through, "", 100);
    for (const sent& each : page.messages) {
      if (each->seq != ++through) ADD_FAILURE() << each->seq << " came after " << through - 1;
    }
    EXPECT_LE(history->enter(through, "", 8).active.size(), 10u);
  }
  recorder.join();
}

}  // namespace
}  // namespace tocsin
