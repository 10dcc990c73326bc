// SPDX-License-Identifier: Apache-2.0
// Names of a window as expressions see them.
#include "core/window_scope.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "support/record_driver.hpp"

namespace tocsin {
namespace {

using testing::no_number;
using testing::record_driver;
using function = aggregate_function;

rule rule_with(std::vector<std::uint32_t> slots) {
  rule made{.spec = {},
            .name = "r",
            .revision = {},
            .early_reason = {},
            .selected = {},
            .aggregate_slots = std::move(slots),
            .having = *expression::compile("true", schema::of_event()),
            .fixed_severity = {},
            .severity_expression = {},
            .title = {},
            .description = {},
            .labels = {},
            .annotations = {},
            .condition = {}};
  made.spec.window.size = std::chrono::minutes{5};
  return made;
}

class scope_of_a_window : public ::testing::Test {
 protected:
  value get(window_name name) { return get(static_cast<std::uint32_t>(name)); }
  value get(std::uint32_t id) {
    const window_scope names{rule_, unit_, group_, at_.records, window_, key_};
    value seen = names.get(id);
    text_ = seen.text;
    seen.text = {};
    return seen;
  }

  const std::vector<testing::asked> aggregates_{{function::zscore, "value"},
                                                {function::collect, "item", 2}};
  unit unit_ = testing::unit_of(aggregates_);
  record_driver at_{aggregates_, {duration{60'000}, 2}};
  rule rule_ = rule_with({1, 0});
  group group_;
  judged_window window_{&at_.make({{10'000, 1, 9, "a"}, {4'000, 2, 1, "b"}}),
                        {window_kind::sliding, from_unix_ms(0), from_unix_ms(20'000)},
                        15'000};
  judged_key key_;
  std::string text_;
};

TEST_F(scope_of_a_window, idle_is_the_time_since_the_last_event) {
  EXPECT_EQ(get(window_name::idle).type, value_type::length);
  EXPECT_EQ(get(window_name::idle).integer, 5'000);
  window_.now_ms = 9'000;
  EXPECT_EQ(get(window_name::idle).integer, 0) << "the last event is yet to come";
}

TEST_F(scope_of_a_window, idle_without_events_is_the_whole_window) {
  window_.record = &at_.make();
  EXPECT_EQ(get(window_name::idle).integer, 20'000);
  EXPECT_TRUE(get(window_name::duration).is_missing());
}

TEST_F(scope_of_a_window, window_size_is_the_rules) {
  EXPECT_EQ(get(window_name::window_size).integer, 300'000);
}

TEST_F(scope_of_a_window, aggregates_are_read_by_the_rules_slots_with_the_baseline) {
  get(aggregate_base);
  EXPECT_EQ(text_, "b, a");
  EXPECT_TRUE(get(aggregate_base + 1).is_missing());
  window_.baseline = &at_.make({{0, 3, 1}, {1, 4, 3}, {2, 5, 5}});
  EXPECT_EQ(get(aggregate_base + 1).number, 3);
}

TEST_F(scope_of_a_window, event_ids_are_those_of_the_window_in_order) {
  EXPECT_TRUE(get(window_name::event_ids).is_missing()) << "no ids are known";
  id_ring ids;
  ids.add(10'000, 1, "late");
  ids.add(4'000, 2, "early");
  ids.add(99'000, 3, "of another window");
  key_.ids = &ids;
  get(window_name::event_ids);
  EXPECT_EQ(text_, "early, late");
}

TEST_F(scope_of_a_window, event_ids_end_in_dots_when_there_were_more) {
  id_ring ids;
  ids.add(10'000, 1, "late");
  ids.add(4'000, 2, "early");
  key_.ids = &ids;
  window_record with_more = *window_.record;
  with_more.with_id = 3;
  window_.record = &with_more;
  get(window_name::event_ids);
  EXPECT_EQ(text_, "early, late, ...");
}

}  // namespace
}  // namespace tocsin
