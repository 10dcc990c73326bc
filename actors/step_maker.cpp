// SPDX-License-Identifier: Apache-2.0
// Decode, stamp, recognise, count, enrich, route.
#include "step_maker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "tocsin/work_at_hand.hpp"

namespace tocsin {

step_maker::step_maker(step_maker_setup setup)
    : decoder_(setup.limits),
      shields_(std::move(setup.shields)),
      router_(std::move(setup.rules), setup.shards),
      horizon_(setup.dedup.horizon),
      time_ahead_max_(setup.limits.time_ahead_max),
      // An event may come in before its time. Sent again at the horizon's end it must still be
      // known, or be too old: so it is remembered that much longer.
      known_(setup.dedup.horizon + setup.limits.time_ahead_max, setup.dedup.entries),
      quotas_(std::move(setup.quotas)),
      poison_(std::move(setup.poison)),
      logged_(setup.logged),
      clock_(setup.clock),
      last_step_(setup.last_step),
      next_position_(setup.next_position) {
  if (setup.enrich) enricher_.emplace(std::move(setup.enrich));
}

void step_maker::verdicts::clear() {
  refused.clear();
  duplicates.clear();
  shed.clear();
  seen.clear();
  accepted = 0;
}

made_step step_maker::of_burst(const std::shared_ptr<const burst>& what, instant now,
                               double pressure) {
  clock_ = std::max(clock_, now);
  found_.clear();
  std::vector<burst_outcome> outcomes;
  std::shared_ptr<const event_batch> batch;
  if (what->decoded) {
    batch = adopt(what->decoded);
  } else {
    auto own = what->answer ? decode_answered(what, outcomes) : decode(what);
    // It gets its step's number when it is routed; till then its messages stand for it.
    at_hand = {.batch = own.get()};
    if (!what->answer) sort_out_pushed(*own, pressure);
    if (!own->events.empty()) own->clock = own->events.back().arrived;
    if (enricher_) enricher_->apply(*own);
    batch = std::move(own);
  }
  enter_in_books(*batch);
  at_hand = {.batch = batch.get()};
  batch = without_shielded(std::move(batch));

  made_step made;
  at_hand = {.batch = batch.get()};
  if (!batch->events.empty()) {
    const instant clock = batch->clock;
    made = step_of(std::move(batch), clock, nullptr);
  } else if (!found_.seen.empty()) {
    made = step_of(nullptr, clock_, nullptr);
  }
  made.outcomes = std::move(outcomes);
  at_hand = {};
  return made;
}

made_step step_maker::of_time(instant now, std::shared_ptr<const operation> asked) {
  clock_ = std::max(clock_, now);
  found_.clear();
  return step_of(nullptr, clock_, std::move(asked));
}

made_step step_maker::step_of(std::shared_ptr<const event_batch> batch, instant clock,
                              std::shared_ptr<const operation> asked) {
  auto step = std::make_shared<log_step>();
  step->number = ++last_step_;
  step->clock = clock;
  ++steps_made_;
  if (batch) {
    next_position_ += batch->events.size();
    step->slices = router_.route(*batch);
  }
  made_step made;
  if (logged_) {
    const bool all_seen = batch && !enricher_ && found_.seen.size() == found_.accepted &&
                          batch->events.size() == found_.accepted;
    made.entry = std::make_shared<const log_entry>(
        log_entry{last_step_, clock, batch,
                  all_seen ? std::vector<remembered_event>{} : std::move(found_.seen),
                  std::move(asked), all_seen});
  }
  step->batch = std::move(batch);
  made.step = std::move(step);
  return made;
}

std::shared_ptr<const log_step> step_maker::of_entry(const log_entry& entry) {
  if (!knows_the_past_ && entry.step > 1) known_.forget_until(entry.clock + time_ahead_max_);
  knows_the_past_ = true;
  clock_ = std::max(clock_, entry.clock);
  last_step_ = std::max(last_step_, entry.step);
  for (const remembered_event& each : entry.seen) known_.remember(each, entry.clock);
  if (entry.batch_is_seen) {
    for (const event& each : entry.batch->events) {
      const auto what = recognisable(each, entry.batch->labels_of(each));
      if (what) known_.remember(*what, entry.clock);
    }
  }

  at_hand = {.batch = entry.batch.get(), .step = entry.step};
  auto step = std::make_shared<log_step>();
  step->number = entry.step;
  step->clock = entry.clock;
  if (entry.batch) {
    next_position_ =
        std::max(next_position_, entry.batch->first_position + entry.batch->events.size());
    const auto left_out = poison_ ? poison_->left_out(entry) : std::vector<std::uint32_t>{};
    quarantined_ += left_out.size();
    step->slices = router_.route(*entry.batch, left_out);
    step->batch = entry.batch;
  }
  unmatched_before_ = router_.unmatched();
  at_hand = {};
  return step;
}

pipeline_snapshot step_maker::begin_snapshot() const {
  pipeline_snapshot begun;
  begun.step = last_step_;
  begun.clock = clock_;
  begun.next_position = next_position_;
  known_.save(begun.ingest);
  return begun;
}

std::optional<error> step_maker::restore(const pipeline_snapshot& from) {
  if (auto wrong = known_.restore(from.ingest)) return wrong;
  last_step_ = std::max(last_step_, from.step);
  clock_ = std::max(clock_, from.clock);
  next_position_ = from.next_position;
  knows_the_past_ = true;
  return std::nullopt;
}

std::shared_ptr<event_batch> step_maker::begin_batch(const std::shared_ptr<const burst>& what) {
  auto batch = std::make_shared<event_batch>();
  batch->owners.push_back(what);
  // Bursts are mostly like the one before: room for as many spares growing.
  batch->events.reserve(std::max(what->messages.size(), last_events_ + last_events_ / 4));
  batch->first_position = next_position_;
  batch->messages = what->messages;
  return batch;
}

void step_maker::decode_message(const burst& of, std::size_t message, event_batch& into) {
  if (message < of.arrivals.size()) clock_ = std::max(clock_, of.arrivals[message]);
  at_hand = {.message = &of.messages[message]};
  if (poison_ && poison_->refuses(of.messages[message])) {
    found_.refused.push_back(
        {0, "quarantined", "message: the daemon crashed twice while it worked on it", {}});
    return;
  }
  const std::size_t begin = into.events.size();
  decoder_.decode(of.messages[message], clock_, into, found_.refused);
  for (std::size_t i = begin; i < into.events.size(); ++i) {
    into.events[i].message = static_cast<std::uint32_t>(message);
  }
}

std::shared_ptr<event_batch> step_maker::decode(const std::shared_ptr<const burst>& what) {
  auto batch = begin_batch(what);
  for (std::size_t i = 0; i < what->messages.size(); ++i) decode_message(*what, i, *batch);
  last_events_ = batch->events.size();
  return batch;
}

std::shared_ptr<event_batch> step_maker::decode_answered(const std::shared_ptr<const burst>& what,
                                                         std::vector<burst_outcome>& outcomes) {
  auto batch = begin_batch(what);
  outcomes.resize(what->messages.size());
  for (std::size_t i = 0; i < what->messages.size(); ++i) {
    const std::size_t begin = batch->events.size();
    const std::size_t refused = found_.refused.size();
    const std::size_t duplicates = found_.duplicates.size();
    decode_message(*what, i, *batch);
    burst_outcome& outcome = outcomes[i];
    outcome.message = i;
    if (const auto wait = beyond_quota(std::span{batch->events}.subspan(begin))) {
      batch->events.resize(begin);
      found_.refused.resize(refused);
      outcome.retry = true;
      outcome.retry_after = *wait;
      continue;
    }
    sort_out_answered(*batch, begin, refused);
    outcome.accepted = batch->events.size() - begin;
    outcome.duplicate = found_.duplicates.size() - duplicates;
    for (std::size_t each = refused; each < found_.refused.size(); ++each) {
      rejection& why = found_.refused[each];
      outcome.rejected.push_back({why.index, why.code, std::move(why.message)});
    }
  }
  last_events_ = batch->events.size();
  return batch;
}

std::shared_ptr<const event_batch> step_maker::adopt(
    const std::shared_ptr<const event_batch>& decoded) {
  if (decoded->events.empty()) return decoded;
  const instant first = decoded->events.front().arrived;
  const instant last = decoded->events.back().arrived;
  if (decoded->first_position == next_position_ && first >= clock_ && decoded->clock == last) {
    clock_ = last;
    return decoded;
  }
  auto own = std::make_shared<event_batch>(*decoded);
  own->owners.push_back(decoded);
  own->first_position = next_position_;
  for (event& each : own->events) {
    clock_ = std::max(clock_, each.arrived);
    each.arrived = clock_;
    if (!each.has_time) each.time = clock_;
  }
  own->clock = clock_;
  return own;
}

std::optional<duration> step_maker::beyond_quota(std::span<const event> events) {
  if (!quotas_.any()) return std::nullopt;
  std::map<std::string_view, std::uint64_t> by_source;
  for (const event& each : events) {
    const std::string_view source = each.text(event_field::source_id);
    if (!quotas_.disabled(source)) ++by_source[source];
  }
  std::vector<source_quotas::demand> wanted;
  wanted.reserve(by_source.size());
  for (const auto& [source, count] : by_source) wanted.push_back({source, count});
  return quotas_.take_all(wanted, clock_);
}

void step_maker::sort_out_answered(event_batch& batch, std::size_t begin, std::size_t refused) {
  const auto first_refused = static_cast<std::ptrdiff_t>(refused);
  const std::size_t refused_before = found_.refused.size();
  std::size_t kept = begin;
  std::uint32_t index = 0;
  identities_.clear();
  for (std::size_t i = begin; i < batch.events.size(); ++i) {
    const event& one = batch.events[i];
    const auto& what = identities_.emplace_back(recognisable(one, batch.labels_of(one)));
    if (what) known_.prepare(*what);
  }
  for (std::size_t i = begin; i < batch.events.size(); ++i, ++index) {
    // Those that were refused have an index, too, and are not in the batch.
    for (; refused < refused_before && found_.refused[refused].index == index; ++refused) ++index;
    const event& one = batch.events[i];
    if (!takes_answered(one, identities_[i - begin], index)) continue;
    if (kept != i) batch.events[kept] = one;
    ++kept;
  }
  batch.events.resize(kept);
  std::stable_sort(
      found_.refused.begin() + first_refused, found_.refused.end(),
      [](const rejection& left, const rejection& right) { return left.index < right.index; });
}

bool step_maker::takes_answered(const event& one, const std::optional<remembered_event>& what,
                                std::uint32_t index) {
  const std::string_view source = one.text(event_field::source_id);
  if (quotas_.any() && quotas_.disabled(source)) {
    refuse(index, "source_disabled",
           fmt::format("source_id: seen \"{}\", which an operator has switched off", source), one);
    return false;
  }
  if (what && !is_new(one, *what, index)) return false;
  if (quotas_.any() && !quotas_.admit_key(one, clock_)) {
    refuse(index, "too_many_keys",
           fmt::format("resource_id, item: seen one pair more than the source \"{}\" may have in "
                       "an hour",
                       source),
           one);
    return false;
  }
  if (what) {
    known_.remember_fresh(*what, clock_);
    found_.seen.push_back(*what);
  }
  return true;
}

bool step_maker::is_new(const event& one, const remembered_event& what, std::uint32_t index) {
  switch (known_.look(what, clock_)) {
    case dedup_index::verdict::duplicate:
      found_.duplicates.emplace_back(one.text(event_field::source_id));
      return false;
    case dedup_index::verdict::conflict:
      refuse(index, "id_conflict",
             fmt::format("event_id: seen \"{}\" before with other content, wanted an id that is "
                         "new, or the same event again",
                         one.text(event_field::event_id)),
             one);
      return false;
    case dedup_index::verdict::fresh:
      break;
  }
  const instant horizon = clock_ - horizon_;
  if (one.has_time && (one.time < horizon || one.time <= known_.forgotten_until())) {
    const instant first = std::max(horizon, known_.forgotten_until() + duration{1});
    refuse(index, "too_old",
           fmt::format("time: seen {}, wanted {} or later: what is older could be one that came "
                       "before and was forgotten",
                       format_rfc3339(one.time), format_rfc3339(first)),
           one);
    return false;
  }
  return true;
}

void step_maker::sort_out_pushed(event_batch& batch, double pressure) {
  if (!quotas_.any() && !quotas_.shed()) return;
  const auto kept =
      std::remove_if(batch.events.begin(), batch.events.end(),
                     [&](const event& each) { return !takes_pushed(each, pressure); });
  batch.events.erase(kept, batch.events.end());
}

bool step_maker::takes_pushed(const event& one, double pressure) {
  const std::string_view source = one.text(event_field::source_id);
  // Nobody reads the sentence of a rejection that is not answered.
  if (quotas_.disabled(source)) {
    refuse(0, "source_disabled", {}, one);
    return false;
  }
  if ((quotas_.shed() && is_shed_at(pressure, one.level)) || !quotas_.take_one(source, clock_)) {
    found_.shed.emplace_back(source);
    return false;
  }
  if (!quotas_.admit_key(one, clock_)) {
    refuse(0, "too_many_keys", {}, one);
    return false;
  }
  return true;
}

void step_maker::refuse(std::uint32_t index, std::string_view code, std::string message,
                        const event& one) {
  found_.refused.push_back(
      {index, code, std::move(message), std::string{one.text(event_field::source_id)}});
}

void step_maker::enter_in_books(const event_batch& batch) {
  found_.accepted = batch.events.size();
  for (const event& accepted : batch.events) ledger_.accept(accepted.text(event_field::source_id));
  for (const std::string& source : found_.duplicates) ledger_.duplicate(source);
  for (const std::string& source : found_.shed) ledger_.shed(source);
  for (const rejection& refused : found_.refused) ledger_.reject(refused.source, refused.code);
}

std::shared_ptr<const event_batch> step_maker::without_shielded(
    std::shared_ptr<const event_batch> batch) {
  const auto shield = shields_ ? shields_->look() : nullptr;
  if (!shield) return batch;
  auto own = std::make_shared<event_batch>(*batch);
  const auto kept = std::remove_if(own->events.begin(), own->events.end(), [&](const event& each) {
    at_hand.event = static_cast<std::uint32_t>(&each - own->events.data());
    return shield->keeps_out(*batch, each);
  });
  at_hand.event = work_at_hand::no_event;
  if (kept == own->events.end()) return batch;
  shielded_ += static_cast<std::uint64_t>(own->events.end() - kept);
  own->events.erase(kept, own->events.end());
  if (!own->events.empty()) own->clock = own->events.back().arrived;
  own->owners.push_back(std::move(batch));
  return own;
}

ingest_report step_maker::report() const {
  return {.events = ledger_.total(),
          .rejected_by_code = ledger_.rejected_by_code(),
          .by_source = ledger_.by_source(),
          .enrichment = enricher_ ? enricher_->counts() : std::vector<enrichment_counts>{},
          .unmatched = router_.unmatched() - unmatched_before_,
          .shielded = shielded_,
          .quarantined = quarantined_,
          .steps = steps_made_};
}

}  // namespace tocsin
