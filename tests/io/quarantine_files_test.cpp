// SPDX-License-Identifier: Apache-2.0
// From the crashes of a data folder to what is kept out, and what people find written down.
#include "io/quarantine_files.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "io/crash_record.hpp"
#include "support/scratch_folder.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using indexes = std::vector<std::uint32_t>;

constexpr instant now = from_unix_ms(1'700'000'000'000);
constexpr std::uint64_t steps_in_log = 9;

crash_record event_crash(std::uint64_t step, std::uint64_t position, duration before_now,
                         std::string_view message = {}) {
  crash_record made{crash_record::kind::event, 11, position, step, {}, now - before_now};
  if (!message.empty()) made.message = print_of_message(message);
  return made;
}
crash_record message_crash(std::string_view message, duration before_now, std::uint64_t step = 0) {
  return {crash_record::kind::message, 11, 0, step, print_of_message(message), now - before_now};
}
crash_record step_crash(std::uint64_t step, duration before_now) {
  return {crash_record::kind::step, 6, 0, step, {}, now - before_now};
}

/// Step `step` with `events` events from `position` on.
log_entry entry_of(std::uint64_t step, std::uint64_t position, std::size_t events) {
  auto batch = std::make_shared<event_batch>();
  batch->first_position = position;
  batch->clock = now;
  for (std::size_t i = 0; i < events; ++i) {
    event& one = batch->events.emplace_back();
    one.set_text(event_field::resource_id, "host");
    one.set_text(event_field::title, "a \"title\"");
    one.time = one.arrived = now;
  }
  return {step, now, events == 0 ? nullptr : batch, {}, nullptr};
}

class quarantines : public ::testing::Test {
 protected:
  void crashed(const std::vector<crash_record>& records, std::string_view tail = {}) const {
    std::string bytes;
    for (const crash_record& each : records) {
      const auto one = encode_crash_record(each);
      bytes.append(one.data(), one.size());
    }
    folder.write("crashes", bytes + std::string{tail});
  }
  /// As at a start now, with the log's steps first to last.
  std::unique_ptr<quarantine> start(std::uint64_t first = 1, std::uint64_t last = steps_in_log) {
    quarantine_setup setup;
    setup.first_step = first;
    setup.last_step = last;
    setup.message_memory = 24h;
    setup.now = now;
    setup.report = [this](const quarantine_news& each) {
      (each.error ? errors : warnings).push_back(each.text);
    };
    auto opened = open_quarantine(files_of(folder.path()), setup);
    if (!opened) throw std::runtime_error(opened.failure().message);
    return *std::move(opened);
  }
  [[nodiscard]] std::vector<crash_record> records_left() const {
    return decode_crash_records(text_of("crashes")).records;
  }
  [[nodiscard]] std::string text_of(const char* name) const {
    std::ifstream from(folder.file(name), std::ios::binary);
    return {std::istreambuf_iterator<char>{from}, {}};
  }
  /// The lines that people find.
  [[nodiscard]] std::vector<nlohmann::json> lines() const {
    std::ifstream from(folder.file("quarantine.jsonl"));
    std::vector<nlohmann::json> all;
    for (std::string line; std::getline(from, line);) all.push_back(nlohmann::json::parse(line));
    return all;
  }

  testing::scratch_folder folder;
  std::vector<std::string> errors;
  std::vector<std::string> warnings;
};

TEST_F(quarantines, an_event_at_hand_at_one_crash_is_tried_again) {
  crashed({event_crash(4, 12, 2min)});
  EXPECT_EQ(start()->left_out(entry_of(4, 10, 5)), indexes{});
  EXPECT_TRUE(errors.empty());
}

TEST_F(quarantines, an_event_at_hand_at_two_is_left_out_and_nothing_else) {
  crashed({event_crash(4, 12, 2min), event_crash(4, 13, 90s), event_crash(4, 12, 1min)});
  const auto opened = start();
  EXPECT_EQ(opened->left_out(entry_of(3, 8, 2)), indexes{});
  EXPECT_EQ(opened->left_out(entry_of(4, 10, 5)), indexes{2});
  EXPECT_EQ(opened->left_out(entry_of(5, 10, 5)), indexes{}) << "the same position, another step";
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0],
            "data: the event at position 12 (step 4) was at hand at 2 crashes "
            "(2023-11-14T22:11:20.000Z, 2023-11-14T22:12:20.000Z) and is kept out of the rules; " +
                folder.file("quarantine.jsonl") + " has it");
  const auto written = lines();
  ASSERT_EQ(written.size(), 1U);
  EXPECT_EQ(written[0], nlohmann::json::parse(R"({
    "kind": "event", "step": 4, "position": 12,
    "crashed_at": ["2023-11-14T22:11:20.000Z", "2023-11-14T22:12:20.000Z"],
    "event": {"arrived_at": 1700000000000, "resource_id": "host", "title": "a \"title\""}})"));
}

TEST_F(quarantines, later_starts_leave_out_the_same_and_write_nothing_again) {
  crashed({event_crash(4, 12, 2min), event_crash(4, 12, 1min)});
  for (int n = 0; n < 3; ++n) {
    const auto opened = start();
    EXPECT_EQ(opened->left_out(entry_of(4, 10, 5)), indexes{2});
    EXPECT_EQ(opened->left_out(entry_of(4, 10, 5)), indexes{2});
  }
  EXPECT_EQ(lines().size(), 1U);
  // Who takes the file away gets it again.
  std::filesystem::remove(folder.file("quarantine.jsonl"));
  EXPECT_EQ(start()->left_out(entry_of(4, 10, 5)), indexes{2});
  EXPECT_EQ(lines().size(), 1U);
  // And who takes the crashes away has it tried again.
  std::filesystem::remove(folder.file("crashes"));
  EXPECT_EQ(start()->left_out(entry_of(4, 10, 5)), indexes{});
}

TEST_F(quarantines, records_of_one_time_are_one_crash) {
  crashed({event_crash(4, 12, 2min), event_crash(4, 12, 2min)});
  EXPECT_EQ(start()->left_out(entry_of(4, 10, 5)), indexes{});
}

TEST_F(quarantines, an_event_that_the_log_did_not_get_is_accused_as_its_message) {
  crashed({event_crash(10, 12, 2min, "poison"), event_crash(11, 13, 1min, "poison")});
  const auto opened = start();
  EXPECT_EQ(opened->left_out(entry_of(10, 10, 5)), indexes{}) << "another has its place now";
  EXPECT_TRUE(opened->refuses("poison"));
  EXPECT_FALSE(opened->refuses("food"));
  EXPECT_EQ(records_left(),
            (std::vector{message_crash("poison", 2min), message_crash("poison", 1min)}));
  // At the next start the log may have these steps: they are others.
  EXPECT_EQ(start(1, 20)->left_out(entry_of(10, 10, 5)), indexes{});
}

TEST_F(quarantines, the_crash_before_the_log_got_it_counts_for_an_event) {
  crashed({message_crash("poison", 2min), event_crash(4, 12, 1min, "poison"),
           event_crash(4, 13, 1min, "food")});
  const auto opened = start();
  EXPECT_EQ(opened->left_out(entry_of(4, 10, 5)), indexes{2});
  EXPECT_FALSE(opened->refuses("poison"));
}

TEST_F(quarantines, messages_of_a_step_are_accused_where_the_log_did_not_get_it) {
  crashed({step_crash(9, 3min), message_crash("logged", 3min, 9), step_crash(10, 2min),
           message_crash("lost", 2min, 10)});
  (void)start();
  EXPECT_EQ(records_left(), (std::vector{step_crash(9, 3min), message_crash("lost", 2min)}));
}

TEST_F(quarantines, a_message_at_hand_at_two_crashes_is_refused_and_kept_once) {
  const std::string poison{"\x81\x00\xff", 3};
  crashed({message_crash(poison, 2min), message_crash("once", 90s), message_crash(poison, 1min)});
  for (int n = 0; n < 2; ++n) {
    const auto opened = start();
    EXPECT_TRUE(opened->refuses(poison));
    EXPECT_TRUE(opened->refuses(poison));
    EXPECT_FALSE(opened->refuses("once"));
    EXPECT_FALSE(opened->refuses(""));
  }
  EXPECT_EQ(errors.size(), 2U) << "once a start, however often it is sent";
  const auto written = lines();
  ASSERT_EQ(written.size(), 1U);
  EXPECT_EQ(written[0]["kind"], "message");
  EXPECT_EQ(written[0]["bytes"], "gQD/");
  EXPECT_EQ(written[0]["hash"], to_text(print_of_message(poison)));
  EXPECT_EQ(written[0]["crashed_at"].size(), 2U);
}

TEST_F(quarantines, all_events_of_a_step_that_crashed_twice_are_left_out) {
  crashed({step_crash(4, 2min), event_crash(4, 11, 90s), step_crash(4, 1min)});
  EXPECT_EQ(start()->left_out(entry_of(4, 10, 3)), (indexes{0, 1, 2}));
  EXPECT_EQ(lines().size(), 3U);
}

TEST_F(quarantines, a_step_without_events_goes_on_and_says_where_it_crashed) {
  crashed({step_crash(4, 2min), step_crash(4, 1min)});
  EXPECT_EQ(start()->left_out(entry_of(4, 10, 0)), indexes{});
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_NE(errors[0].find("crashed 2 times at step 4 of the event log"), std::string::npos);
  EXPECT_TRUE(lines().empty());
}

TEST_F(quarantines, what_the_log_has_forgotten_and_old_messages_are_forgotten) {
  const std::vector old{event_crash(2, 5, 48h), event_crash(3, 6, 48h), step_crash(2, 48h),
                        message_crash("a", 24h + 1ms), message_crash("b", 24h)};
  crashed(old);
  (void)start(3);
  EXPECT_EQ(records_left(), (std::vector{old[1], old[4]}));
}

TEST_F(quarantines, a_torn_tail_is_cut_with_a_warning) {
  crashed({event_crash(4, 12, 2min), event_crash(4, 12, 1min)}, "tcCR and so on");
  EXPECT_EQ(start()->left_out(entry_of(4, 10, 5)), indexes{2});
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_EQ(warnings[0], "data: " + folder.file("crashes") +
                             ": the last 14 bytes are no record of a crash, or half of one, and "
                             "are ignored");
  EXPECT_EQ(text_of("crashes").size(), 2 * crash_record_bytes);
  (void)start();
  EXPECT_EQ(warnings.size(), 1U);
}

TEST_F(quarantines, a_folder_that_never_saw_a_crash_gets_an_empty_file) {
  (void)start();
  EXPECT_TRUE(std::filesystem::exists(folder.file("crashes")));
  EXPECT_FALSE(std::filesystem::exists(folder.file("quarantine.jsonl")));
}

TEST_F(quarantines, what_a_person_wrote_into_the_file_stays_and_a_torn_line_is_ended) {
  crashed({event_crash(4, 12, 2min), event_crash(4, 12, 1min)});
  folder.write("quarantine.jsonl", "# seen\n{\"kind\":\"event\",\"step\":4,\"posi");
  EXPECT_EQ(start()->left_out(entry_of(4, 10, 5)), indexes{2});
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings[0].find("2 lines are none that tocsind has written"), std::string::npos);
  const std::string text = text_of("quarantine.jsonl");
  EXPECT_EQ(text.rfind("# seen\n{\"kind\":\"event\",\"step\":4,\"posi\n{\"kind\":\"event\"", 0), 0U)
      << text;
  EXPECT_TRUE(text.ends_with("}\n"));
}

TEST_F(quarantines, what_cannot_be_written_down_is_kept_out_all_the_same) {
  crashed({event_crash(4, 12, 2min), event_crash(4, 12, 1min)});
  std::filesystem::create_directory(folder.file("quarantine.jsonl"));
  const auto opened = start();
  EXPECT_EQ(opened->left_out(entry_of(4, 10, 5)), indexes{2});
  ASSERT_EQ(errors.size(), 2U);
  EXPECT_NE(errors[1].find("could not be written down"), std::string::npos);
  std::filesystem::remove(folder.file("quarantine.jsonl"));
  EXPECT_EQ(opened->left_out(entry_of(4, 10, 5)), indexes{2});
  EXPECT_TRUE(text_of("quarantine.jsonl").find("\"position\":12") != std::string::npos);
}

}  // namespace
}  // namespace tocsin
