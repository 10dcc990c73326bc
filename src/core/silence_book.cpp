// SPDX-License-Identifier: Apache-2.0
// Makes, edits and ends silences, and finds those that apply.
#include "tocsin/silence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "tocsin/alert_labels.hpp"
#include "tocsin/fingerprint.hpp"

namespace tocsin {
namespace {

using std::chrono::seconds;

std::optional<error> wrong_with(const silence& wanted, instant at) {
  const auto bad = [](std::string message) { return error{"bad_silence", std::move(message)}; };
  if (wanted.matchers.empty()) return bad("a silence needs at least one matcher, this has none");
  const bool all_accept_nothing =
      std::all_of(wanted.matchers.begin(), wanted.matchers.end(), [](const label_matcher& one) {
        const bool positive =
            one.op() == matcher_operator::equal || one.op() == matcher_operator::matches;
        return positive && one.accepts("");
      });
  if (all_accept_nothing) {
    return bad(
        fmt::format("one matcher at least must refuse the empty text, and {} takes it: this "
                    "would silence what has no such label",
                    wanted.matchers.front().text()));
  }
  if (wanted.created_by.empty()) return bad("created_by is missing: who silences?");
  if (wanted.comment.empty()) return bad("the comment is missing: why is it silenced?");
  if (wanted.ends_at <= wanted.starts_at) {
    return bad(fmt::format("the end {} is not after the start {}", format_rfc3339(wanted.ends_at),
                           format_rfc3339(wanted.starts_at)));
  }
  if (wanted.ends_at <= at) {
    return bad(fmt::format("the end {} is in the past (it is {})", format_rfc3339(wanted.ends_at),
                           format_rfc3339(at)));
  }
  for (const time_interval& each : wanted.recurs) {
    if (each.location.empty() || is_time_zone(each.location)) continue;
    return bad(fmt::format("unknown time zone '{}' (wanted an IANA name such as Europe/Berlin)",
                           each.location));
  }
  return std::nullopt;
}

/// True when what was silenced until now, and why, stays as it was.
bool edits_in_place(const silence& old, const silence& wanted, instant at) {
  if (old.matchers != wanted.matchers || old.scope != wanted.scope || old.recurs != wanted.recurs) {
    return false;
  }
  switch (state_of(old, at)) {
    case silence_state::pending:
      return wanted.starts_at >= at;
    case silence_state::active:
      // Clients may know whole seconds only.
      return std::chrono::floor<seconds>(old.starts_at) ==
             std::chrono::floor<seconds>(wanted.starts_at);
    case silence_state::expired:
      return false;
  }
  return false;
}

/// 32 hexadecimal digits as a UUID of version 8, which is what its maker makes it (RFC 9562).
std::string uuid_of(const fingerprint& print) {
  std::string digits = to_text(print);
  digits[12] = '8';
  constexpr std::string_view variants = "89ab";
  digits[16] = variants[(print.low >> 60) & 3];
  return fmt::format("{}-{}-{}-{}-{}", digits.substr(0, 8), digits.substr(8, 4),
                     digits.substr(12, 4), digits.substr(16, 4), digits.substr(20));
}

}  // namespace

std::string_view to_text(silence_state state) noexcept {
  switch (state) {
    case silence_state::pending:
      return "pending";
    case silence_state::active:
      return "active";
    case silence_state::expired:
      return "expired";
  }
  return "";
}

silence_state state_of(const silence& of, instant at) noexcept {
  if (at >= of.ends_at) return silence_state::expired;
  return at < of.starts_at ? silence_state::pending : silence_state::active;
}

bool in_force(const silence& of, instant at) {
  return state_of(of, at) == silence_state::active &&
         (of.recurs.empty() || contains(of.recurs, at));
}

result<silence_ptr> silence_book::put(instant at, silence wanted) {
  if (auto wrong = wrong_with(wanted, at)) return *wrong;
  const silence_ptr old = find(wanted.id);
  if (!old && !wanted.id.empty()) {
    return error{"silence_not_found", fmt::format("no silence has the id '{}'", wanted.id)};
  }
  wanted.updated_at = at;
  if (old && edits_in_place(*old, wanted, at)) {
    if (state_of(*old, at) == silence_state::active) wanted.starts_at = old->starts_at;
    return keep(std::make_shared<const silence>(std::move(wanted)));
  }
  if (old && state_of(*old, at) != silence_state::expired) end(*old, at);
  wanted.starts_at = std::max(wanted.starts_at, at);
  wanted.id = new_id(wanted);
  return keep(std::make_shared<const silence>(std::move(wanted)));
}

result<silence_ptr> silence_book::expire(instant at, std::string_view id) {
  const silence_ptr old = find(id);
  if (!old) return error{"silence_not_found", fmt::format("no silence has the id '{}'", id)};
  if (state_of(*old, at) == silence_state::expired) {
    return error{"silence_expired",
                 fmt::format("the silence '{}' expired at {}", id, format_rfc3339(old->ends_at))};
  }
  return end(*old, at);
}

silence_ptr silence_book::find(std::string_view id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

std::vector<silence_ptr> silence_book::all() const {
  std::vector<silence_ptr> out;
  out.reserve(by_id_.size());
  for (const auto& [id, each] : by_id_) out.push_back(each);
  return out;
}

std::vector<std::string> silence_book::silencing(const alert& of, instant at) const {
  std::vector<std::string> ids;
  const auto look_at = [&](const silences_by_id& some) {
    for (const auto& [id, each] : some) {
      if (state_of(*each, at) == silence_state::active && matches(each->matchers, of) &&
          in_force(*each, at)) {
        ids.push_back(id);
      }
    }
  };
  for (const auto& [name, by_value] : buckets_) {
    const auto found = by_value.find(alert_label(of, name));
    if (found != by_value.end()) look_at(found->second);
  }
  look_at(everywhere_);
  std::sort(ids.begin(), ids.end());
  return ids;
}

std::optional<instant> silence_book::next_change(instant after) const {
  std::optional<instant> next;
  // Behind all entries of `after`: no id is as large.
  const auto due = due_.lower_bound({after + duration{1}, std::string{}});
  if (due != due_.end()) next = due->first;
  const instant minute = next_minute(after);
  if (next && *next <= minute) return next;
  const bool recurs = std::any_of(recurring_.begin(), recurring_.end(), [&](const auto& each) {
    return state_of(*each.second, minute) == silence_state::active;
  });
  return recurs ? minute : next;
}

silence_book::turn silence_book::advance(instant at) {
  while (!due_.empty() && due_.begin()->first <= at) {
    touched_.insert(due_.begin()->second);
    due_.erase(due_.begin());
  }
  for (const auto& [id, each] : recurring_) touched_.insert(id);
  turn made;
  for (const std::string& id : touched_) {
    const silence_ptr now = find(id);
    const auto was = in_force_.find(id);
    if (now && now->scope == silence_scope::alerts && in_force(*now, at)) {
      if (was == in_force_.end()) made.began.push_back(now);
      in_force_.insert_or_assign(id, now);
    } else if (was != in_force_.end()) {
      made.ended.push_back(now ? now : was->second);
      in_force_.erase(was);
    }
    if (now && state_of(*now, at) == silence_state::expired) look_away_from(*now);
  }
  touched_.clear();
  return made;
}

std::vector<silence_ptr> silence_book::shielding_events(instant at) const {
  std::vector<silence_ptr> out;
  for (const auto& [id, each] : of_events_) {
    if (in_force(*each, at)) out.push_back(each);
  }
  return out;
}

void silence_book::restore(silence known) {
  if (const silence_ptr old = find(known.id)) remove(*old);
  add(std::make_shared<const silence>(std::move(known)));
}

std::vector<std::string> silence_book::forget_expired(instant before) {
  std::vector<std::string> gone;
  while (!ends_.empty() && ends_.begin()->first < before) {
    gone.push_back(ends_.begin()->second);
    const silence_ptr old = find(gone.back());
    remove(*old);
  }
  return gone;
}

std::vector<silence_ptr> silence_book::take_changed() {
  std::vector<silence_ptr> out;
  std::set<std::string_view> seen;
  std::reverse(changed_.begin(), changed_.end());
  for (const std::string& id : changed_) {
    if (!seen.insert(id).second) continue;
    if (silence_ptr now = find(id)) out.push_back(std::move(now));
  }
  std::reverse(out.begin(), out.end());
  changed_.clear();
  return out;
}

silence_ptr silence_book::keep(silence_ptr made) {
  if (const silence_ptr old = find(made->id)) remove(*old);
  add(made);
  changed_.push_back(made->id);
  return made;
}

silence_ptr silence_book::end(const silence& old, instant at) {
  silence ended = old;
  if (at < ended.starts_at) ended.starts_at = at;
  ended.ends_at = at;
  ended.updated_at = at;
  return keep(std::make_shared<const silence>(std::move(ended)));
}

/// The same requests at the same times get the same ids, also after a restart.
std::string silence_book::new_id(const silence& wanted) const {
  std::string content;
  for (const label_matcher& each : wanted.matchers) content += each.text() + ",";
  const auto starts = std::to_string(to_unix_ms(wanted.starts_at));
  const auto made = std::to_string(to_unix_ms(wanted.updated_at));
  for (std::size_t number = by_id_.size();; ++number) {
    const auto place = std::to_string(number);
    const key_part parts[] = {{"created_by", wanted.created_by},
                              {"comment", wanted.comment},
                              {"matchers", content},
                              {"starts_at", starts},
                              {"at", made},
                              {"number", place}};
    std::string id = uuid_of(fingerprint_of("silence", parts));
    if (by_id_.find(id) == by_id_.end()) return id;
  }
}

void silence_book::add(const silence_ptr& known) {
  by_id_.emplace(known->id, known);
  ends_.emplace(known->ends_at, known->id);
  due_.emplace(known->starts_at, known->id);
  due_.emplace(known->ends_at, known->id);
  touched_.insert(known->id);
  look_out_for(known);
}

void silence_book::remove(const silence& known) {
  look_away_from(known);
  touched_.insert(known.id);
  due_.erase({known.starts_at, known.id});
  due_.erase({known.ends_at, known.id});
  ends_.erase({known.ends_at, known.id});
  by_id_.erase(known.id);
}

void silence_book::look_out_for(const silence_ptr& known) {
  if (!known->recurs.empty()) recurring_.emplace(known->id, known);
  silences_by_id& place = known->scope == silence_scope::events ? of_events_ : bucket_for(*known);
  place.emplace(known->id, known);
}

void silence_book::look_away_from(const silence& known) {
  recurring_.erase(known.id);
  of_events_.erase(known.id);
  everywhere_.erase(known.id);
  const auto place = bucket_of_.find(known.id);
  if (place == bucket_of_.end()) return;
  const label_matcher& by = known.matchers[place->second];
  const auto by_value = buckets_.find(by.name());
  const auto bucket = by_value->second.find(by.value());
  bucket->second.erase(known.id);
  if (bucket->second.empty()) by_value->second.erase(bucket);
  if (by_value->second.empty()) buckets_.erase(by_value);
  bucket_of_.erase(place);
}

silence_book::silences_by_id& silence_book::bucket_for(const silence& known) {
  const auto size_of = [this](const label_matcher& by) -> std::size_t {
    const auto by_value = buckets_.find(by.name());
    if (by_value == buckets_.end()) return 0;
    const auto bucket = by_value->second.find(by.value());
    return bucket == by_value->second.end() ? 0 : bucket->second.size();
  };
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < known.matchers.size(); ++i) {
    const label_matcher& by = known.matchers[i];
    if (by.op() != matcher_operator::equal) continue;
    // What is shared by fewer silences tells alerts apart better.
    if (!best || size_of(by) < size_of(known.matchers[*best])) best = i;
  }
  if (!best) return everywhere_;
  bucket_of_.emplace(known.id, *best);
  const label_matcher& by = known.matchers[*best];
  return buckets_[by.name()][by.value()];
}

}  // namespace tocsin
