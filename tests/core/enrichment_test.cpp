// SPDX-License-Identifier: Apache-2.0
// Enrichment: what each step does to labels, in order, within bounds, counted.
#include "tocsin/enrichment.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tocsin/expression.hpp"

namespace tocsin {
namespace {

using pairs = std::vector<std::pair<std::string, std::string>>;

placed_text at(std::string text) {
  return {std::move(text), 0, 0};
}

std::vector<std::pair<placed_text, placed_text>> placed(const pairs& given) {
  std::vector<std::pair<placed_text, placed_text>> out;
  for (const auto& [first, second] : given) out.emplace_back(at(first), at(second));
  return out;
}

template <class Spec>
enrichment_step step_of(Spec spec, const std::string& where = "") {
  return {"t.yaml", 1, at(where), std::move(spec)};
}

enrichment_step extract(const std::string& field, const std::string& pattern,
                        const std::string& where = "") {
  return step_of(extract_spec{at(field), at(pattern)}, where);
}
enrichment_step lookup(const std::string& on, const pairs& labels, const std::string& where = "") {
  return step_of(lookup_spec{at("hosts.csv"), "/etc/hosts.csv", at(on), {}, placed(labels)}, where);
}
enrichment_step rename(const pairs& labels) {
  return step_of(rename_spec{placed(labels)});
}
enrichment_step set(const pairs& labels, const std::string& where = "") {
  return step_of(set_spec{placed(labels)}, where);
}
enrichment_step drop(const std::vector<std::string>& labels) {
  drop_spec spec;
  for (const std::string& each : labels) spec.labels.push_back(at(each));
  return step_of(std::move(spec));
}

std::shared_ptr<const enrichment> compile(std::vector<enrichment_step> steps,
                                          const event_limits& limits = {}) {
  diagnostics found;
  auto made = enrichment::compile(std::move(steps), limits, found);
  for (const diagnostic& each : found) ADD_FAILURE() << each.text();
  return made;
}

std::string errors_of(std::vector<enrichment_step> steps, const event_limits& limits = {}) {
  diagnostics found;
  const auto made = enrichment::compile(std::move(steps), limits, found);
  EXPECT_EQ(made == nullptr, has_errors(found));
  std::string all;
  for (const diagnostic& each : found) all += each.text() + "\n";
  return all;
}

/// A batch of events whose texts live as long as the builder.
struct batch_builder {
  event_batch batch;

  event& add(std::string_view description) {
    event& one = batch.events.emplace_back();
    if (description.data() != nullptr) one.set_text(event_field::description, description);
    one.labels_begin = static_cast<std::uint32_t>(batch.labels.size());
    return one;
  }
  batch_builder& with(std::string_view name, std::string_view text) {
    batch.labels.push_back({name, text, 0, label::kind::text});
    ++batch.events.back().labels_count;
    return *this;
  }
  batch_builder& with(std::string_view name, double number) {
    batch.labels.push_back({name, {}, number, label::kind::number});
    ++batch.events.back().labels_count;
    return *this;
  }
};

/// "a=1 b=x", in order.
std::string labels_of(const event_batch& batch, std::size_t index) {
  std::string all;
  for (const label& each : batch.labels_of(batch.events[index])) {
    std::string text = "null";
    if (each.type == label::kind::text) text = std::string(each.text);
    if (each.type == label::kind::number) text = value::of(each.number).to_text();
    if (each.type == label::kind::boolean) text = each.number != 0 ? "true" : "false";
    all += (all.empty() ? "" : " ") + std::string(each.name) + "=" + text;
  }
  return all;
}

std::shared_ptr<const lookup_table> table_of(
    std::size_t columns,
    const std::vector<std::pair<std::string, std::vector<lookup_cell>>>& rows) {
  lookup_table_builder builder(columns);
  for (const auto& [key, cells] : rows) builder.add(key, cells);
  std::vector<duplicate_key> duplicates;
  auto made = builder.build(duplicates);
  EXPECT_TRUE(duplicates.empty());
  return made;
}

lookup_cell text_cell(std::string_view text) {
  return {label::kind::text, text, 0};
}

enrichment_counts counts(const std::string& step, std::uint64_t matched, std::uint64_t unmatched,
                         std::uint64_t skipped, std::uint64_t overflow = 0,
                         std::uint64_t left_out = 0) {
  return {step, matched, unmatched, skipped, overflow, left_out};
}

TEST(enrichment, extract_makes_labels_of_the_named_groups) {
  enricher one(compile({extract("description", R"(user (?P<user>\w+)( from (?P<ip>\S+))?)")}));
  batch_builder in;
  in.add("login of user root from ::1");
  in.with("env", "prod");
  in.add("user bob");
  in.add("nobody");
  in.add({});
  one.apply(in.batch);
  EXPECT_EQ(labels_of(in.batch, 0), "env=prod user=root ip=::1");
  EXPECT_EQ(labels_of(in.batch, 1), "user=bob") << "a group that took no part makes no label";
  EXPECT_EQ(labels_of(in.batch, 2), "");
  EXPECT_EQ(labels_of(in.batch, 3), "");
  EXPECT_EQ(one.counts(), std::vector{counts("1-extract", 2, 2, 0)});
}

TEST(enrichment, extract_copies_no_text_of_the_event) {
  enricher one(compile({extract("description", R"((?P<word>\w+))")}));
  const std::string text = "word";
  batch_builder in;
  in.add(text);
  one.apply(in.batch);
  EXPECT_EQ(in.batch.labels_of(in.batch.events[0])[0].text.data(), text.data());
}

TEST(enrichment, extract_reads_labels_and_the_text_of_numbers) {
  enricher one(compile(
      {extract("labels.port", R"(^(?P<first>\d))"), extract("labels.path", R"(^/(?P<path>\w+))")}));
  batch_builder in;
  in.add({}).labels_begin = 0;
  in.with("port", 8443.0).with("path", "/api/v1");
  one.apply(in.batch);
  EXPECT_EQ(labels_of(in.batch, 0), "port=8443 path=api first=8");
}

TEST(enrichment, a_piece_that_cuts_a_character_is_left_out) {
  enricher one(compile({extract("description", R"(^(?P<byte>\C)(?P<rest>.*))")}));
  batch_builder in;
  in.add("\xc3\xa9t\xc3\xa9");
  in.add("ete");
  one.apply(in.batch);
  EXPECT_EQ(labels_of(in.batch, 0), "");
  EXPECT_EQ(labels_of(in.batch, 1), "byte=e rest=te");
  EXPECT_EQ(one.counts(), std::vector{counts("1-extract", 1, 0, 0, 1, 2)});
}

TEST(enrichment, lookup_joins_the_row_of_the_key) {
  const auto steps = compile({lookup("description", {{"owner", "team"}, {"rack", "rack"}})});
  const lookup_request& wanted = steps->lookups()[0];
  EXPECT_EQ(wanted.step, "1-lookup");
  wanted.slot->put(table_of(2, {{"web-1", {text_cell("web"), {label::kind::number, {}, 7}}},
                                {"db-1", {{}, {label::kind::boolean, {}, 1}}}}));
  enricher one(steps);
  batch_builder in;
  in.add("web-1");
  in.with("team", "old");
  in.add("db-1");
  in.with("team", "kept");
  in.add("mail-1");
  in.add({});
  one.apply(in.batch);
  EXPECT_EQ(labels_of(in.batch, 0), "team=web rack=7") << "in the place of the label of before";
  EXPECT_EQ(labels_of(in.batch, 1), "team=kept rack=true") << "no value sets nothing";
  EXPECT_EQ(labels_of(in.batch, 2), "");
  EXPECT_EQ(one.counts(), std::vector{counts("1-lookup", 2, 2, 0)});
}

TEST(enrichment, a_number_label_finds_its_text_as_the_key) {
  const auto steps = compile({lookup("labels.vlan", {{"name", "net"}})});
  steps->lookups()[0].slot->put(table_of(1, {{"42", {text_cell("dmz")}}}));
  enricher one(steps);
  batch_builder in;
  in.add({});
  in.with("vlan", 42.0);
  one.apply(in.batch);
  EXPECT_EQ(labels_of(in.batch, 0), "vlan=42 net=dmz");
}

TEST(enrichment, without_a_table_no_key_is_found) {
  enricher one(compile({lookup("description", {{"owner", "owner"}})}));
  batch_builder in;
  in.add("web-1");
  one.apply(in.batch);
  EXPECT_EQ(labels_of(in.batch, 0), "");
  EXPECT_EQ(one.counts(), std::vector{counts("1-lookup", 0, 1, 0)});
}

TEST(enrichment, a_newer_table_serves_the_next_batch_and_the_older_lives_with_its_batches) {
  const auto steps = compile({lookup("description", {{"owner", "owner"}})});
  const auto put = [&](std::string_view owner) {
    auto table = table_of(1, {{"web-1", {text_cell(owner)}}});
    steps->lookups()[0].slot->put(table);
    return std::weak_ptr<const lookup_table>(table);
  };
  enricher one(steps);
  const auto older = put("ann");
  batch_builder first;
  first.add("web-1");
  one.apply(first.batch);
  put("bob");
  batch_builder second;
  second.add("web-1");
  one.apply(second.batch);
  EXPECT_EQ(labels_of(first.batch, 0), "owner=ann");
  EXPECT_EQ(labels_of(second.batch, 0), "owner=bob");
  EXPECT_FALSE(older.expired());
  first.batch = {};
  EXPECT_TRUE(older.expired()) << "nothing keeps a table that nobody reads";
}

TEST(enrichment, rename_keeps_type_and_place_and_replaces_what_has_the_name) {
  enricher one(compile({rename({{"a", "b"}, {"x", "y"}})}));
  batch_builder in;
  in.add({});
  in.with("a", 1.0).with("b", "old").with("c", "c");
  in.add({});
  in.with("c", "c");
  in.add({});
  in.with("b", "old").with("x", "2").with("a", "1");
  one.apply(in.batch);
  EXPECT_EQ(labels_of(in.batch, 0), "b=1 c=c");
  EXPECT_EQ(labels_of(in.batch, 1), "c=c");
  EXPECT_EQ(labels_of(in.batch, 2), "y=2 b=1");
  EXPECT_EQ(in.batch.labels_of(in.batch.events[0])[0].type, label::kind::number);
  EXPECT_EQ(one.counts(), std::vector{counts("1-rename", 2, 1, 0)});
}

TEST(enrichment, set_fills_templates_of_fields_and_labels) {
  enricher one(compile({set({{"where", "${labels.rack}/${description}"}, {"kind", "host"}})}));
  batch_builder in;
  in.add("web-1");
  in.with("rack", 12.0);
  in.add({});
  one.apply(in.batch);
  EXPECT_EQ(labels_of(in.batch, 0), "rack=12 where=12/web-1 kind=host");
  EXPECT_EQ(labels_of(in.batch, 1), "where=/ kind=host") << "what is missing renders as nothing";
}

TEST(enrichment, drop_removes_labels) {
  enricher one(compile({drop({"tmp", "debug"})}));
  batch_builder in;
  in.add({});
  in.with("tmp", "1").with("env", "prod").with("debug", "2");
  in.add({});
  in.with("env", "prod");
  one.apply(in.batch);
  EXPECT_EQ(labels_of(in.batch, 0), "env=prod");
  EXPECT_EQ(labels_of(in.batch, 1), "env=prod");
  EXPECT_EQ(one.counts(), std::vector{counts("1-drop", 1, 1, 0)});
}

TEST(enrichment, each_step_sees_what_the_steps_before_it_did) {
  const auto steps =
      compile({extract("description", R"(on (?P<machine>\S+))"), rename({{"machine", "host"}}),
               lookup("labels.host", {{"owner", "owner"}}),
               set({{"route", "${labels.owner}@${labels.host}"}}, "labels.owner == 'ann'"),
               drop({"host"})});
  steps->lookups()[0].slot->put(
      table_of(1, {{"web-1", {text_cell("ann")}}, {"db-1", {text_cell("bob")}}}));
  enricher one(steps);
  batch_builder in;
  in.add("disk full on web-1");
  in.add("disk full on db-1");
  one.apply(in.batch);
  EXPECT_EQ(labels_of(in.batch, 0), "owner=ann route=ann@web-1");
  EXPECT_EQ(labels_of(in.batch, 1), "owner=bob");
  EXPECT_EQ(one.counts(), (std::vector{counts("1-extract", 2, 0, 0), counts("2-rename", 2, 0, 0),
                                       counts("3-lookup", 2, 0, 0), counts("4-set", 1, 0, 1),
                                       counts("5-drop", 2, 0, 0)}));
}

TEST(enrichment, where_leaves_events_out) {
  enricher one(compile({set({{"seen", "yes"}}, "labels.env == 'prod'")}));
  batch_builder in;
  in.add({});
  in.with("env", "prod");
  in.add({});
  in.with("env", "test");
  in.add({});
  one.apply(in.batch);
  EXPECT_EQ(labels_of(in.batch, 0), "env=prod seen=yes");
  EXPECT_EQ(labels_of(in.batch, 1), "env=test");
  EXPECT_EQ(one.counts(), std::vector{counts("1-set", 1, 0, 2)});
}

TEST(enrichment, what_does_not_fit_the_limits_is_left_out_and_counted) {
  event_limits limits;
  limits.labels = 2;
  limits.value_bytes = 5;
  enricher one(
      compile({set({{"a", "${description}"}, {"b", "12345"}, {"c", "1"}, {"d", "2"}})}, limits));
  batch_builder in;
  in.add("123456");
  in.add("1");
  in.with("c", "old").with("d", "old");
  one.apply(in.batch);
  EXPECT_EQ(labels_of(in.batch, 0), "b=12345 c=1");
  EXPECT_EQ(labels_of(in.batch, 1), "c=1 d=2") << "labels that are there can change";
  EXPECT_EQ(one.counts(), std::vector{counts("1-set", 0, 0, 0, 2, 4)});
}

TEST(enrichment, long_pieces_and_cells_are_left_out) {
  event_limits limits;
  limits.value_bytes = 3;
  const auto steps = compile(
      {extract("description", "(?P<all>.+)"), lookup("description", {{"owner", "owner"}})}, limits);
  steps->lookups()[0].slot->put(table_of(1, {{"long", {text_cell("anna")}}}));
  enricher one(steps);
  batch_builder in;
  in.add("long");
  one.apply(in.batch);
  EXPECT_EQ(labels_of(in.batch, 0), "");
  EXPECT_EQ(one.counts(),
            (std::vector{counts("1-extract", 0, 0, 0, 1, 1), counts("2-lookup", 0, 0, 0, 1, 1)}));
}

TEST(enrichment, events_do_not_touch_each_others_labels) {
  enricher one(compile({extract("description", "(?P<n>.+)"), drop({"odd"})}));
  std::vector<std::string> texts;
  for (int i = 0; i < 500; ++i) texts.push_back(std::to_string(i));
  batch_builder in;
  for (int i = 0; i < 500; ++i) {
    in.add(i % 3 == 0 ? std::string_view{} : std::string_view{texts[static_cast<std::size_t>(i)]});
    in.with("keep", static_cast<double>(i));
    if (i % 2 == 1) in.with("odd", "x");
  }
  one.apply(in.batch);
  for (std::size_t i = 0; i < 500; ++i) {
    const auto number = std::to_string(i);
    EXPECT_EQ(labels_of(in.batch, i), "keep=" + number + (i % 3 == 0 ? "" : " n=" + number));
  }
}

TEST(enrichment, the_batch_keeps_alive_what_its_labels_point_into) {
  batch_builder in;
  in.add("a text that is longer than any small string");
  {
    auto steps = compile({set({{"copy", "${description}"}, {"long name of a label", "x"}}),
                          lookup("description", {{"owner", "owner of the machine"}})});
    steps->lookups()[0].slot->put(table_of(
        1, {{"a text that is longer than any small string", {text_cell("somebody known")}}}));
    enricher one(std::move(steps));
    one.apply(in.batch);
  }
  EXPECT_EQ(labels_of(in.batch, 0),
            "copy=a text that is longer than any small string long name of a label=x "
            "owner of the machine=somebody known");
}

TEST(enrichment, a_batch_that_no_step_changes_stays_as_it_is) {
  enricher one(compile({drop({"tmp"})}));
  batch_builder in;
  in.add({});
  in.with("env", "prod");
  one.apply(in.batch);
  EXPECT_EQ(in.batch.labels.size(), 1U);
  EXPECT_TRUE(in.batch.owners.empty());
}

TEST(enrichment, one_step_can_be_applied_alone) {
  enricher one(compile({set({{"a", "1"}}), set({{"b", "2"}})}));
  batch_builder in;
  in.add({});
  one.apply_step(in.batch, 1);
  EXPECT_EQ(labels_of(in.batch, 0), "b=2");
  EXPECT_EQ(one.counts(), (std::vector{counts("1-set", 0, 0, 0), counts("2-set", 1, 0, 0)}));
}

TEST(enrichment, all_errors_are_reported_at_once) {
  const std::string all = errors_of({
      extract("descripton", "(?P<user"),
      extract("value", "user"),
      lookup("labels.", {{"owner", "item"}, {"a", "x"}, {"b", "x"}}, "itm == 'x'"),
      rename({{"a", "a"}}),
      set({{"a", "${labels.}"}}, "value"),
      drop({""}),
  });
  for (const char* wanted :
       {"unknown field 'descripton' (did you mean 'description'?)", "is not a regular expression",
        "'value' holds no text", "has no named group", "unknown field 'labels.'",
        "'item' is a field of events", "two columns become the label 'x'", "(did you mean 'item'?)",
        "is renamed to what it is called already", "set: a: ", "where: must be a condition",
        "'' is not a label's name"}) {
    EXPECT_NE(all.find(wanted), std::string::npos) << wanted << "\n" << all;
  }
}

TEST(enrichment, errors_inside_texts_name_their_column) {
  EXPECT_EQ(errors_of({{"t.yaml", 3, {"itm == 1", 4, 10}, drop_spec{{at("a")}}}}),
            "t.yaml:4:10: error: drop: where: unknown name 'itm' (did you mean 'item'?)\n");
}

TEST(enrichment, steps_and_labels_are_bounded) {
  std::vector<enrichment_step> many(enrichment::steps_max + 1, drop({"a"}));
  EXPECT_NE(errors_of(many).find("65 steps are too many (at most 64)"), std::string::npos);
  EXPECT_NE(errors_of({drop(std::vector<std::string>(65, "a"))}).find("65 labels are too many"),
            std::string::npos);
  EXPECT_NE(errors_of({drop({})}).find("names no label"), std::string::npos);
  event_limits limits;
  limits.label_name_bytes = 3;
  EXPECT_NE(errors_of({set({{"four", "x"}})}, limits).find("'four' is not a label's name"),
            std::string::npos);
}

}  // namespace
}  // namespace tocsin
