// SPDX-License-Identifier: Apache-2.0
// What is recognised, for how long, and what makes two events the same.
#include "core/dedup_index.hpp"

#include <gtest/gtest.h>

#include <algorithm>
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

TEST(dedup_index, the_same_again_is_a_duplicate_and_other_content_a_conflict) {
  dedup_index index(1h, 10);
  EXPECT_EQ(index.see(key(1), 7, start), verdict::fresh);
  EXPECT_EQ(index.see(key(1), 7, start), verdict::duplicate);
  EXPECT_EQ(index.see(key(1), 8, start), verdict::conflict);
  EXPECT_EQ(index.see(key(1), 7, start), verdict::duplicate) << "a conflict changes nothing";
  EXPECT_EQ(index.see(key(2), 7, start), verdict::fresh);
}

TEST(dedup_index, an_entry_is_remembered_to_its_last_millisecond_and_no_longer) {
  dedup_index index(1h, 10);
  (void)index.see(key(1), 7, start);
  EXPECT_EQ(index.see(key(1), 7, start + 1h), verdict::duplicate);
  EXPECT_EQ(index.see(key(1), 7, start + 1h + 1ms), verdict::fresh);
}

TEST(dedup_index, beyond_the_bound_the_oldest_is_forgotten) {
  dedup_index index(1h, 2);
  for (std::uint64_t i = 1; i <= 3; ++i) (void)index.see(key(i), 7, start);
  EXPECT_EQ(index.size(), 2U);
  EXPECT_EQ(index.see(key(3), 7, start), verdict::duplicate);
  EXPECT_EQ(index.see(key(2), 7, start), verdict::duplicate);
  EXPECT_EQ(index.see(key(1), 7, start), verdict::fresh);
}

/// The same by looking at everything.
class naive_index {
 public:
  naive_index(duration keep, std::size_t most) : keep_(keep), most_(most) {}
  verdict see(std::uint64_t number, std::uint64_t content, instant now) {
    std::erase_if(seen_, [&](const seen& each) { return now - each.at > keep_; });
    for (const seen& each : seen_) {
      if (each.number != number) continue;
      return each.content == content ? verdict::duplicate : verdict::conflict;
    }
    if (seen_.size() == most_) seen_.erase(seen_.begin());
    seen_.push_back({number, content, now});
    return verdict::fresh;
  }
  [[nodiscard]] std::size_t size() const { return seen_.size(); }

 private:
  struct seen {
    std::uint64_t number;
    std::uint64_t content;
    instant at;
  };
  duration keep_;
  std::size_t most_;
  std::vector<seen> seen_;
};

TEST(dedup_index, it_says_what_a_naive_index_says) {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    std::mt19937 random{seed};
    const std::size_t most = 1 + random() % 200;
    dedup_index index(5s, most);
    naive_index naive(5s, most);
    instant now = start;
    for (int i = 0; i < 3'000; ++i) {
      now += duration{random() % 60};
      const std::uint64_t number = random() % 400;
      const std::uint64_t content = random() % 8 == 0;
      ASSERT_EQ(index.see(key(number), content, now), naive.see(number, content, now))
          << "seed " << seed << ", step " << i;
      ASSERT_EQ(index.size(), naive.size()) << "seed " << seed << ", step " << i;
    }
  }
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
