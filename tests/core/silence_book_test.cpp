// SPDX-License-Identifier: Apache-2.0
// Silences: making, editing, ending them, and whom they silence when.
#include "tocsin/silence.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

namespace tocsin {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const instant noon = *parse_rfc3339("2026-03-02T12:00:00Z");

alert with_labels(text_map labels) {
  alert made;
  made.origin = alert_origin::posted;
  auto texts = std::make_shared<alert_texts>();
  texts->labels = std::move(labels);
  made.texts = std::move(texts);
  return made;
}

silence request(std::string_view matchers, instant from, instant to) {
  silence wanted;
  wanted.matchers = *parse_label_matchers(matchers);
  wanted.starts_at = from;
  wanted.ends_at = to;
  wanted.created_by = "ann";
  wanted.comment = "disks are replaced";
  return wanted;
}

class silences : public ::testing::Test {
 protected:
  silence_ptr put(instant at, silence wanted) {
    auto made = book.put(at, std::move(wanted));
    EXPECT_TRUE(made) << made.failure().message;
    return made ? *made : nullptr;
  }

  std::string refused(instant at, silence wanted) {
    const auto made = book.put(at, std::move(wanted));
    if (made) return "";
    return fmt::format("{}: {}", made.failure().code, made.failure().message);
  }

  std::vector<std::string> began(instant at) { return ids(book.advance(at).began); }
  std::vector<std::string> ended(instant at) { return ids(book.advance(at).ended); }
  static std::vector<std::string> ids(const std::vector<silence_ptr>& of) {
    std::vector<std::string> out;
    for (const auto& each : of) out.push_back(each->id);
    return out;
  }

  silence_book book;
};

using names = std::vector<std::string>;

TEST(silence_state, the_end_is_exclusive_and_the_start_is_not) {
  const silence one = request("a=b", noon, noon + hours{1});
  EXPECT_EQ(state_of(one, noon - duration{1}), silence_state::pending);
  EXPECT_EQ(state_of(one, noon), silence_state::active);
  EXPECT_EQ(state_of(one, noon + hours{1} - duration{1}), silence_state::active);
  EXPECT_EQ(state_of(one, noon + hours{1}), silence_state::expired);
  EXPECT_EQ(to_text(silence_state::pending), "pending");
  EXPECT_EQ(to_text(silence_state::active), "active");
  EXPECT_EQ(to_text(silence_state::expired), "expired");
}

TEST(silence_state, one_that_never_begins_is_expired) {
  EXPECT_EQ(state_of(request("a=b", noon, noon), noon), silence_state::expired);
}

TEST_F(silences, a_new_one_begins_now_at_the_earliest) {
  const auto late = put(noon, request("a=b", noon - hours{1}, noon + hours{1}));
  EXPECT_EQ(late->starts_at, noon);
  EXPECT_EQ(late->updated_at, noon);
  const auto early = put(noon, request("a=b", noon + minutes{5}, noon + hours{1}));
  EXPECT_EQ(early->starts_at, noon + minutes{5});
  EXPECT_EQ(book.size(), 2U);
  EXPECT_EQ(book.find(late->id), late);
}

TEST_F(silences, ids_look_like_uuids_and_differ) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const auto made = put(noon, request("a=b", noon, noon + hours{1}));
    EXPECT_TRUE(seen.insert(made->id).second);
    ASSERT_EQ(made->id.size(), 36U);
    for (const std::size_t dash : {8U, 13U, 18U, 23U}) EXPECT_EQ(made->id[dash], '-');
    EXPECT_EQ(made->id[14], '8');
    EXPECT_NE(std::string{"89ab"}.find(made->id[19]), std::string::npos);
  }
}

TEST_F(silences, the_same_calls_give_the_same_ids_also_after_a_restart) {
  const auto first = put(noon, request("a=b", noon, noon + hours{1}));
  silence_book again;
  again.restore(*first);
  const auto second = put(noon, request("a=b", noon, noon + hours{1}));
  const auto second_again = again.put(noon, request("a=b", noon, noon + hours{1}));
  ASSERT_TRUE(second_again);
  EXPECT_EQ((*second_again)->id, second->id);
  EXPECT_NE(second->id, first->id);
}

TEST_F(silences, the_id_of_a_known_one_is_not_given_again) {
  const silence wanted = request("a=b", noon, noon + hours{1});
  put(noon, wanted);
  const auto second = put(noon, wanted);
  silence_book with_only_it;
  with_only_it.restore(*second);
  const auto made = with_only_it.put(noon, wanted);
  ASSERT_TRUE(made);
  EXPECT_NE((*made)->id, second->id);
  EXPECT_EQ(with_only_it.size(), 2U);
}

TEST_F(silences, what_would_silence_nothing_or_nobody_knows_why_is_refused) {
  const auto good = request("a=b", noon, noon + hours{1});
  const auto with = [&](auto change) {
    silence wanted = good;
    change(wanted);
    return refused(noon, wanted);
  };
  EXPECT_EQ(with([](silence&) {}), "");
  EXPECT_EQ(with([](silence& one) { one.matchers.clear(); }),
            "bad_silence: a silence needs at least one matcher, this has none");
  EXPECT_EQ(with([](silence& one) { one.created_by.clear(); }),
            "bad_silence: created_by is missing: who silences?");
  EXPECT_EQ(with([](silence& one) { one.comment.clear(); }),
            "bad_silence: the comment is missing: why is it silenced?");
  EXPECT_EQ(with([](silence& one) { one.ends_at = one.starts_at; }),
            "bad_silence: the end 2026-03-02T12:00:00.000Z is not after the start "
            "2026-03-02T12:00:00.000Z");
  EXPECT_EQ(with([](silence& one) {
              one.starts_at = noon - hours{2};
              one.ends_at = noon;
            }),
            "bad_silence: the end 2026-03-02T12:00:00.000Z is in the past (it is "
            "2026-03-02T12:00:00.000Z)");
  EXPECT_EQ(with([](silence& one) {
              one.recurs.emplace_back();
              one.recurs.back().location = "Europe/Atlantis";
            }),
            "bad_silence: unknown time zone 'Europe/Atlantis' (wanted an IANA name such as "
            "Europe/Berlin)");
}

TEST_F(silences, one_matcher_must_refuse_the_empty_text) {
  const auto made = [&](std::string_view matchers) {
    return refused(noon, request(matchers, noon, noon + hours{1})).substr(0, 11);
  };
  EXPECT_EQ(made("a=\"\""), "bad_silence");
  EXPECT_EQ(made("a=~\"b*\""), "bad_silence");
  EXPECT_EQ(made("a=\"\",b=~\".*\""), "bad_silence");
  EXPECT_EQ(made("a=\"\",b=c"), "");
  EXPECT_EQ(made("a=~\"b+\""), "");
  // Alertmanager takes these, though they accept the empty text.
  EXPECT_EQ(made("a!=b"), "");
  EXPECT_EQ(made("a!~b"), "");
}

TEST_F(silences, an_unknown_id_is_not_found) {
  silence wanted = request("a=b", noon, noon + hours{1});
  wanted.id = "nobody";
  EXPECT_EQ(refused(noon, wanted), "silence_not_found: no silence has the id 'nobody'");
  EXPECT_EQ(book.size(), 0U);
}

TEST_F(silences, an_active_one_is_edited_in_place_when_its_past_stays) {
  const auto old = put(noon, request("a=b", noon, noon + hours{1}));
  silence wanted = *old;
  wanted.starts_at = std::chrono::floor<seconds>(noon);
  wanted.ends_at = noon + hours{3};
  wanted.comment = "it takes longer";
  const auto edited = put(noon + minutes{10}, wanted);
  EXPECT_EQ(edited->id, old->id);
  EXPECT_EQ(edited->starts_at, old->starts_at);
  EXPECT_EQ(edited->ends_at, noon + hours{3});
  EXPECT_EQ(edited->updated_at, noon + minutes{10});
  EXPECT_EQ(edited->comment, "it takes longer");
  EXPECT_EQ(book.size(), 1U);
}

TEST_F(silences, an_edited_start_is_compared_in_seconds_and_kept) {
  const instant start = noon + duration{250};
  const auto old = put(start, request("a=b", start, noon + hours{1}));
  silence wanted = *old;
  wanted.starts_at = noon;
  const auto edited = put(noon + minutes{10}, wanted);
  EXPECT_EQ(edited->id, old->id);
  EXPECT_EQ(edited->starts_at, start);
}

TEST_F(silences, another_set_of_matchers_makes_a_new_one_and_ends_the_old) {
  const auto old = put(noon, request("a=b", noon, noon + hours{1}));
  silence wanted = *old;
  wanted.matchers = *parse_label_matchers("a=c");
  const instant later = noon + minutes{10};
  const auto made = put(later, wanted);
  EXPECT_NE(made->id, old->id);
  EXPECT_EQ(made->starts_at, later);
  const auto ended = book.find(old->id);
  EXPECT_EQ(ended->ends_at, later);
  EXPECT_EQ(ended->updated_at, later);
  EXPECT_EQ(ended->starts_at, noon);
  EXPECT_EQ(state_of(*ended, later), silence_state::expired);
  EXPECT_EQ(book.size(), 2U);
}

TEST_F(silences, another_start_scope_or_recurrence_of_an_active_one_makes_a_new_one) {
  const auto changes = std::vector<std::function<void(silence&)>>{
      [](silence& one) { one.starts_at += minutes{30}; },
      [](silence& one) { one.scope = silence_scope::events; },
      [](silence& one) { one.recurs.emplace_back(); },
  };
  for (const auto& change : changes) {
    const auto old = put(noon, request("a=b", noon, noon + hours{1}));
    silence wanted = *old;
    change(wanted);
    EXPECT_NE(put(noon + minutes{10}, wanted)->id, old->id);
    EXPECT_EQ(book.find(old->id)->ends_at, noon + minutes{10});
  }
}

TEST_F(silences, a_pending_one_moves_unless_into_the_past) {
  const auto old = put(noon, request("a=b", noon + hours{1}, noon + hours{2}));
  silence wanted = *old;
  wanted.starts_at = noon + minutes{20};
  wanted.ends_at = noon + hours{4};
  const auto moved = put(noon + minutes{20}, wanted);
  EXPECT_EQ(moved->id, old->id);
  EXPECT_EQ(moved->starts_at, noon + minutes{20});
  EXPECT_EQ(book.next_change(noon + minutes{20}), noon + hours{4});

  const auto other = put(noon + minutes{30}, request("a=b", noon + hours{1}, noon + hours{2}));
  wanted = *other;
  wanted.starts_at = noon;
  const auto made = put(noon + minutes{40}, wanted);
  EXPECT_NE(made->id, other->id);
  EXPECT_EQ(made->starts_at, noon + minutes{40});
  EXPECT_EQ(book.find(other->id)->starts_at, noon + minutes{40});
  EXPECT_EQ(book.find(other->id)->ends_at, noon + minutes{40});
}

TEST_F(silences, editing_an_expired_one_makes_a_new_one_and_leaves_it) {
  const auto old = put(noon, request("a=b", noon, noon + hours{1}));
  silence wanted = *old;
  wanted.ends_at = noon + hours{5};
  const auto made = put(noon + hours{2}, wanted);
  EXPECT_NE(made->id, old->id);
  EXPECT_EQ(*book.find(old->id), *old);
}

TEST_F(silences, a_refused_edit_changes_nothing) {
  const auto old = put(noon, request("a=b", noon, noon + hours{1}));
  silence wanted = *old;
  wanted.comment.clear();
  EXPECT_NE(refused(noon, wanted), "");
  EXPECT_EQ(book.find(old->id), old);
}

TEST_F(silences, expiring_ends_it_now) {
  const auto active = put(noon, request("a=b", noon, noon + hours{1}));
  const auto pending = put(noon, request("a=c", noon + hours{1}, noon + hours{2}));
  const instant later = noon + minutes{5};
  const auto ended = book.expire(later, active->id);
  ASSERT_TRUE(ended);
  EXPECT_EQ((*ended)->starts_at, noon);
  EXPECT_EQ((*ended)->ends_at, later);
  EXPECT_EQ((*ended)->updated_at, later);
  const auto never = book.expire(later, pending->id);
  ASSERT_TRUE(never);
  EXPECT_EQ((*never)->starts_at, later);
  EXPECT_EQ((*never)->ends_at, later);
  EXPECT_EQ(book.expire(later, active->id).failure().code, "silence_expired");
  EXPECT_EQ(book.expire(later, "nobody").failure().code, "silence_not_found");
}

TEST_F(silences, those_in_force_that_accept_the_alert_silence_it) {
  const auto by_value = put(noon, request("a=b", noon, noon + hours{1}));
  const auto by_two = put(noon, request("a=b,c!=d", noon, noon + hours{1}));
  const auto by_pattern = put(noon, request("a=~\"b|x\"", noon, noon + hours{1}));
  const auto by_absence = put(noon, request("e=\"\",a!=\"\"", noon, noon + hours{1}));
  put(noon, request("a=b", noon + minutes{30}, noon + hours{1}));  // pending
  silence events = request("a=b", noon, noon + hours{1});
  events.scope = silence_scope::events;
  put(noon, events);

  const auto sorted = [](std::vector<silence_ptr> some) {
    names out = ids(some);
    std::sort(out.begin(), out.end());
    return out;
  };
  EXPECT_EQ(book.silencing(with_labels({{"a", "b"}}), noon),
            sorted({by_value, by_two, by_pattern, by_absence}));
  EXPECT_EQ(book.silencing(with_labels({{"a", "b"}, {"c", "d"}, {"e", "f"}}), noon),
            sorted({by_value, by_pattern}));
  EXPECT_EQ(book.silencing(with_labels({{"a", "x"}, {"e", "f"}}), noon), sorted({by_pattern}));
  EXPECT_EQ(book.silencing(with_labels({{"z", "b"}}), noon), names{});
  EXPECT_EQ(book.silencing(with_labels({{"a", "b"}}), noon + hours{1}), names{});
}

TEST_F(silences, one_silences_from_the_call_that_makes_it_to_the_call_that_ends_it) {
  const alert some = with_labels({{"a", "b"}});
  const auto made = put(noon, request("a=b", noon, noon + hours{1}));
  EXPECT_EQ(book.silencing(some, noon), names{made->id});
  ASSERT_TRUE(book.expire(noon + minutes{1}, made->id));
  EXPECT_EQ(book.silencing(some, noon + minutes{1}), names{});
}

TEST_F(silences, recurring_ones_silence_within_their_intervals_only) {
  silence wanted = request("a=b", noon, noon + hours{48});
  wanted.recurs.emplace_back();
  wanted.recurs.back().times = {{14 * 60, 15 * 60}};
  const auto made = put(noon, wanted);
  const alert some = with_labels({{"a", "b"}});
  EXPECT_EQ(began(noon), names{});
  EXPECT_EQ(book.silencing(some, noon), names{});
  EXPECT_EQ(state_of(*made, noon), silence_state::active);
  EXPECT_EQ(book.silencing(some, noon + hours{2}), names{made->id});
  EXPECT_EQ(began(noon + hours{2}), names{made->id});
  EXPECT_EQ(ended(noon + hours{3}), names{made->id});
  EXPECT_EQ(began(noon + hours{26}), names{made->id});
  EXPECT_EQ(ended(noon + hours{48}), names{made->id});
}

TEST_F(silences, the_next_change_is_the_nearest_start_or_end) {
  EXPECT_EQ(book.next_change(noon), std::nullopt);
  put(noon, request("a=b", noon + minutes{10}, noon + hours{1}));
  silence events = request("a=b", noon, noon + minutes{40});
  events.scope = silence_scope::events;
  put(noon, events);
  EXPECT_EQ(book.next_change(noon), noon + minutes{10});
  EXPECT_EQ(book.next_change(noon + minutes{10}), noon + minutes{40});
  EXPECT_EQ(book.next_change(noon + minutes{40}), noon + hours{1});
  EXPECT_EQ(book.next_change(noon + hours{1}), std::nullopt);
}

TEST_F(silences, while_a_recurring_one_is_active_each_full_minute_may_change) {
  silence wanted = request("a=b", noon + minutes{10}, noon + minutes{12} + seconds{30});
  wanted.recurs.emplace_back();
  put(noon, wanted);
  EXPECT_EQ(book.next_change(noon), noon + minutes{10});
  EXPECT_EQ(book.next_change(noon + minutes{10}), noon + minutes{11});
  EXPECT_EQ(book.next_change(noon + minutes{10} + seconds{7}), noon + minutes{11});
  EXPECT_EQ(book.next_change(noon + minutes{12}), noon + minutes{12} + seconds{30});
  EXPECT_EQ(book.next_change(noon + minutes{13}), std::nullopt);
}

TEST_F(silences, advancing_tells_what_began_and_what_ended_once) {
  const auto one = put(noon, request("a=b", noon, noon + hours{1}));
  const auto two = put(noon, request("a=b", noon + minutes{30}, noon + hours{1}));
  EXPECT_EQ(began(noon), names{one->id});
  EXPECT_EQ(began(noon), names{});
  EXPECT_EQ(began(noon + minutes{30}), names{two->id});
  const auto both = ended(noon + hours{1});
  EXPECT_EQ(std::set<std::string>(both.begin(), both.end()),
            (std::set<std::string>{one->id, two->id}));
  EXPECT_EQ(ended(noon + hours{1}), names{});
}

TEST_F(silences, what_began_and_ended_between_two_looks_is_not_told) {
  put(noon, request("a=b", noon, noon + hours{1}));
  const auto turned = book.advance(noon + hours{2});
  EXPECT_TRUE(turned.began.empty());
  EXPECT_TRUE(turned.ended.empty());
}

TEST_F(silences, an_edit_that_replaces_ends_one_and_begins_another) {
  const auto old = put(noon, request("a=b", noon, noon + hours{1}));
  EXPECT_EQ(began(noon), names{old->id});
  silence wanted = *old;
  wanted.matchers = *parse_label_matchers("a=c");
  const auto made = put(noon + minutes{1}, wanted);
  const auto turned = book.advance(noon + minutes{1});
  EXPECT_EQ(ids(turned.began), names{made->id});
  EXPECT_EQ(ids(turned.ended), names{old->id});
}

TEST_F(silences, an_edit_in_place_is_no_turn) {
  const auto old = put(noon, request("a=b", noon, noon + hours{1}));
  EXPECT_EQ(began(noon), names{old->id});
  silence wanted = *old;
  wanted.ends_at = noon + hours{2};
  put(noon, wanted);
  const auto turned = book.advance(noon + hours{1});
  EXPECT_TRUE(turned.began.empty() && turned.ended.empty());
  EXPECT_EQ(book.next_change(noon + hours{1}), noon + hours{2});
  EXPECT_EQ(ended(noon + hours{2}), names{old->id});
}

TEST_F(silences, those_of_events_shield_events_and_are_no_turn) {
  silence wanted = request("a=b", noon + minutes{1}, noon + hours{1});
  wanted.scope = silence_scope::events;
  const auto made = put(noon, wanted);
  EXPECT_TRUE(book.shielding_events(noon).empty());
  EXPECT_TRUE(began(noon + minutes{1}).empty());
  EXPECT_EQ(ids(book.shielding_events(noon + minutes{1})), names{made->id});
  EXPECT_TRUE(book.shielding_events(noon + hours{1}).empty());
  EXPECT_TRUE(ended(noon + hours{1}).empty());
}

TEST_F(silences, changed_ones_are_given_once_as_they_are_now) {
  const auto one = put(noon, request("a=b", noon, noon + hours{1}));
  const auto two = put(noon, request("a=c", noon, noon + hours{1}));
  ASSERT_TRUE(book.expire(noon + minutes{1}, one->id));
  const auto changed = book.take_changed();
  EXPECT_EQ(ids(changed), (names{two->id, one->id}));
  EXPECT_EQ(changed[1]->ends_at, noon + minutes{1});
  EXPECT_TRUE(book.take_changed().empty());
  silence wanted = *two;
  wanted.matchers = *parse_label_matchers("a=d");
  const auto three = put(noon + minutes{2}, wanted);
  EXPECT_EQ(ids(book.take_changed()), (names{two->id, three->id}));
}

TEST_F(silences, a_restored_book_goes_on_as_the_old_one) {
  const auto active = put(noon, request("a=b", noon, noon + hours{1}));
  const auto pending = put(noon, request("a=b", noon + minutes{30}, noon + hours{1}));
  const auto over = put(noon, request("a=b", noon, noon + minutes{1}));
  silence_book again;
  for (const auto& each : book.all()) again.restore(*each);
  EXPECT_EQ(again.size(), 3U);
  EXPECT_TRUE(again.take_changed().empty());
  const instant later = noon + minutes{10};
  EXPECT_EQ(ids(again.advance(later).began), names{active->id});
  EXPECT_EQ(again.next_change(later), noon + minutes{30});
  EXPECT_EQ(again.silencing(with_labels({{"a", "b"}}), later), names{active->id});
  EXPECT_EQ(*again.find(over->id), *over);
  EXPECT_EQ(ids(again.advance(noon + minutes{30}).began), names{pending->id});
}

TEST_F(silences, expired_ones_stay_until_they_are_forgotten) {
  const auto first = put(noon, request("a=b", noon, noon + hours{1}));
  const auto second = put(noon, request("a=b", noon, noon + hours{2}));
  put(noon, request("a=b", noon, noon + hours{3}));
  (void)book.advance(noon + hours{2});
  EXPECT_EQ(book.size(), 3U);
  EXPECT_EQ(book.forget_expired(noon + hours{1}), names{});
  EXPECT_EQ(book.forget_expired(noon + hours{2} + duration{1}), (names{first->id, second->id}));
  EXPECT_EQ(book.find(first->id), nullptr);
  EXPECT_EQ(book.size(), 1U);
}

TEST_F(silences, one_forgotten_before_anybody_looked_has_ended) {
  const auto made = put(noon, request("a=b", noon, noon + hours{1}));
  EXPECT_EQ(began(noon), names{made->id});
  EXPECT_EQ(book.forget_expired(noon + hours{2}), names{made->id});
  EXPECT_EQ(ended(noon + hours{2}), names{made->id});
}

}  // namespace
}  // namespace tocsin
