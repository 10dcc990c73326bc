// SPDX-License-Identifier: Apache-2.0
// What is recognised, for how long, and what makes two events the same.
#include "tocsin/dedup_index.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using verdict = dedup_index::verdict;

constexpr instant start = from_unix_ms(1'700'000'000'000);

fingerprint key(std::uint64_t number) {
  return dedup_key_of("source", std::to_string(number));
}

remembered_event numbered(std::uint64_t number, std::uint64_t content = 7,
                          instant time = remembered_event::no_time) {
  return {key(number), content, time};
}

/// What ingest does: an event that is new is remembered.
verdict see(dedup_index& index, const remembered_event& what, instant now) {
  const verdict seen = index.look(what, now);
  if (seen == verdict::fresh) index.remember(what, now);
  return seen;
}

TEST(dedup_index, the_same_again_is_a_duplicate_and_other_content_a_conflict) {
  dedup_index index(1h, 10);
  EXPECT_EQ(see(index, numbered(1, 7), start), verdict::fresh);
  EXPECT_EQ(see(index, numbered(1, 7), start), verdict::duplicate);
  EXPECT_EQ(see(index, numbered(1, 8), start), verdict::conflict);
  EXPECT_EQ(see(index, numbered(1, 7), start), verdict::duplicate) << "a conflict changes nothing";
  EXPECT_EQ(see(index, numbered(2, 7), start), verdict::fresh);
}

TEST(dedup_index, what_is_looked_at_only_is_not_remembered) {
  dedup_index index(1h, 10);
  EXPECT_EQ(index.look(numbered(1), start), verdict::fresh);
  EXPECT_EQ(index.look(numbered(1), start), verdict::fresh);
}

TEST(dedup_index, an_entry_is_remembered_to_its_last_millisecond_and_no_longer) {
  dedup_index index(1h, 10);
  (void)see(index, numbered(1), start);
  EXPECT_EQ(see(index, numbered(1), start + 1h), verdict::duplicate);
  EXPECT_EQ(see(index, numbered(1), start + 1h + 1ms), verdict::fresh);
}

TEST(dedup_index, beyond_the_bound_the_oldest_is_forgotten) {
  dedup_index index(1h, 2);
  for (std::uint64_t i = 1; i <= 3; ++i) (void)see(index, numbered(i), start);
  EXPECT_EQ(index.size(), 2U);
  EXPECT_EQ(index.forgotten_early(), 1U);
  EXPECT_EQ(see(index, numbered(3), start), verdict::duplicate);
  EXPECT_EQ(see(index, numbered(2), start), verdict::duplicate);
  EXPECT_EQ(see(index, numbered(1), start), verdict::fresh);
}

TEST(dedup_index, it_says_up_to_which_time_it_has_forgotten) {
  dedup_index index(1h, 2);
  (void)see(index, numbered(1, 7, start + 5s), start);
  (void)see(index, numbered(2, 7, start + 1s), start + 1s);
  EXPECT_EQ(index.forgotten_until(), remembered_event::no_time);
  (void)see(index, numbered(3), start + 2s);
  EXPECT_EQ(index.forgotten_until(), start + 5s);
  (void)see(index, numbered(4), start + 2s);
  EXPECT_EQ(index.forgotten_until(), start + 5s) << "the newest of those forgotten";
  (void)see(index, numbered(5), start + 3s);
  EXPECT_EQ(index.forgotten_until(), start + 5s) << "one without a time says nothing";
}

TEST(dedup_index, one_that_is_remembered_again_lasts_from_then_on) {
  dedup_index index(1h, 10);
  index.remember(numbered(1, 7), start);
  index.remember(numbered(1, 8), start + 30min);
  EXPECT_EQ(index.look(numbered(1, 8), start + 1h + 1ms), verdict::duplicate);
  EXPECT_EQ(index.look(numbered(1, 8), start + 90min + 1ms), verdict::fresh);
  EXPECT_EQ(index.size(), 0U);
}

/// The same by looking at everything.
class naive_index {
 public:
  naive_index(duration keep, std::size_t most) : keep_(keep), most_(most) {}
  verdict look(const remembered_event& what, instant now) {
    while (!seen_.empty() && now - seen_.front().at > keep_) forget();
    for (auto each = seen_.rbegin(); each != seen_.rend(); ++each) {
      if (each->what.key != what.key) continue;
      return each->what.content == what.content ? verdict::duplicate : verdict::conflict;
    }
    return verdict::fresh;
  }
  void remember(const remembered_event& what, instant now) {
    (void)look(what, now);
    if (seen_.size() == most_) forget();
    seen_.push_back({what, now});
  }
  [[nodiscard]] std::size_t size() const { return seen_.size(); }
  [[nodiscard]] instant forgotten_until() const { return forgotten_; }

 private:
  void forget() {
    forgotten_ = std::max(forgotten_, seen_.front().what.time);
    seen_.erase(seen_.begin());
  }
  struct seen {
    remembered_event what;
    instant at;
  };
  duration keep_;
  std::size_t most_;
  std::vector<seen> seen_;
  instant forgotten_ = remembered_event::no_time;
};

TEST(dedup_index, it_says_what_a_naive_index_says_whatever_is_saved_and_restored_between) {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    std::mt19937 random{seed};
    const std::size_t most = 1 + random() % 200;
    auto index = std::make_unique<dedup_index>(5s, most);
    naive_index naive(5s, most);
    instant now = start;
    for (int i = 0; i < 3'000; ++i) {
      now += duration{random() % 60};
      const remembered_event what =
          numbered(random() % 400, random() % 8 == 0,
                   random() % 4 == 0 ? remembered_event::no_time : now - duration{random() % 9000});
      const verdict seen = naive.look(what, now);
      ASSERT_EQ(index->look(what, now), seen) << "seed " << seed << ", step " << i;
      if (seen == verdict::fresh || random() % 20 == 0) {
        naive.remember(what, now);
        index->remember(what, now);
      }
      ASSERT_EQ(index->size(), naive.size()) << "seed " << seed << ", step " << i;
      ASSERT_EQ(index->forgotten_until(), naive.forgotten_until())
          << "seed " << seed << ", step " << i;
      if (random() % 500 != 0) continue;
      std::string bytes;
      index->save(bytes);
      index = std::make_unique<dedup_index>(5s, most);
      ASSERT_FALSE(index->restore(bytes)) << "seed " << seed << ", step " << i;
    }
  }
}

dedup_index filled() {
  dedup_index index(1h, 10);
  for (std::uint64_t i = 1; i <= 11; ++i) index.remember(numbered(i, i, start), start + i * 1s);
  return index;
}

TEST(dedup_index, what_was_saved_is_known_and_where_there_is_less_room_the_newest_of_it) {
  std::string bytes;
  filled().save(bytes);
  dedup_index index(1h, 3);
  ASSERT_FALSE(index.restore(bytes));
  EXPECT_EQ(index.size(), 3U);
  EXPECT_EQ(index.look(numbered(11, 11), start + 1min), verdict::duplicate);
  EXPECT_EQ(index.look(numbered(9, 1), start + 1min), verdict::conflict);
  EXPECT_EQ(index.look(numbered(8, 8), start + 1min), verdict::fresh);
  EXPECT_EQ(index.forgotten_until(), start);
}

TEST(dedup_index, many_are_remembered_and_forgotten_in_their_order) {
  constexpr std::uint64_t room = 150'000;
  constexpr std::uint64_t come = 400'000;
  const auto arrival_of = [](std::uint64_t number) { return start + duration{number / 1000}; };
  dedup_index whole(1h, room);
  for (std::uint64_t i = 0; i < come; ++i) whole.remember(numbered(i), arrival_of(i));
  std::string bytes;
  whole.save(bytes);
  dedup_index index(1h, room);
  ASSERT_FALSE(index.restore(bytes));
  const instant left_since = arrival_of(come - 50'000);
  const instant now = left_since + 1h;
  EXPECT_EQ(index.look(numbered(come - 50'001), now), verdict::fresh);
  EXPECT_EQ(index.size(), 50'000U);
  for (std::uint64_t i = come - 50'000; i < come; ++i) {
    ASSERT_EQ(index.look(numbered(i), now), verdict::duplicate) << i;
  }
}

TEST(dedup_index, damage_is_refused_and_changes_nothing) {
  std::string bytes;
  filled().save(bytes);
  dedup_index index = filled();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_TRUE(index.restore(bytes.substr(0, i))) << i;
    std::string flipped = bytes;
    flipped[i] ^= 1;
    const auto refused = index.restore(flipped);
    ASSERT_TRUE(refused) << i;
    EXPECT_EQ(refused->code, "snapshot_damaged");
  }
  EXPECT_TRUE(index.restore(bytes + "x"));
  std::string newer = bytes;
  newer[0] = 2;
  EXPECT_EQ(index.restore(newer)->code, "snapshot_newer");
  EXPECT_EQ(index.look(numbered(11, 11), start + 1min), verdict::duplicate);
}

TEST(dedup_key, source_and_id_are_told_apart) {
  EXPECT_NE(dedup_key_of("a", "bc"), dedup_key_of("ab", "c"));
  EXPECT_NE(dedup_key_of("a", "b"), dedup_key_of("b", "a"));
  EXPECT_EQ(dedup_key_of("a", "b"), dedup_key_of("a", "b"));
}

event sample() {
  event made;
  made.set_text(event_field::event_id, "e1");
  made.set_text(event_field::source_id, "s");
  made.set_text(event_field::item, "cpu");
  made.time = made.arrived = start;
  made.has_time = true;
  made.value = 3;
  made.level = severity::error;
  return made;
}

label text_label(std::string_view name, std::string_view text) {
  return {name, text, 0, label::kind::text};
}

// They are in logs and snapshots: an event is recognised by them after an update, too.
TEST(event_content, key_and_content_do_not_change_from_version_to_version) {
  const std::vector<label> labels{text_label("a", "1"), {"n", {}, 2.5, label::kind::number}};
  EXPECT_EQ(to_text(dedup_key_of("source", "id")), "01f24ba73985c2b0d23b3ae89f6c72df");
  EXPECT_EQ(content_of(sample(), labels), 2135766216847789448U);
}

TEST(event_content, what_has_no_source_or_no_id_is_not_recognisable) {
  event one = sample();
  EXPECT_TRUE(recognisable(one, {}));
  EXPECT_EQ(recognisable(one, {})->time, start);
  one.has_time = false;
  EXPECT_EQ(recognisable(one, {})->time, remembered_event::no_time);
  one.set_text(event_field::event_id, {});
  EXPECT_FALSE(recognisable(one, {}));
  one = sample();
  one.set_text(event_field::source_id, {});
  EXPECT_FALSE(recognisable(one, {}));
}

TEST(event_content, arrival_and_the_order_of_labels_are_not_in_it) {
  const std::vector<label> labels{text_label("a", "1"), text_label("b", "2")};
  const std::vector<label> turned{labels[1], labels[0]};
  event later = sample();
  later.arrived += 5s;
  EXPECT_EQ(content_of(sample(), labels), content_of(later, turned));
}

TEST(event_content, a_time_the_sender_left_out_is_not_in_it) {
  event first = sample();
  first.has_time = false;
  event again = first;
  again.time += 5s;
  EXPECT_EQ(content_of(first, {}), content_of(again, {}));
  EXPECT_NE(content_of(first, {}), content_of(sample(), {}));
}

TEST(event_content, every_part_is_in_it) {
  const std::uint64_t same = content_of(sample(), {});
  const auto changed = [](auto change) {
    event other = sample();
    change(other);
    return content_of(other, {});
  };
  EXPECT_NE(same, changed([](event& e) { e.set_text(event_field::title, ""); }));
  EXPECT_NE(same, changed([](event& e) { e.set_text(event_field::item, "disk"); }));
  EXPECT_NE(same, changed([](event& e) { e.time += 1ms; }));
  EXPECT_NE(same, changed([](event& e) { e.value = 4; }));
  EXPECT_NE(same, changed([](event& e) { e.level.reset(); }));
  EXPECT_NE(same, changed([](event& e) { e.level = severity::critical; }));
  EXPECT_NE(same, changed([](event& e) { e.action = event_action::resolved; }));
  EXPECT_NE(same, content_of(sample(), std::vector<label>{text_label("a", "1")}));
}

TEST(event_content, labels_of_other_kinds_differ) {
  std::vector<std::uint64_t> contents;
  for (const label& each :
       {text_label("a", "1"), label{"a", {}, 1, label::kind::number},
        label{"a", {}, 1, label::kind::boolean}, label{"a", {}, 0, label::kind::null}}) {
    contents.push_back(content_of(sample(), std::vector<label>{each}));
  }
  std::sort(contents.begin(), contents.end());
  EXPECT_EQ(std::unique(contents.begin(), contents.end()), contents.end());
}

}  // namespace
}  // namespace tocsin
