// SPDX-License-Identifier: Apache-2.0
// The gate's outside: made, asked, ended.
#include "io/network_gate.hpp"

#include <utility>

#include "io/gate_watch.hpp"

namespace tocsin {

network_gate::network_gate(std::unique_ptr<watch> started) : watch_(std::move(started)) {}
network_gate::~network_gate() = default;

std::shared_ptr<network_gate> network_gate::open(const network_limits& limits,
                                                 std::optional<curve_access> access,
                                                 gate_options options) {
  return std::shared_ptr<network_gate>{
      new network_gate{std::make_unique<watch>(limits, std::move(access), std::move(options))}};
}

std::vector<surface_counts> network_gate::counts() const {
  const std::scoped_lock lock(watch_->mutex);
  std::map<surface, surface_counts> sums = watch_->past;
  for (const auto& door : watch_->doors) door->add_to(sums[door->of()]);
  std::vector<surface_counts> all;
  for (auto& [of, counts] : sums) {
    counts.of = of;
    all.push_back(std::move(counts));
  }
  return all;
}

bool network_gate::curve() const noexcept {
  return watch_->curve;
}

}  // namespace tocsin
