// SPDX-License-Identifier: Apache-2.0
// The arrivals of recorded events.
#include "io/recorded_events.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace tocsin {
namespace {

class recorded_events_test : public testing::Test {
 protected:
  void read(std::string message) {
    // The batch's views point into the messages.
    kept_.push_back(std::move(message));
    decoder_.decode_recorded(kept_.back(), clock_, batch_, refused_);
  }

  [[nodiscard]] std::vector<long long> arrivals() const {
    std::vector<long long> all;
    for (const auto& each : batch_.events) all.push_back(to_unix_ms(each.arrived));
    return all;
  }

  event_decoder decoder_{event_limits{}};
  std::deque<std::string> kept_;
  instant clock_{};
  event_batch batch_;
  std::vector<rejection> refused_;
};

using arrivals_type = std::vector<long long>;

TEST_F(recorded_events_test, an_event_arrives_at_its_time) {
  read(R"({"item":"a","time":5000})");
  read(R"({"item":"b","time":"1970-01-01T00:00:07Z"})");
  EXPECT_EQ(arrivals(), (arrivals_type{5000, 7000}));
}

TEST_F(recorded_events_test, arrivals_never_run_backwards_and_times_stay) {
  read(R"([{"item":"a","time":5000},{"item":"b","time":3000}])");
  EXPECT_EQ(arrivals(), (arrivals_type{5000, 5000}));
  EXPECT_EQ(to_unix_ms(batch_.events[1].time), 3000);
}

TEST_F(recorded_events_test, arrived_at_goes_before_time_and_is_no_label) {
  read(R"({"item":"a","time":5000,"arrived_at":9000,"zone":"x"})");
  read(R"({"item":"b","arrived_at":"1970-01-01T00:00:10Z"})");
  EXPECT_EQ(arrivals(), (arrivals_type{9000, 10000}));
  const auto labels = batch_.labels_of(batch_.events[0]);
  ASSERT_EQ(labels.size(), 1U);
  EXPECT_EQ(labels[0].name, "zone");
  EXPECT_EQ(to_unix_ms(batch_.events[0].time), 5000);
  EXPECT_FALSE(batch_.events[1].has_time) << "it had no time of its own";
  EXPECT_EQ(to_unix_ms(batch_.events[1].time), 10000);
}

TEST_F(recorded_events_test, without_any_time_the_arrival_so_far_holds) {
  read(R"({"item":"a"})");
  read(R"({"item":"b","time":5000})");
  read(R"({"item":"c"})");
  EXPECT_EQ(arrivals(), (arrivals_type{0, 5000, 5000}));
  EXPECT_EQ(to_unix_ms(clock_), 5000);
}

TEST_F(recorded_events_test, what_a_pipeline_would_refuse_is_refused) {
  read(R"({"item":"a","time":500000,"arrived_at":1000})");
  read(R"({"item":"a","arrived_at":"yesterday"})");
  read("{broken");
  ASSERT_EQ(refused_.size(), 3U);
  EXPECT_EQ(refused_[0].code, "time_in_future");
  EXPECT_EQ(refused_[1].code, "bad_time");
  EXPECT_EQ(refused_[2].code, "malformed");
  EXPECT_TRUE(batch_.events.empty());
  EXPECT_EQ(to_unix_ms(clock_), 0) << "a refused event moves no clock";
}

TEST_F(recorded_events_test, arrived_at_does_not_count_as_a_label) {
  const auto labels = [](int count) {
    std::string text;
    for (int at = 0; at < count; ++at) text += ",\"l" + std::to_string(at) + "\":1";
    return text;
  };
  read("{\"arrived_at\":1" + labels(64) + "}");
  EXPECT_EQ(batch_.events.size(), 1U);
  read("{\"time\":1" + labels(65) + "}");
  ASSERT_EQ(refused_.size(), 1U);
  EXPECT_EQ(refused_[0].code, "too_many_labels");
}

TEST_F(recorded_events_test, arrived_at_stands_where_labels_stand_too_but_once) {
  read(R"({"item":"a","labels":{"arrived_at":7000,"zone":"x"}})");
  EXPECT_EQ(arrivals(), (arrivals_type{7000}));
  EXPECT_EQ(batch_.labels.size(), 1U);
  read(R"({"arrived_at":7000,"labels":{"arrived_at":7000}})");
  read(R"({"arrived_at":true})");
  read(R"({"arrived_at":null})");
  ASSERT_EQ(refused_.size(), 3U);
  EXPECT_EQ(refused_[0].code, "duplicate_key");
  EXPECT_EQ(refused_[1].code, "bad_time");
  EXPECT_EQ(refused_[2].code, "bad_time");
  EXPECT_NE(refused_[2].message.find("seen nil"), std::string::npos) << refused_[2].message;
}

TEST_F(recorded_events_test, outside_of_recordings_arrived_at_is_a_label) {
  decoder_.decode(R"({"arrived_at":7000})", from_unix_ms(5), batch_, refused_);
  ASSERT_EQ(batch_.labels.size(), 1U);
  EXPECT_EQ(batch_.labels[0].name, "arrived_at");
  EXPECT_EQ(arrivals(), (arrivals_type{5}));
}

class recording : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "recording_XXXXXX").string();
    const int descriptor = ::mkstemp(name.data());
    ASSERT_GE(descriptor, 0);
    ::close(descriptor);
    path_ = name;
  }
  void TearDown() override { std::filesystem::remove(path_); }

  event_file holding(const std::string& bytes) {
    std::ofstream(path_, std::ios::binary) << bytes;
    auto file = event_file::open(path_);
    EXPECT_TRUE(file);
    return std::move(*file);
  }

  std::string path_;
};

TEST_F(recording, pieces_are_numbered_on_and_keep_their_memory) {
  std::string bytes;
  constexpr std::size_t count = recorded_events::events_wanted * 2 + 10;
  for (std::size_t at = 0; at < count; ++at) {
    bytes +=
        "{\"event_id\":\"e" + std::to_string(at) + "\",\"time\":" + std::to_string(at + 1) + "}\n";
  }
  std::vector<std::shared_ptr<const event_batch>> pieces;
  recorded_events reader{event_limits{}};
  {
    auto file = holding(bytes);
    for (bool ended = false; !ended;) {
      auto piece = reader.read(file);
      EXPECT_TRUE(piece.refused.empty());
      EXPECT_FALSE(piece.failure);
      if (piece.events) pieces.push_back(piece.events);
      ended = piece.ended;
    }
  }
  ASSERT_EQ(pieces.size(), 3U);
  std::uint64_t position = 1;
  for (const auto& each : pieces) {
    EXPECT_EQ(each->first_position, position);
    for (const event& one : each->events) {
      EXPECT_EQ(one.text(event_field::event_id), "e" + std::to_string(position - 1));
      EXPECT_EQ(to_unix_ms(one.arrived), static_cast<long long>(position));
      ++position;
    }
    EXPECT_EQ(each->clock, each->events.back().arrived);
  }
  EXPECT_EQ(position, count + 1);
  EXPECT_EQ(to_unix_ms(reader.clock()), static_cast<long long>(count));
}

TEST_F(recording, refusals_name_their_message_and_the_good_events_before_a_failure_count) {
  recorded_events reader{event_limits{}};
  auto lines = holding("{\"time\":5}\n\n{broken\n");
  const auto first = reader.read(lines);
  ASSERT_EQ(first.refused.size(), 1U);
  EXPECT_EQ(first.refused[0].message, 3U);
  EXPECT_EQ(first.refused[0].why.code, "malformed");
  EXPECT_TRUE(first.ended);

  auto cut = holding(
      "\x81\xa4"
      "time\x07\x81\xa4");
  const auto second = reader.read(cut);
  ASSERT_TRUE(second.failure);
  ASSERT_TRUE(second.events);
  EXPECT_EQ(second.events->first_position, 2U);
  EXPECT_EQ(to_unix_ms(second.events->events[0].arrived), 7);
  EXPECT_TRUE(second.ended);
}

}  // namespace
}  // namespace tocsin
