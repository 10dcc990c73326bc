// SPDX-License-Identifier: Apache-2.0
// The `enrich` list of settings: what is read, and every error with its place.
#include "io/enrichment_file.hpp"

#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

#include "io/settings_file.hpp"
#include "support/diagnostics_text.hpp"

namespace tocsin {
namespace {

using testing::texts;

std::vector<enrichment_step> parse(std::string_view yaml) {
  diagnostics found;
  auto read = parse_settings(yaml, "/etc/tocsin/tocsin.yaml", found);
  EXPECT_TRUE(found.empty()) << texts(found);
  return read.enrich;
}

std::string errors_of(std::string_view yaml) {
  diagnostics found;
  (void)parse_settings(yaml, "t.yaml", found);
  return texts(found);
}

TEST(enrichment_file, every_step_is_read_in_order_with_its_places) {
  const auto steps = parse(R"(enrich:
- extract: {field: description, pattern: 'user (?P<user>\w+)', where: 'item == "login"'}
- lookup: {file: hosts.csv, on: labels.host, key: name, labels: [owner, rack]}
- lookup: {file: /srv/x.json, on: resource_id, labels: {owner: team}}
  where: has(labels.env)
- rename: {a: b, c: d}
- set: {where: "${labels.rack}", kind: host}
- drop: [x, y]
)");
  ASSERT_EQ(steps.size(), 6U);
  EXPECT_EQ(steps[0].file, "/etc/tocsin/tocsin.yaml");
  EXPECT_EQ(steps[0].line, 2);
  EXPECT_EQ(steps[0].where.text, "item == \"login\"");
  const auto& extract = std::get<extract_spec>(steps[0].what);
  EXPECT_EQ(extract.field.text, "description");
  EXPECT_EQ(extract.pattern.text, R"(user (?P<user>\w+))");
  EXPECT_EQ(extract.pattern.column, 43);
  const auto& lookup = std::get<lookup_spec>(steps[1].what);
  EXPECT_EQ(lookup.file.text, "hosts.csv");
  EXPECT_EQ(lookup.path, "/etc/tocsin/hosts.csv") << "relative to the settings file's folder";
  EXPECT_EQ(lookup.on.text, "labels.host");
  EXPECT_EQ(lookup.key.text, "name");
  ASSERT_EQ(lookup.labels.size(), 2U);
  EXPECT_EQ(lookup.labels[1].first.text, "rack");
  EXPECT_EQ(lookup.labels[1].second.text, "rack");
  const auto& renamed = std::get<lookup_spec>(steps[2].what);
  EXPECT_EQ(renamed.path, "/srv/x.json");
  EXPECT_EQ(renamed.key.text, "");
  EXPECT_EQ(renamed.labels[0].first.text, "owner");
  EXPECT_EQ(renamed.labels[0].second.text, "team");
  EXPECT_EQ(steps[2].where.text, "has(labels.env)");
  EXPECT_EQ(std::get<rename_spec>(steps[3].what).labels[1].second.text, "d");
  EXPECT_EQ(std::get<set_spec>(steps[4].what).labels[0].first.text, "where")
      << "a label may be called where";
  EXPECT_EQ(std::get<drop_spec>(steps[5].what).labels[1].text, "y");
}

TEST(enrichment_file, all_errors_are_reported_at_once_with_places) {
  EXPECT_EQ(errors_of(R"(enrich:
- extrct: {field: title}
- extract: {fild: title, pattern: ''}
- lookup: {file: hosts.txt, on: resource_id}
- {set: {a: b}, drop: [c]}
- where: item == "x"
- rename: [a, b]
- drop: a
- lookup: {file: h.csv, on: item, labels: 5, key: ''}
- extract: {field: item, pattern: x, where: a}
  where: b
- text
)"),
            "t.yaml:2:3: error: unknown field 'extrct' (did you mean 'extract'?)\n"
            "t.yaml:3:13: error: unknown field 'fild' (did you mean 'field'?)\n"
            "t.yaml:3:12: error: extract: 'field' is missing\n"
            "t.yaml:3:35: error: 'pattern' is empty\n"
            "t.yaml:4:11: error: lookup: 'labels' is missing (the columns that become labels)\n"
            "t.yaml:4:18: error: 'file': \"hosts.txt\" is neither a .csv nor a .json file\n"
            "t.yaml:5:17: error: a step does one thing, and this one does 'set' already: make "
            "'drop' a step of its own\n"
            "t.yaml:6:3: error: a step that does nothing (wanted extract, lookup, rename, set or "
            "drop)\n"
            "t.yaml:7:11: error: 'rename' must be a map, this is a list\n"
            "t.yaml:8:9: error: 'drop' must be a list, this is a text\n"
            "t.yaml:9:51: error: 'key' is empty\n"
            "t.yaml:9:43: error: 'labels' must be a list, this is a text\n"
            "t.yaml:10:38: error: a second 'where' (the other one is at line 11)\n"
            "t.yaml:12:3: error: a step must be a map of extract, lookup, rename, set, drop, "
            "where, this is a text\n");
  EXPECT_EQ(errors_of("enrich: {drop: [a]}\n"),
            "t.yaml:1:9: error: 'enrich' must be a list, this is a map\n");
}

TEST(enrichment_file, loading_reports_steps_and_tables) {
  diagnostics found;
  auto steps = parse(
      "enrich:\n- lookup: {file: /nowhere/h.csv, on: resource_id, labels: [a]}\n"
      "- lookup: {file: /nowhere/i.csv, on: resource_id, labels: [a]}\n");
  const auto none = load_enrichment(steps, {}, found);
  EXPECT_EQ(none.steps, nullptr);
  EXPECT_EQ(found.size(), 2U) << texts(found);
  EXPECT_EQ(found[0].line, 2);
  EXPECT_EQ(found[1].line, 3);
  found.clear();
  steps = parse("enrich:\n- set: {item: x}\n");
  EXPECT_EQ(load_enrichment(steps, {}, found).steps, nullptr);
  EXPECT_EQ(texts(found).substr(0, 47), "/etc/tocsin/tocsin.yaml:2:9: error: set: item: ");
}

TEST(enrichment_file, no_steps_are_no_enrichment) {
  diagnostics found;
  const auto none = load_enrichment({}, {}, found);
  EXPECT_EQ(none.steps, nullptr);
  EXPECT_EQ(none.tables, nullptr);
  EXPECT_TRUE(found.empty());
}

}  // namespace
}  // namespace tocsin
