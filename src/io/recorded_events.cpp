// SPDX-License-Identifier: Apache-2.0
// Decodes recordings; a recording's own key `arrived_at` shows up as a label and is taken out
// again.
#include "io/recorded_events.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "io/event_encoder.hpp"

namespace tocsin {

namespace {

constexpr std::string_view arrival_key = "arrived_at";
/// Far enough ahead that no time is refused before the arrival is known; small enough to add.
constexpr duration any_time_ahead = std::chrono::hours{24 * 365 * 10'000};

event_limits limits_for_reading(event_limits limits) {
  limits.time_ahead_max = any_time_ahead;
  ++limits.labels;  // for arrived_at
  return limits;
}

std::optional<instant> arrival_of(const label& of) {
  // Up to here every double is exact to the millisecond.
  constexpr double exact_max = 9007199254740992.0;
  if (of.type == label::kind::text) return parse_rfc3339(of.text);
  if (of.type != label::kind::number || std::abs(of.number) > exact_max ||
      of.number != std::trunc(of.number)) {
    return std::nullopt;
  }
  return from_unix_ms(static_cast<long long>(of.number));
}

}  // namespace

recorded_events::recorded_events(event_limits limits)
    : limits_(limits), decoder_(limits_for_reading(limits)) {}

void recorded_events::read(std::string_view message, std::vector<recorded_event>& into,
                           std::vector<rejection>& refused) {
  event_batch batch;
  decoder_.decode(message, clock_, batch, refused);
  for (std::uint32_t index = 0; index < batch.events.size(); ++index) {
    read_event(batch, index, into, refused);
  }
}

void recorded_events::read_event(const event_batch& batch, std::uint32_t index,
                                 std::vector<recorded_event>& into,
                                 std::vector<rejection>& refused) {
  const auto& of = batch.events[index];
  const auto source = std::string(of.text(event_field::source_id));
  std::optional<instant> arrived;
  kept_labels_.clear();
  for (const auto& each : batch.labels_of(of)) {
    if (each.name != arrival_key) {
      kept_labels_.push_back(each);
    } else if (arrived = arrival_of(each); !arrived) {
      refused.push_back(
          {index, "bad_time",
           fmt::format("arrived_at: seen {}, wanted Unix milliseconds or RFC 3339",
                       each.type == label::kind::text ? fmt::format("\"{}\"", each.text)
                                                      : fmt::format("{}", each.number)),
           source});
      return;
    }
  }
  if (kept_labels_.size() > limits_.labels) {
    refused.push_back(
        {index, "too_many_labels",
         fmt::format("labels: seen {}, wanted at most {}", kept_labels_.size(), limits_.labels),
         source});
    return;
  }
  if (!arrived && of.has_time) arrived = of.time;
  const auto arrival = std::max(clock_, arrived.value_or(clock_));
  if (of.has_time && of.time > arrival + limits_.time_ahead_max) {
    refused.push_back({index, "time_in_future",
                       fmt::format("time: seen {}, wanted at most {} after the arrival {}",
                                   format_rfc3339(of.time), format_duration(limits_.time_ahead_max),
                                   format_rfc3339(arrival)),
                       source});
    return;
  }
  clock_ = arrival;
  into.push_back({arrival, encode_event(of, kept_labels_)});
}

}  // namespace tocsin
