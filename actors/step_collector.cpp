// SPDX-License-Identifier: Apache-2.0
// A short queue of steps that are not complete yet.
#include "step_collector.hpp"

#include <cassert>
#include <iterator>
#include <utility>

namespace tocsin {

std::optional<collected_step> step_collector::take(shard_findings& part) {
  assert(part.shard < next_step_.size() && part.step == next_step_[part.shard]);
  ++next_step_[part.shard];
  const std::size_t place = part.step - oldest_;
  assert(place <= partial_.size());
  if (place == partial_.size()) {
    partial_.push_back({{part.clock, {}, part.held}, next_step_.size()});
  }
  partial_step& step = partial_[place];
  if (step.so_far.found.empty()) {
    step.so_far.found = std::move(part.found);
  } else {
    step.so_far.found.insert(step.so_far.found.end(), std::make_move_iterator(part.found.begin()),
                             std::make_move_iterator(part.found.end()));
  }
  if (--step.missing > 0) return std::nullopt;

  assert(place == 0);
  collected_step complete = std::move(step.so_far);
  partial_.pop_front();
  ++oldest_;
  return complete;
}

}  // namespace tocsin
