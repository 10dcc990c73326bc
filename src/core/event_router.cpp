// SPDX-License-Identifier: Apache-2.0
// Routes a batch: filters once an event, keys once a group, units in ascending order.
#include "tocsin/event_router.hpp"

#include <algorithm>
#include <cassert>

#include "core/condition_index.hpp"
#include "core/packed_event.hpp"
#include "tocsin/work_at_hand.hpp"

namespace tocsin {

struct event_router::index {
  index(std::shared_ptr<const rule_set> all, std::size_t shard_count)
      : rules(std::move(all)), shards(shard_count), conditions(*rules), last_sizes(shards, 0) {}

  void route_event(const event_batch& batch, std::uint32_t at);
  void match(const event_batch& batch, const event& of);
  void send(const event_batch& batch, std::uint32_t at, std::uint32_t to_group,
            const std::uint64_t* first, const std::uint64_t* last);
  fingerprint key_of(const event_batch& batch, const event& of, const group& by);

  std::shared_ptr<const rule_set> rules;
  std::size_t shards;
  condition_index conditions;
  std::uint64_t unmatched = 0;

  predicate_answers answers;              ///< for the event at hand
  std::vector<slice> slices;              ///< of the batch at hand
  std::vector<std::size_t> last_sizes;    ///< by shard: what to reserve for the next batch
  std::vector<std::uint64_t> matched;     ///< of the event at hand: group << 32 | unit, ascending
  std::vector<key_part> parts;            ///< of the key at hand
  std::vector<std::string> number_texts;  ///< what parts of number labels point into
};

void event_router::index::match(const event_batch& batch, const event& of) {
  matched.clear();
  std::size_t met = 0;
  const event_scope names(batch, of);
  answers.next_event();
  conditions.candidates(batch, of, [&](std::uint32_t candidate) {
    const condition& one = conditions.conditions()[candidate];
    if (!one.always && !conditions.holds(one, names, answers)) return;
    ++met;
    matched.insert(matched.end(), one.units.begin(), one.units.end());
  });
  if (met < 2) return;
  std::sort(matched.begin(), matched.end());
  matched.erase(std::unique(matched.begin(), matched.end()), matched.end());
}

fingerprint event_router::index::key_of(const event_batch& batch, const event& of,
                                        const group& by) {
  parts.clear();
  if (number_texts.size() < by.fields.size()) number_texts.resize(by.fields.size());
  for (std::size_t i = 0; i < by.fields.size(); ++i) {
    const group_field& field = by.fields[i];
    parts.push_back({field.name, field.field ? of.text(*field.field)
                                             : group_text(field, batch, of, number_texts[i])});
  }
  return fingerprint_of("", parts);
}

void event_router::index::send(const event_batch& batch, std::uint32_t at, std::uint32_t to_group,
                               const std::uint64_t* first, const std::uint64_t* last) {
  const fingerprint key = key_of(batch, batch.events[at], rules->groups()[to_group]);
  slice& to = slices[((key.low >> 32) * shards) >> 32];
  const auto count = static_cast<std::uint32_t>(last - first);
  const auto same = [](std::uint32_t listed, std::uint64_t unit_in_group) {
    return listed == static_cast<std::uint32_t>(unit_in_group);
  };
  // Most events want the units that the one before wanted: one list serves them all.
  const bool listed = to.units.size() >= count &&
                      std::equal(to.units.end() - count, to.units.end(), first, last, same);
  if (!listed) {
    for (const std::uint64_t* one = first; one != last; ++one) {
      to.units.push_back(static_cast<std::uint32_t>(*one));
    }
  }
  const auto begin = static_cast<std::uint32_t>(to.units.size()) - count;
  to.events.push_back({key, at, to_group, begin, count});
}

void event_router::index::route_event(const event_batch& batch, std::uint32_t at) {
  const event& of = batch.events[at];
  if (of.action != event_action::firing) {
    for (const group& every : rules->groups()) send(batch, at, every.index, nullptr, nullptr);
    return;
  }
  match(batch, of);
  if (matched.empty()) ++unmatched;
  const std::uint64_t* const end = matched.data() + matched.size();
  for (const std::uint64_t* first = matched.data(); first != end;) {
    const std::uint64_t group_index = *first >> 32;
    const std::uint64_t* last = first + 1;
    while (last != end && *last >> 32 == group_index) ++last;
    send(batch, at, static_cast<std::uint32_t>(group_index), first, last);
    first = last;
  }
}

event_router::event_router(std::shared_ptr<const rule_set> rules, std::size_t shards)
    : index_(std::make_unique<index>(std::move(rules), shards)) {
  assert(shards >= 1);
}

event_router::~event_router() = default;
event_router::event_router(event_router&&) noexcept = default;

std::vector<slice> event_router::route(const event_batch& batch,
                                       std::span<const std::uint32_t> left_out) {
  index& own = *index_;
  own.slices.assign(own.shards, {});
  for (std::size_t i = 0; i < own.shards; ++i) {
    own.slices[i].events.reserve(std::min(own.last_sizes[i] * 5 / 4, batch.events.size()));
  }
  for (std::uint32_t i = 0; i < batch.events.size(); ++i) {
    at_hand.event = i;
    if (!left_out.empty() && left_out.front() == i) {
      left_out = left_out.subspan(1);
      continue;
    }
    own.route_event(batch, i);
  }
  at_hand.event = work_at_hand::no_event;
  for (std::size_t i = 0; i < own.shards; ++i) own.last_sizes[i] = own.slices[i].events.size();
  return std::move(own.slices);
}

std::uint64_t event_router::unmatched() const noexcept {
  return index_->unmatched;
}

}  // namespace tocsin
