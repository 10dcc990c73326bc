// SPDX-License-Identifier: Apache-2.0
// The arrivals of recorded events.
#include "io/recorded_events.hpp"

#include <gtest/gtest.h>

namespace tocsin {
namespace {

class recorded_events_test : public testing::Test {
 protected:
  void read(std::string_view message) { reader_.read(message, events_, refused_); }

  [[nodiscard]] std::vector<long long> arrivals() const {
    std::vector<long long> all;
    for (const auto& each : events_) all.push_back(to_unix_ms(each.arrival));
    return all;
  }
  /// Event `index` as a pipeline would read it at its arrival.
  [[nodiscard]] event_batch decoded(std::size_t index) const {
    event_batch batch;
    std::vector<rejection> refused;
    event_decoder({}).decode(events_[index].message, events_[index].arrival, batch, refused);
    EXPECT_TRUE(refused.empty());
    return batch;
  }

  recorded_events reader_{event_limits{}};
  std::vector<recorded_event> events_;
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
  EXPECT_EQ(to_unix_ms(decoded(1).events[0].time), 3000);
}

TEST_F(recorded_events_test, arrived_at_goes_before_time_and_is_no_label) {
  read(R"({"item":"a","time":5000,"arrived_at":9000,"zone":"x"})");
  read(R"({"item":"b","arrived_at":"1970-01-01T00:00:10Z"})");
  EXPECT_EQ(arrivals(), (arrivals_type{9000, 10000}));
  const auto first = decoded(0);
  ASSERT_EQ(first.labels.size(), 1U);
  EXPECT_EQ(first.labels[0].name, "zone");
  EXPECT_FALSE(decoded(1).events[0].has_time) << "it had no time of its own";
}

TEST_F(recorded_events_test, without_any_time_the_arrival_so_far_holds) {
  read(R"({"item":"a"})");
  read(R"({"item":"b","time":5000})");
  read(R"({"item":"c"})");
  EXPECT_EQ(arrivals(), (arrivals_type{0, 5000, 5000}));
  EXPECT_EQ(to_unix_ms(reader_.clock()), 5000);
}

TEST_F(recorded_events_test, what_a_pipeline_would_refuse_is_refused) {
  read(R"({"item":"a","time":500000,"arrived_at":1000})");
  read(R"({"item":"a","arrived_at":"yesterday"})");
  read("{broken");
  ASSERT_EQ(refused_.size(), 3U);
  EXPECT_EQ(refused_[0].code, "time_in_future");
  EXPECT_EQ(refused_[1].code, "bad_time");
  EXPECT_EQ(refused_[2].code, "malformed");
  EXPECT_TRUE(events_.empty());
  EXPECT_EQ(to_unix_ms(reader_.clock()), 0) << "a refused event moves no clock";
}

TEST_F(recorded_events_test, arrived_at_does_not_count_as_a_label) {
  const auto labels = [](int count) {
    std::string text;
    for (int at = 0; at < count; ++at) text += ",\"l" + std::to_string(at) + "\":1";
    return text;
  };
  read("{\"arrived_at\":1" + labels(64) + "}");
  EXPECT_EQ(events_.size(), 1U);
  read("{\"time\":1" + labels(65) + "}");
  ASSERT_EQ(refused_.size(), 1U);
  EXPECT_EQ(refused_[0].code, "too_many_labels");
}

}  // namespace
}  // namespace tocsin
