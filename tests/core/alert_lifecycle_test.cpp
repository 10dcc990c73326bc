// SPDX-License-Identifier: Apache-2.0
// The table of the alerts' life cycle, and its place in the documentation.
#include "tocsin/alert_lifecycle.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <utility>

namespace tocsin {
namespace {

constexpr alert_state states[] = {alert_state::none,     alert_state::pending,
                                  alert_state::firing,   alert_state::acknowledged,
                                  alert_state::resolved, alert_state::closed};
constexpr alert_trigger triggers[] = {
    alert_trigger::met,          alert_trigger::held,           alert_trigger::met_at_once,
    alert_trigger::cleared,      alert_trigger::recovered,      alert_trigger::dismissed,
    alert_trigger::acknowledged, alert_trigger::unacknowledged, alert_trigger::upgraded,
    alert_trigger::downgraded,   alert_trigger::closed,         alert_trigger::forsaken,
    alert_trigger::marked};

TEST(alert_lifecycle, every_state_and_trigger_leads_where_the_table_says_or_is_illegal) {
  std::size_t legal = 0;
  for (const alert_state from : states) {
    for (const alert_trigger trigger : triggers) {
      std::set<alert_state> wanted;
      for (const lifecycle_move& each : lifecycle_table()) {
        if (each.from == from && each.trigger == trigger) wanted.insert(each.to);
      }
      ASSERT_LE(wanted.size(), 1u) << to_text(from) << " " << to_text(trigger);
      const auto to = next_state(from, trigger);
      ASSERT_EQ(to.has_value(), !wanted.empty()) << to_text(from) << " " << to_text(trigger);
      if (!to) {
        EXPECT_EQ(to.failure().code, "illegal_transition");
        continue;
      }
      EXPECT_EQ(*to, *wanted.begin());
      ++legal;
    }
  }
  EXPECT_EQ(legal, lifecycle_table().size());
}

TEST(alert_lifecycle, what_has_ended_stays_ended_and_all_that_is_active_can_end) {
  for (const alert_state from : states) {
    for (const alert_trigger trigger : triggers) {
      const auto to = next_state(from, trigger);
      const bool ended = from == alert_state::resolved || from == alert_state::closed;
      EXPECT_FALSE(ended && to) << to_text(trigger);
      EXPECT_FALSE(to && *to == alert_state::none) << to_text(trigger);
    }
    if (!is_active(from)) continue;
    EXPECT_EQ(*next_state(from, alert_trigger::cleared), alert_state::resolved);
    EXPECT_EQ(*next_state(from, alert_trigger::recovered), alert_state::resolved);
    EXPECT_EQ(*next_state(from, alert_trigger::dismissed), alert_state::closed);
    EXPECT_EQ(*next_state(from, alert_trigger::closed), alert_state::closed);
    EXPECT_EQ(*next_state(from, alert_trigger::forsaken), alert_state::closed);
    EXPECT_EQ(*next_state(from, alert_trigger::marked), from);
  }
}

TEST(alert_lifecycle, an_illegal_trigger_says_what_is_legal) {
  EXPECT_EQ(next_state(alert_state::none, alert_trigger::acknowledged).failure().message,
            "\"acknowledged\" is not legal for an alert in state none (legal: met, met at once)");
  EXPECT_EQ(next_state(alert_state::resolved, alert_trigger::closed).failure().message,
            "\"closed\" is not legal for an alert in state resolved (nothing is: it has ended)");
}

TEST(alert_lifecycle, triggers_have_names_of_their_own) {
  std::set<std::string_view> names;
  for (const alert_trigger trigger : triggers) names.insert(to_text(trigger));
  EXPECT_EQ(names.size(), std::size(triggers));
}

TEST(alert_lifecycle, the_documentation_holds_exactly_this_table) {
  std::ifstream file(TOCSIN_SOURCE_DIR "/docs/alerts.md");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_NE(text.str().find("\n\n" + lifecycle_markdown() + "\n"), std::string::npos)
      << "docs/alerts.md must hold:\n"
      << lifecycle_markdown();
}

}  // namespace
}  // namespace tocsin
