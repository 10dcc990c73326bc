// SPDX-License-Identifier: Apache-2.0
// What a crash leaves behind: which message, event or step the crashing thread had at hand.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "tocsin/fingerprint.hpp"
#include "tocsin/time.hpp"
#include "tocsin/work_at_hand.hpp"

namespace tocsin {

/// One thing that was at hand at one crash. All records of one crash have the same `at`.
struct crash_record {
  enum class kind : std::uint8_t { message = 1, event = 2, step = 3 };
  kind what = kind::message;
  std::uint8_t signal = 0;     ///< that ended the process; 0: an exception did
  std::uint64_t position = 0;  ///< of an event: its position in the log
  std::uint64_t step = 0;      ///< of the log, which may not have got it any more; 0: none yet
  fingerprint message;         ///< print_of_message of what it came in as; all 0: not known
  instant at{};                ///< when, by the wall clock

  friend bool operator==(const crash_record&, const crash_record&) = default;
};

/// The identity of a message: XXH3-128 (seed 0) of its bytes.
[[nodiscard]] fingerprint print_of_message(std::string_view bytes) noexcept;

/// Gives `take` the records of a crash with this at hand: the message that is decoded; or the event
/// that is gone through (before its step is in the log: its message, where it has one); or the step
/// and all its messages. None when nothing is at hand. For signal handlers: nothing is allocated.
void each_record(const work_at_hand& mark, std::uint8_t signal, instant at,
                 void (*take)(const crash_record&)) noexcept;

/// Bytes of a record: "tcCR", version (1), kind, signal, 0, then 8 bytes each, little endian:
/// position, step, the message's print (low, high), Unix ms, and XXH3-64 (seed 0) of all before.
inline constexpr std::size_t crash_record_bytes = 56;
/// For signal handlers, too.
[[nodiscard]] std::array<char, crash_record_bytes> encode_crash_record(
    const crash_record& of) noexcept;

/// The records of a file, up to the first that is cut off or no record.
struct crash_records {
  std::vector<crash_record> records;
  std::size_t ignored_bytes = 0;  ///< behind them
};
[[nodiscard]] crash_records decode_crash_records(std::string_view bytes);

}  // namespace tocsin
