// SPDX-License-Identifier: Apache-2.0
// Decode, stamp, count, enrich, route.
#include "step_maker.hpp"

#include <algorithm>
#include <utility>

namespace tocsin {

step_maker::step_maker(const event_limits& limits, std::shared_ptr<const rule_set> rules,
                       std::size_t shards, std::shared_ptr<const enrichment> enrich,
                       std::shared_ptr<const shield_board> shields, instant clock)
    : decoder_(limits),
      shields_(std::move(shields)),
      router_(std::move(rules), shards),
      clock_(clock) {
  if (enrich) enricher_.emplace(std::move(enrich));
}

std::shared_ptr<const log_step> step_maker::of_burst(const std::shared_ptr<const burst>& what,
                                                     instant now) {
  clock_ = std::max(clock_, now);
  refused_.clear();
  auto batch = what->decoded ? adopt(what->decoded) : decode(what);
  enter_in_books(*batch);
  batch = without_shielded(std::move(batch));
  if (batch->events.empty()) return nullptr;

  next_position_ += batch->events.size();
  auto step = std::make_shared<log_step>();
  step->number = ++steps_;
  step->clock = batch->clock;
  step->slices = router_.route(*batch);
  step->batch = std::move(batch);
  return step;
}

std::shared_ptr<const event_batch> step_maker::decode(const std::shared_ptr<const burst>& what) {
  auto batch = std::make_shared<event_batch>();
  batch->owners.push_back(what);
  // Bursts are mostly like the one before: room for as many spares growing.
  batch->events.reserve(std::max(what->messages.size(), last_events_ + last_events_ / 4));
  for (std::size_t i = 0; i < what->messages.size(); ++i) {
    if (i < what->arrivals.size()) clock_ = std::max(clock_, what->arrivals[i]);
    decoder_.decode(what->messages[i], clock_, *batch, refused_);
  }
  last_events_ = batch->events.size();
  batch->first_position = next_position_;
  if (!batch->events.empty()) batch->clock = batch->events.back().arrived;
  if (enricher_) enricher_->apply(*batch);
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

std::shared_ptr<const log_step> step_maker::of_time(instant now) {
  clock_ = std::max(clock_, now);
  auto step = std::make_shared<log_step>();
  step->number = ++steps_;
  step->clock = clock_;
  return step;
}

void step_maker::enter_in_books(const event_batch& batch) {
  for (const event& accepted : batch.events) ledger_.accept(accepted.text(event_field::source_id));
  for (const rejection& refused : refused_) ledger_.reject(refused.source, refused.code);
}

std::shared_ptr<const event_batch> step_maker::without_shielded(
    std::shared_ptr<const event_batch> batch) {
  const auto shield = shields_ ? shields_->look() : nullptr;
  if (!shield) return batch;
  auto own = std::make_shared<event_batch>(*batch);
  const auto kept = std::remove_if(own->events.begin(), own->events.end(), [&](const event& each) {
    return shield->keeps_out(*batch, each);
  });
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
          .unmatched = router_.unmatched(),
          .shielded = shielded_,
          .steps = steps_};
}

}  // namespace tocsin
