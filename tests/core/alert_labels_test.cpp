// SPDX-License-Identifier: Apache-2.0
// Which labels matchers see of an alert.
#include "tocsin/alert_labels.hpp"

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using labels = std::vector<std::pair<std::string, std::string>>;

alert alert_with(alert_texts texts, alert_origin origin = alert_origin::rule) {
  alert made;
  made.origin = origin;
  made.rule = "disk-full";
  made.severity = severity::error;
  made.texts = std::make_shared<const alert_texts>(std::move(texts));
  return made;
}

alert full_alert() {
  alert_texts texts;
  texts.labels = {{"team", "storage"}};
  texts.group = {{"labels.env", "prod"}, {"host", "a"}, {"labels.zone", std::nullopt}};
  texts.resource_id = "r-1";
  texts.resource_type = "volume";
  texts.resource_name = "data";
  texts.item = "used";
  texts.source_id = "agent-1";
  return alert_with(std::move(texts));
}

TEST(alert_labels, a_rules_alert_has_its_labels_its_group_and_what_it_is_about) {
  EXPECT_EQ(alert_labels(full_alert()), (labels{{"alertname", "disk-full"},
                                                {"env", "prod"},
                                                {"host", "a"},
                                                {"item", "used"},
                                                {"resource_id", "r-1"},
                                                {"resource_name", "data"},
                                                {"resource_type", "volume"},
                                                {"severity", "error"},
                                                {"source_id", "agent-1"},
                                                {"team", "storage"}}));
}

TEST(alert_labels, shared_ones_are_the_same_and_share_the_characters_of_the_alerts_texts) {
  const alert of = full_alert();
  const text_map shared = shared_alert_labels(of);
  labels same;
  for (const auto& [name, value] : shared) same.emplace_back(name, value);
  EXPECT_EQ(same, alert_labels(of));
  const auto value_of = [&](std::string_view name) {
    for (const auto& [key, value] : shared) {
      if (key == name) return value;
    }
    return shared_text{};
  };
  EXPECT_TRUE(value_of("team").shares_with(of.texts->labels[0].second));
  EXPECT_TRUE(value_of("env").shares_with(*of.texts->group[0].second));
  EXPECT_TRUE(value_of("item").shares_with(of.texts->item));
  EXPECT_TRUE(value_of("alertname").shares_with(of.rule));
}

TEST(alert_labels, each_is_found_by_name_and_what_is_not_there_is_empty) {
  const alert of = full_alert();
  for (const auto& [name, value] : alert_labels(of)) EXPECT_EQ(alert_label(of, name), value);
  EXPECT_EQ(alert_label(of, "labels.env"), "");
  EXPECT_EQ(alert_label(of, "zone"), "");
  EXPECT_EQ(alert_label(of, "nothing"), "");
}

TEST(alert_labels, of_one_name_the_alerts_own_label_counts_before_the_group_before_the_rest) {
  alert_texts texts;
  texts.labels = {{"env", "own"}, {"alertname", "own"}};
  texts.group = {{"labels.env", "group"}, {"severity", "group"}, {"item", "group"}};
  texts.item = "field";
  const alert of = alert_with(texts);
  EXPECT_EQ(
      alert_labels(of),
      (labels{{"alertname", "own"}, {"env", "own"}, {"item", "group"}, {"severity", "group"}}));
  EXPECT_EQ(alert_label(of, "env"), "own");
  EXPECT_EQ(alert_label(of, "severity"), "group");
}

TEST(alert_labels, an_empty_value_is_no_label_and_hides_none) {
  alert_texts texts;
  texts.labels = {{"severity", ""}, {"team", ""}};
  texts.group = {{"item", ""}};
  texts.item = "used";
  const alert of = alert_with(texts);
  EXPECT_EQ(alert_labels(of),
            (labels{{"alertname", "disk-full"}, {"item", "used"}, {"severity", "error"}}));
  EXPECT_EQ(alert_label(of, "severity"), "error");
}

TEST(alert_labels, a_posted_alert_has_only_its_own) {
  alert_texts texts;
  texts.labels = {{"alertname", "Down"}, {"job", "node"}};
  texts.source_id = "node";
  texts.group = {{"host", "a"}};
  const alert of = alert_with(texts, alert_origin::posted);
  EXPECT_EQ(alert_labels(of), (labels{{"alertname", "Down"}, {"job", "node"}}));
  EXPECT_EQ(alert_label(of, "severity"), "");
  EXPECT_EQ(alert_label(of, "source_id"), "");
}

TEST(alert_labels, an_incident_is_labelled_as_a_rules_alert) {
  alert_texts texts;
  texts.group = {{"labels.env", "prod"}};
  EXPECT_EQ(alert_labels(alert_with(texts, alert_origin::incident)),
            (labels{{"alertname", "disk-full"}, {"env", "prod"}, {"severity", "error"}}));
}

TEST(alert_labels, an_alert_without_texts_has_its_rule_and_severity) {
  alert of;
  of.rule = "r";
  EXPECT_EQ(alert_labels(of), (labels{{"alertname", "r"}, {"severity", "info"}}));
}

TEST(alert_labels, all_matchers_must_accept) {
  const alert of = full_alert();
  const auto read = [](std::string_view text) { return parse_label_matchers(text).value(); };
  EXPECT_TRUE(matches({}, of));
  EXPECT_TRUE(matches(read(R"(env="prod",team=~"stor.*")"), of));
  EXPECT_FALSE(matches(read(R"(env="prod",team!="storage")"), of));
  EXPECT_TRUE(matches(read(R"(zone="")"), of));
}

TEST(alert_origin, each_has_its_word) {
  EXPECT_EQ(to_text(alert_origin::rule), "rule");
  EXPECT_EQ(to_text(alert_origin::posted), "posted");
  EXPECT_EQ(to_text(alert_origin::incident), "incident");
}

}  // namespace
}  // namespace tocsin
