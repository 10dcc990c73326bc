// SPDX-License-Identifier: Apache-2.0
// Filters that say the same in part ask it once an event, and mean what each of them says alone.
#include "core/condition_index.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tocsin/event_router.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;

std::shared_ptr<const rule_set> rules_where(const std::vector<std::string>& filters) {
  std::vector<rule_spec> specs;
  for (std::size_t i = 0; i < filters.size(); ++i) {
    rule_spec& one = specs.emplace_back();
    one.name.text = fmt::format("r{}", i);
    one.where.text = filters[i];
    one.group_by.push_back({i % 2 == 0 ? "item" : "resource_id", 0, 0});
    one.window.size = 5min;
  }
  diagnostics found;
  auto rules = rule_set::compile(std::move(specs), found);
  for (const diagnostic& one : found) ADD_FAILURE() << one.text();
  return rules;
}

/// Passes on what an event has and counts how often each name is asked for.
class counting_scope final : public scope {
 public:
  counting_scope(const event_batch& batch, const event& of) : inner_(batch, of) {}
  [[nodiscard]] value get(std::uint32_t id) const override {
    ++asked[id];
    return inner_.get(id);
  }
  [[nodiscard]] value label(std::string_view name) const override { return inner_.label(name); }

  [[nodiscard]] std::size_t times(event_field field) const {
    return asked[static_cast<std::uint32_t>(field)];
  }
  mutable std::map<std::uint32_t, std::size_t> asked;

 private:
  event_scope inner_;
};

/// The conditions that an event meets, found by the index.
std::set<std::uint32_t> met(const condition_index& index, const event_batch& batch, const event& of,
                            const scope& names, predicate_answers& answers) {
  std::set<std::uint32_t> out;
  answers.next_event();
  index.candidates(batch, of, [&](std::uint32_t one) {
    const condition& asked = index.conditions()[one];
    if (asked.always || index.holds(asked, names, answers)) out.insert(one);
  });
  return out;
}

TEST(condition_index, a_part_that_filters_share_is_evaluated_once_an_event) {
  std::vector<std::string> filters;
  for (int i = 0; i < 50; ++i)
    filters.push_back(fmt::format("title.matches('time(out|d)') && value > {}", i));
  const condition_index index(*rules_where(filters));
  EXPECT_EQ(index.predicates().size(), 51U);
  predicate_answers answers;
  event_batch batch;
  event& one = batch.events.emplace_back();
  one.value = 1000;
  for (const char* const title : {"it timed out", "all is well"}) {
    one.set_text(event_field::title, title);
    const counting_scope names(batch, one);
    const bool expected = std::string_view{title} == "it timed out";
    EXPECT_EQ(met(index, batch, one, names, answers).size(), expected ? 50U : 0U);
    EXPECT_EQ(names.times(event_field::title), 1U);
    EXPECT_EQ(names.times(event_field::value), expected ? 50U : 0U) << "parts in order, cut short";
  }
}

TEST(condition_index, what_found_a_filter_is_not_asked_again) {
  const condition_index index(
      *rules_where({"item == 'cpu' && value > 1", "item in ['disk', 'cpu'] && value > 2"}));
  predicate_answers answers;
  event_batch batch;
  event& one = batch.events.emplace_back();
  one.set_text(event_field::item, "cpu");
  one.value = 2;
  const counting_scope names(batch, one);
  EXPECT_EQ(met(index, batch, one, names, answers), (std::set<std::uint32_t>{0}));
  EXPECT_EQ(names.times(event_field::item), 0U);
  EXPECT_EQ(names.times(event_field::value), 2U);
}

TEST(condition_index, a_filter_found_by_the_second_label_of_a_name_is_judged_by_the_first) {
  const condition_index index(*rules_where({"labels.env == 'prod'"}));
  predicate_answers answers;
  event_batch batch;
  batch.labels = {{"env", "test", 0, label::kind::text}, {"env", "prod", 0, label::kind::text}};
  batch.events.emplace_back().labels_count = 2;
  const event_scope names(batch, batch.events[0]);
  EXPECT_TRUE(met(index, batch, batch.events[0], names, answers).empty());
}

TEST(condition_index, a_part_said_twice_in_one_filter_is_asked_once) {
  const condition_index index(*rules_where({"value > 1 && title == 'x' && value>1"}));
  ASSERT_EQ(index.conditions().size(), 1U);
  EXPECT_EQ(index.conditions()[0].asked.size(), 1U);
  EXPECT_FALSE(index.predicates()[0].shared);
}

/// Draws filters from few parts, so that they share many, and events that meet some of them.
class random_traffic {
 public:
  explicit random_traffic(std::uint64_t seed) : random_(seed) {}

  std::string filter() {
    std::string text = part();
    for (auto more = random_() % 4; more != 0; --more) text += " && " + part();
    // A label alone is no condition that a rule takes.
    if (text == "labels.prod") text += " && has(labels.prod)";
    if (random_() % 8 == 0) text = "(" + text + ") || " + part();
    if (random_() % 16 == 0) text = "!(" + text + ") && " + part();
    return text;
  }

  void add_event(event_batch& to) {
    event& one = to.events.emplace_back();
    const auto set = [&](event_field field, std::string_view text) {
      if (random_() % 8 != 0) one.set_text(field, text);
    };
    set(event_field::item, items_[random_() % items_.size()]);
    set(event_field::resource_id, resources_[random_() % resources_.size()]);
    set(event_field::title, titles_[random_() % titles_.size()]);
    one.value = random_() % 5 == 0 ? std::nan("") : static_cast<double>(random_() % 6);
    if (random_() % 2 == 0) one.level = static_cast<severity>(random_() % 4);
    one.labels_begin = static_cast<std::uint32_t>(to.labels.size());
    for (auto labels = random_() % 3; labels != 0; --labels) {
      const auto kind = random_() % 4 == 0 ? label::kind::number : label::kind::text;
      to.labels.push_back({envs_[random_() % 2], envs_[random_() % envs_.size()], 2, kind});
      ++one.labels_count;
    }
  }

 private:
  std::string part() {
    const auto number = random_() % 4;
    switch (random_() % 11) {
      case 0:
        return fmt::format("item == '{}'", items_[random_() % items_.size()]);
      case 1:
        return fmt::format("'{}' == resource_id", resources_[random_() % resources_.size()]);
      case 2:
        return fmt::format("item in ['{}', '{}']", items_[number], items_[random_() % 4]);
      case 3:
        return fmt::format("labels.env == '{}'", envs_[random_() % envs_.size()]);
      case 4:
        return fmt::format("title.matches('^{}[a-z]+')", number);
      case 5:
        return fmt::format("value > {}", number);
      case 6:
        return "level >= 'warning'";
      case 7:
        return fmt::format("(value < {} || has(labels.prod))", number);
      case 8:
        return "labels.prod";
      case 9:
        return number == 0 ? "1 < 2" : "has(value)";
      default:
        return fmt::format("size(title) > {}", number);
    }
  }

  std::mt19937_64 random_;
  static constexpr std::array<std::string_view, 4> items_{"cpu", "disk", "net", ""};
  static constexpr std::array<std::string_view, 3> resources_{"h1", "h2", "h3"};
  static constexpr std::array<std::string_view, 4> titles_{"0abc", "1x", "2", "héhé"};
  static constexpr std::array<std::string_view, 4> envs_{"env", "prod", "test", "cpu"};
};

TEST(condition_index, many_random_filters_mean_what_each_means_alone) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    random_traffic traffic(seed);
    std::vector<std::string> filters;
    for (int i = 0; i < 150; ++i) filters.push_back(traffic.filter());
    const auto rules = rules_where(filters);
    ASSERT_NE(rules, nullptr);
    event_batch batch;
    for (int i = 0; i < 200; ++i) traffic.add_event(batch);
    event_router router(rules, 1);
    std::vector<std::set<std::uint32_t>> routed(batch.events.size());
    const auto slices = router.route(batch);
    for (const routed_event& one : slices[0].events) {
      for (std::uint32_t i = 0; i < one.units_count; ++i)
        EXPECT_TRUE(routed[one.event].insert(slices[0].units[one.units_begin + i]).second);
    }
    for (std::uint32_t i = 0; i < batch.events.size(); ++i) {
      const event_scope names(batch, batch.events[i]);
      for (const unit& one : rules->units())
        EXPECT_EQ(routed[i].count(one.index) == 1, one.where.holds(names))
            << "event " << i << ", " << one.where_canonical;
    }
    if (HasFailure()) return;
  }
}

TEST(expression_conjuncts, they_are_the_parts_of_the_outer_conjunction_as_written) {
  const auto made = expression::compile(
      "item=='a' && (value > 1 && value < 9) && (title == 'x' || value > 3) && 2 > 1",
      schema::of_event());
  ASSERT_TRUE(made);
  std::vector<std::string> texts;
  for (const conjunct& one : made->conjuncts()) texts.push_back(one.canonical);
  ASSERT_EQ(texts.size(), 5U);
  EXPECT_EQ(texts[0], "item == \"a\"");
  EXPECT_EQ(texts[1], "value > 1");
  EXPECT_EQ(texts[2], "value < 9");
  EXPECT_EQ(made->conjuncts()[0].required, 0U);
  EXPECT_EQ(made->conjuncts()[1].required, std::nullopt);
}

TEST(expression_conjuncts, a_part_alone_has_the_normal_form_it_has_among_others) {
  const auto alone = expression::compile("(value>1)", schema::of_event());
  const auto among = expression::compile("title == 'x' && value > 1", schema::of_event());
  ASSERT_TRUE(alone && among);
  ASSERT_EQ(alone->conjuncts().size(), 1U);
  EXPECT_EQ(alone->conjuncts()[0].canonical, among->conjuncts()[1].canonical);
}

TEST(expression_conjuncts, a_constant_has_one) {
  const auto made = expression::compile("1 < 2 && 'a' == 'a'", schema::of_event());
  ASSERT_TRUE(made);
  ASSERT_EQ(made->conjuncts().size(), 1U);
  event_batch batch;
  const event& of = batch.events.emplace_back();
  EXPECT_TRUE(made->holds(made->conjuncts()[0], event_scope(batch, of)));
}

}  // namespace
}  // namespace tocsin
