// SPDX-License-Identifier: Apache-2.0
// The bytes of a segment of the event log, as docs/event-log.md specifies them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tocsin/event_log.hpp"
#include "tocsin/result.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

/// Bytes of a segment's header and of a record's.
inline constexpr std::uint64_t segment_header_bytes = 80;
inline constexpr std::uint64_t record_header_bytes = 48;

/// What a segment says of itself and of the one before it.
struct segment_header {
  std::uint64_t number = 0;          ///< consecutive from 1
  std::uint64_t salt = 0;            ///< of the whole log: mixed into every checksum
  std::uint64_t previous_bytes = 0;  ///< where the segment before ends; 0: there was none
  std::uint64_t previous_step = 0;   ///< newest step before this segment; 0: none
  instant previous_clock{};          ///< of that step
  std::uint64_t synced = 0;          ///< bytes on stable storage before the segment got its name
};

void encode_segment_header(const segment_header& of, std::string& into);
/// `file` is for messages. Errors: log_damaged, log_newer.
[[nodiscard]] result<segment_header> read_segment_header(std::string_view bytes,
                                                         std::uint64_t number,
                                                         const std::string& file);
/// The two places where a header that cannot be read any more may still hold its salt.
[[nodiscard]] std::optional<std::uint64_t> salt_remnant(std::string_view bytes, bool second);

/// A record, or a gap: a range of bytes that repair has taken out.
struct segment_record {
  bool is_gap = false;
  std::uint64_t step = 0;    ///< 0 of a gap
  instant clock{};           ///< 0 of a gap
  std::uint64_t synced = 0;  ///< so much of the segment was on stable storage before this record
  std::string_view payload;  ///< "" of a gap
  std::uint64_t begin = 0;   ///< bytes from the segment's begin
  std::uint64_t end = 0;
};

/// Appends a record that begins at byte `at` of segment `number`.
void encode_record(const log_record& record, const segment_header& in, std::uint64_t at,
                   std::uint64_t synced, std::string& into);
/// Appends a gap of `bytes` in all, at least record_header_bytes.
void encode_gap(const segment_header& in, std::uint64_t at, std::uint64_t bytes, std::string& into);

/// Reads what follows one behind the other in a segment.
class record_cursor {
 public:
  /// `end`: where the segment ends, which may be beyond `bytes` when some are missing.
  record_cursor(std::string_view bytes, const segment_header& header, std::uint64_t end,
                std::string file)
      : bytes_(bytes),
        header_(header),
        end_(end),
        at_(segment_header_bytes),
        last_step_(header.previous_step),
        file_(std::move(file)) {}

  /// The next record or gap, nothing at the end. Errors: log_damaged; the cursor then stays where
  /// it is, before what cannot be read.
  [[nodiscard]] result<std::optional<segment_record>> next();
  /// Before the next record, in bytes from the segment's begin.
  [[nodiscard]] std::uint64_t at() const noexcept { return at_; }
  /// Behind what cannot be read: where the next record's header is; `end` when there is none.
  [[nodiscard]] std::uint64_t next_readable() const;
  /// True when nothing but zeros is behind `at()`, where nothing is known to have been written.
  [[nodiscard]] bool has_room_only() const;
  /// True when a record behind the unreadable one shows that `at()` was on stable storage once.
  [[nodiscard]] bool was_synced() const;
  void skip_to(std::uint64_t at) noexcept { at_ = at; }

 private:
  /// A header whose checksum is right for this place.
  [[nodiscard]] std::optional<segment_record> header_at(std::uint64_t at) const;
  [[nodiscard]] std::optional<segment_record> header_from(std::uint64_t at) const;
  [[nodiscard]] error damaged(std::string_view seen_and_wanted) const;

  std::string_view bytes_;
  segment_header header_;
  std::uint64_t end_;
  std::uint64_t at_;
  std::uint64_t last_step_;
  std::string file_;
};

}  // namespace tocsin
