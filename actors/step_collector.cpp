// SPDX-License-Identifier: Apache-2.0
// A short queue of steps that are not complete yet.
#include "step_collector.hpp"

#include <cassert>
#include <iterator>
#include <utility>

namespace tocsin {

void step_collector::add(shard_findings& part) {
  assert(part.step >= oldest_);
  const std::size_t place = part.step - oldest_;
  if (place >= partial_.size()) partial_.resize(place + 1);
  partial_step& step = partial_[place];
  if (step.parts == 0) {
    step.so_far.clock = part.clock;
    step.so_far.held = part.held;
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
  if (partial_.empty() || partial_.front().parts < partial_.front().wanted) return std::nullopt;
  collected_step complete = std::move(partial_.front().so_far);
  partial_.pop_front();
  ++oldest_;
  return complete;
}

}  // namespace tocsin
