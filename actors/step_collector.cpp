// SPDX-License-Identifier: Apache-2.0
// A short queue of steps that are not complete yet.
#include "step_collector.hpp"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <utility>

namespace tocsin {

step_collector::partial_step& step_collector::at(std::uint64_t number) {
  if (partial_.empty() || partial_.back().so_far.number < number) {
    partial_.emplace_back().so_far.number = number;
    return partial_.back();
  }
  const auto place = std::lower_bound(
      partial_.begin(), partial_.end(), number,
      [](const partial_step& each, std::uint64_t of) { return each.so_far.number < of; });
  if (place->so_far.number == number) return *place;
  const auto made = partial_.emplace(place);
  made->so_far.number = number;
  return *made;
}

void step_collector::add(shard_findings& part) {
  assert(part.step > given_);
  partial_step& step = at(part.step);
  if (step.parts == 0) {
    step.so_far.clock = part.clock;
    step.so_far.held = part.held;
    step.so_far.batch = part.batch;
    step.after = part.after;
    step.wanted = part.shards;
  }
  if (part.asked) step.so_far.asked = part.asked;
  assert(step.parts < step.wanted && step.wanted == part.shards);
  ++step.parts;
  if (step.so_far.found.empty()) {
    step.so_far.found = std::move(part.found);
  } else {
    step.so_far.found.insert(step.so_far.found.end(), std::make_move_iterator(part.found.begin()),
                             std::make_move_iterator(part.found.end()));
  }
}

std::optional<collected_step> step_collector::next() {
  if (partial_.empty()) return std::nullopt;
  const partial_step& oldest = partial_.front();
  if (oldest.after != given_ || oldest.parts < oldest.wanted) return std::nullopt;
  collected_step complete = std::move(partial_.front().so_far);
  partial_.pop_front();
  given_ = complete.number;
  return complete;
}

}  // namespace tocsin
