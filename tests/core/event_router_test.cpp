// SPDX-License-Identifier: Apache-2.0
// Where events go: the units whose filter they meet, once a group, on the shard that owns the key.
#include "tocsin/event_router.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/condition_index.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;

rule_spec make_rule(const std::string& name, const std::string& where,
                    const std::vector<std::string>& group_by, duration size = 5min) {
  rule_spec spec;
  spec.name.text = name;
  spec.where.text = where;
  for (const std::string& field : group_by) spec.group_by.push_back({field, 0, 0});
  spec.window.size = size;
  return spec;
}

std::shared_ptr<const rule_set> compile(std::vector<rule_spec> specs) {
  diagnostics found;
  auto rules = rule_set::compile(std::move(specs), found);
  for (const diagnostic& one : found) ADD_FAILURE() << one.text();
  return rules;
}

/// A batch under construction; texts are literals or outlive it.
struct batch_builder {
  event_batch batch;

  event& add(std::string_view item) {
    event& one = batch.events.emplace_back();
    if (item.data() != nullptr) one.set_text(event_field::item, item);
    one.labels_begin = static_cast<std::uint32_t>(batch.labels.size());
    return one;
  }
  void add_label(const label& one) {
    batch.labels.push_back(one);
    ++batch.events.back().labels_count;
  }
};

void set(event& one, event_field field, std::string_view text) {
  one.set_text(field, text);
}

std::vector<std::uint32_t> units_of(const slice& of, const routed_event& routed) {
  return {of.units.begin() + routed.units_begin,
          of.units.begin() + routed.units_begin + routed.units_count};
}

TEST(event_router, an_event_goes_to_the_units_whose_filter_it_meets_in_ascending_order) {
  const auto rules = compile({make_rule("a", "item == 'cpu'", {"item"}, 10min),
                              make_rule("b", "true", {"item"}, 20min),
                              make_rule("c", "item == 'disk'", {"item"}, 30min),
                              make_rule("d", "value > 5", {"item"}, 40min)});
  batch_builder in;
  in.add("cpu").value = 9;
  in.add("disk");
  event_router router(rules, 1);
  const auto slices = router.route(in.batch);
  ASSERT_EQ(slices.size(), 1U);
  ASSERT_EQ(slices[0].events.size(), 2U);
  EXPECT_EQ(units_of(slices[0], slices[0].events[0]), (std::vector<std::uint32_t>{0, 1, 3}));
  EXPECT_EQ(units_of(slices[0], slices[0].events[1]), (std::vector<std::uint32_t>{1, 2}));
  EXPECT_EQ(slices[0].events[1].event, 1U);
}

TEST(event_router, an_event_that_no_unit_wants_goes_nowhere_and_is_counted) {
  const auto rules =
      compile({make_rule("a", "item == 'cpu'", {"item"}), make_rule("never", "false", {"item"})});
  batch_builder in;
  in.add("disk");
  in.add({});
  in.add("cpu");
  event_router router(rules, 1);
  EXPECT_EQ(router.route(in.batch)[0].events.size(), 1U);
  EXPECT_EQ(router.unmatched(), 2U);
}

TEST(event_router, the_key_is_the_fingerprint_of_the_groups_fields) {
  const auto rules = compile({make_rule("a", "true", {"item", "labels.port"})});
  batch_builder in;
  in.add("cpu");
  in.add_label({"port", {}, 8080, label::kind::number});
  event_router router(rules, 1);
  const auto slices = router.route(in.batch);
  const std::vector<key_part> key{{"item", "cpu"}, {"labels.port", "8080"}};
  EXPECT_EQ(slices[0].events[0].key, fingerprint_of("", key));
}

TEST(event_router, a_label_counts_in_its_text_form_and_a_null_one_as_null) {
  const auto rules = compile({make_rule("a", "true", {"labels.x"})});
  const std::pair<label, std::string_view> forms[] = {
      {{"x", "web", 0, label::kind::text}, "web"},  {{"x", "", 0, label::kind::text}, ""},
      {{"x", {}, 2.5, label::kind::number}, "2.5"}, {{"x", {}, 3, label::kind::number}, "3"},
      {{"x", {}, 1, label::kind::boolean}, "true"}, {{"x", {}, 0, label::kind::boolean}, "false"},
      {{"x", {}, 0, label::kind::null}, {}},
  };
  for (const auto& [given, text] : forms) {
    batch_builder in;
    in.add("cpu");
    in.add_label(given);
    event_router router(rules, 1);
    const std::vector<key_part> key{{"labels.x", text}};
    EXPECT_EQ(router.route(in.batch)[0].events[0].key, fingerprint_of("", key)) << text;
  }
}

TEST(event_router, units_with_other_group_fields_get_their_own_key) {
  const auto rules =
      compile({make_rule("a", "true", {"item"}), make_rule("b", "true", {"resource_id"}),
               make_rule("c", "true", {"item"}, 7min)});
  batch_builder in;
  set(in.add("cpu"), event_field::resource_id, "h1");
  event_router router(rules, 1);
  const auto slices = router.route(in.batch);
  ASSERT_EQ(slices[0].events.size(), 2U);
  EXPECT_EQ(slices[0].events[0].group, 0U);
  EXPECT_EQ(units_of(slices[0], slices[0].events[0]), (std::vector<std::uint32_t>{0, 2}));
  EXPECT_EQ(slices[0].events[1].group, 1U);
  EXPECT_EQ(units_of(slices[0], slices[0].events[1]), (std::vector<std::uint32_t>{1}));
}

TEST(event_router, recoveries_go_to_every_group_whatever_the_filters) {
  const auto rules = compile(
      {make_rule("a", "item == 'other'", {"item"}), make_rule("b", "value > 3", {"resource_id"})});
  for (const event_action action : {event_action::resolved, event_action::closed}) {
    batch_builder in;
    in.add("cpu").action = action;
    event_router router(rules, 1);
    const auto slices = router.route(in.batch);
    ASSERT_EQ(slices[0].events.size(), 2U);
    for (const routed_event& one : slices[0].events) EXPECT_EQ(one.units_count, 0U);
    EXPECT_EQ(router.unmatched(), 0U);
  }
}

TEST(event_router, a_key_has_one_shard_and_keys_spread_over_all) {
  const auto rules = compile({make_rule("a", "true", {"item"})});
  std::vector<std::string> items;
  for (int i = 0; i < 400; ++i) items.push_back(fmt::format("item-{}", i % 200));
  batch_builder in;
  for (const std::string& item : items) in.add(item);
  event_router router(rules, 7);
  const auto slices = router.route(in.batch);
  ASSERT_EQ(slices.size(), 7U);
  std::map<fingerprint, std::size_t> shard_of;
  std::size_t events = 0;
  for (std::size_t shard = 0; shard < slices.size(); ++shard) {
    EXPECT_FALSE(slices[shard].events.empty()) << shard;
    events += slices[shard].events.size();
    for (const routed_event& one : slices[shard].events) {
      EXPECT_EQ(shard_of.emplace(one.key, shard).first->second, shard);
    }
  }
  EXPECT_EQ(events, 400U);
  EXPECT_EQ(shard_of.size(), 200U);
}

/// The units that want an event, found the slow way.
std::set<std::uint32_t> wanted(const rule_set& rules, const event_batch& batch, const event& of) {
  std::set<std::uint32_t> units;
  for (const unit& one : rules.units()) {
    if (one.where.holds(event_scope(batch, of))) units.insert(one.index);
  }
  return units;
}

TEST(event_router, the_index_finds_what_asking_every_filter_finds) {
  std::mt19937 random(20240607);
  const auto word = [&](const char* prefix, unsigned choices) {
    return fmt::format("{}{}", prefix, random() % choices);
  };
  std::vector<rule_spec> specs;
  for (int i = 0; i < 300; ++i) {
    const std::string shapes[] = {
        "item == '" + word("i", 8) + "'",
        "item == '" + word("i", 8) + "' && resource_id == '" + word("r", 20) + "'",
        "labels.env == '" + word("e", 4) + "' && value > " + std::to_string(random() % 10),
        "item in ['" + word("i", 8) + "', '" + word("i", 8) + "', 'i1', 'i1']",
        "item == '" + word("i", 8) + "' || value > 5",
        "!(item == '" + word("i", 8) + "')",
        "value >= " + std::to_string(random() % 10),
    };
    specs.push_back(make_rule(fmt::format("r{}", i), shapes[random() % std::size(shapes)],
                              {random() % 2 == 0 ? "item" : "resource_id"}));
  }
  const auto rules = compile(specs);
  std::vector<std::string> kept;
  kept.reserve(4000);
  batch_builder in;
  for (int i = 0; i < 500; ++i) {
    event& one = in.add(random() % 10 == 0 ? std::string_view{}
                                           : std::string_view(kept.emplace_back(word("i", 9))));
    if (random() % 5 != 0) set(one, event_field::resource_id, kept.emplace_back(word("r", 22)));
    one.value = random() % 4 == 0 ? std::nan("") : static_cast<double>(random() % 10);
    if (random() % 3 != 0) {
      in.add_label({"env", kept.emplace_back(word("e", 5)), 0, label::kind::text});
    }
  }
  event_router router(rules, 1);
  const auto slices = router.route(in.batch);
  std::map<std::uint32_t, std::set<std::uint32_t>> routed;
  for (const routed_event& one : slices[0].events) {
    const auto units = units_of(slices[0], one);
    EXPECT_TRUE(std::is_sorted(units.begin(), units.end()));
    for (const std::uint32_t each : units) {
      EXPECT_EQ(rules->units()[each].group, one.group);
      EXPECT_TRUE(routed[one.event].insert(each).second) << "unit " << each << " twice";
    }
  }
  for (std::uint32_t i = 0; i < in.batch.events.size(); ++i) {
    EXPECT_EQ(routed[i], wanted(*rules, in.batch, in.batch.events[i])) << "event " << i;
  }
}

TEST(event_router, ten_thousand_filters_cost_only_those_that_can_match) {
  std::vector<rule_spec> specs;
  for (int i = 0; i < 10'000; ++i) {
    // The same item everywhere: only the resource tells them apart.
    specs.push_back(make_rule(fmt::format("r{}", i),
                              "item == 'cpu' && resource_id == 'h" + std::to_string(i / 5) +
                                  "' && value > " + std::to_string(i % 5),
                              {"resource_id"}));
  }
  const auto rules = compile(specs);
  const condition_index index(*rules);
  EXPECT_EQ(index.conditions().size(), 10'000U);
  batch_builder in;
  event& one = in.add("cpu");
  set(one, event_field::resource_id, "h77");
  one.value = 3;
  std::size_t asked = 0;
  index.candidates(in.batch, one, [&](std::uint32_t) { ++asked; });
  EXPECT_EQ(asked, 5U);
}

TEST(event_router, a_filter_that_units_share_is_asked_once) {
  const auto rules =
      compile({make_rule("a", "value > 3", {"item"}), make_rule("b", "value>3", {"resource_id"}),
               make_rule("c", "(value > 3)", {"item"}, 7min)});
  const condition_index index(*rules);
  ASSERT_EQ(index.conditions().size(), 1U);
  EXPECT_EQ(index.conditions()[0].units.size(), 3U);
}

TEST(event_router, events_that_are_left_out_go_nowhere_and_the_others_keep_their_places) {
  event_router router(compile({make_rule("r", "true", {"item"})}), 1);
  batch_builder made;
  for (const std::string_view item : {"a", "b", "c", "d", "e"}) made.add(item);
  const std::vector<std::uint32_t> left_out{0, 2, 4};
  const auto slices = router.route(made.batch, left_out);
  std::vector<std::uint32_t> routed;
  for (const routed_event& each : slices.at(0).events) routed.push_back(each.event);
  EXPECT_EQ(routed, (std::vector<std::uint32_t>{1, 3}));
  EXPECT_EQ(router.unmatched(), 0U);
}

}  // namespace
}  // namespace tocsin
