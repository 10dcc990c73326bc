// SPDX-License-Identifier: Apache-2.0
// Keeps each source within its quota, and chooses what is shed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "tocsin/event.hpp"
#include "tocsin/ingest_quotas.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

/// True when an event of this level is dropped while the pipeline is `pressure` (0 to 1) full.
[[nodiscard]] bool is_shed_at(double pressure, const std::optional<severity>& level) noexcept;

/// Not thread-safe. Time is given with each call and never decreases.
class source_quotas {
 public:
  /// Sources beyond this many that send in one hour and are not named have one quota together.
  static constexpr std::size_t sources_max = 10'000;
  /// Keys counted in one hour, all sources together: further ones are refused.
  static constexpr std::size_t keys_max = 2'000'000;

  explicit source_quotas(ingest_quotas wanted);
  // A copy's states would point to the original's quotas.
  source_quotas(const source_quotas&) = delete;
  source_quotas& operator=(const source_quotas&) = delete;

  /// False: nothing is bounded, and nothing need be asked.
  [[nodiscard]] bool any() const noexcept { return any_; }
  [[nodiscard]] bool shed() const noexcept { return wanted_.shed; }

  [[nodiscard]] bool disabled(std::string_view source) const;

  /// A token bucket a source, full at first: it holds `burst` times events_per_second. True: the
  /// event is within the quota and is counted.
  [[nodiscard]] bool take_one(std::string_view source, instant now);

  struct demand {
    std::string_view source;
    std::uint64_t events = 0;
  };
  /// All of it, which is then counted, or nothing, and the time after which it fits. Where a source
  /// wants more than its bucket ever holds, a full bucket suffices, and what is missing is owed.
  [[nodiscard]] std::optional<duration> take_all(std::span<const demand> wanted, instant now);

  /// True: the event's key is one of those that its source may have in this hour, of the clock's
  /// hours since the epoch.
  [[nodiscard]] bool admit_key(const event& one, instant now);

 private:
  struct state {
    const source_quota* quota;
    std::int64_t thousandths = 0;  ///< of events, in the bucket; below 0: owed
    instant filled{};
    std::unordered_set<std::uint64_t> keys;
  };

  [[nodiscard]] const source_quota& quota_of(std::string_view source) const;
  [[nodiscard]] std::int64_t full(const source_quota& of) const noexcept;
  /// Its bucket as it is at `now`.
  state& of(std::string_view source, instant now);
  void fill(state& at, instant now) const;
  void begin_hour(instant now);

  ingest_quotas wanted_;
  bool any_;
  std::unordered_map<std::string, state> sources_;
  std::size_t keys_ = 0;
  std::int64_t hour_ = 0;
};

}  // namespace tocsin
