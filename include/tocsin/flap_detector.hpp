// SPDX-License-Identifier: Apache-2.0
// Whether an alert flaps: changes between firing and not firing so often that each change says
// nothing.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tocsin {

/// The last 21 evaluations of an alert, as Nagios judges them: the share of the 20 changes between
/// them, weighted from 0.8 (the oldest) to 1.2 (the newest) in even steps, divided by 20. Flapping
/// begins above `enter` and ends below `leave`. (Nagios Core manual, "Detection and Handling of
/// State Flapping".) Before the first evaluation all were "does not fire". 4 bytes.
class flap_detector {
 public:
  static constexpr std::size_t evaluations = 21;
  static constexpr double enter = 0.5;
  static constexpr double leave = 0.25;

  /// The alert was evaluated: it fires, or it does not. True when flapping() changed.
  bool evaluate(bool firing) noexcept;
  [[nodiscard]] bool flapping() const noexcept { return (bits_ >> flapping_bit) & 1U; }
  /// The weighted share, 0 to 1.
  [[nodiscard]] double share() const noexcept;

  /// All of its state.
  [[nodiscard]] std::uint32_t bits() const noexcept { return bits_; }
  static flap_detector from_bits(std::uint32_t bits) noexcept;

 private:
  static constexpr unsigned flapping_bit = 31;
  std::uint32_t bits_ = 0;  ///< bit 0: the newest evaluation
};

}  // namespace tocsin
