// SPDX-License-Identifier: Apache-2.0
// Writes and reads segment headers, records and gaps.
#include "io/segment_log_format.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <cassert>
#include <limits>

#include "io/little_endian.hpp"

namespace tocsin {
namespace {

constexpr std::string_view segment_magic = "tocsinEL";
constexpr std::uint32_t segment_version = 1;
constexpr std::string_view record_marker = "TLR";
constexpr char record_kind = 'e';
constexpr char gap_kind = 'g';

std::uint64_t signed_bits(instant at) {
  return static_cast<std::uint64_t>(to_unix_ms(at));
}
instant instant_of(std::uint64_t bits) {
  return from_unix_ms(static_cast<long long>(bits));
}

/// Differs for every place of every log: a record is good only where it was written.
std::uint64_t seed_of(const segment_header& in, std::uint64_t at) {
  return in.salt + (in.number << 40U) + at;
}

void encode_record_header(const segment_record& of, const segment_header& in,
                          std::uint64_t payload_checksum, std::string& into) {
  const std::size_t begin = into.size();
  put_number(into, 0);
  into.append(record_marker);
  into.push_back(of.is_gap ? gap_kind : record_kind);
  put_number(into, of.end - of.begin - record_header_bytes, 4);
  put_number(into, of.step);
  put_number(into, signed_bits(of.clock));
  put_number(into, of.synced);
  put_number(into, payload_checksum);
  write_number(into.data() + begin,
               XXH3_64bits_withSeed(into.data() + begin + 8, record_header_bytes - 8,
                                    seed_of(in, of.begin)));
}

error header_error(const std::string& file, std::uint64_t at, const std::string& seen_and_wanted) {
  return {"log_damaged", fmt::format("{}: byte {}: {}", file, at, seen_and_wanted)};
}

}  // namespace

void encode_segment_header(const segment_header& of, std::string& into) {
  const std::size_t begin = into.size();
  into.append(segment_magic);
  put_number(into, segment_version);
  put_number(into, of.number);
  put_number(into, of.salt);
  put_number(into, of.previous_bytes);
  put_number(into, of.previous_step);
  put_number(into, signed_bits(of.previous_clock));
  put_number(into, of.synced);
  put_number(into, of.salt);
  put_number(into, XXH3_64bits(into.data() + begin, segment_header_bytes - 8));
}

result<segment_header> read_segment_header(std::string_view bytes, std::uint64_t number,
                                           const std::string& file) {
  if (bytes.size() < segment_header_bytes) {
    return header_error(file, bytes.size(),
                        fmt::format("seen the end of the file, wanted a segment header of {} bytes",
                                    segment_header_bytes));
  }
  if (bytes.substr(0, segment_magic.size()) != segment_magic)
    return header_error(file, 0, "seen another kind of file, wanted a segment of an event log");
  const std::uint64_t wanted = XXH3_64bits(bytes.data(), segment_header_bytes - 8);
  const std::uint64_t seen = number_at(bytes, segment_header_bytes - 8);
  if (seen != wanted) {
    return header_error(
        file, 0,
        fmt::format("seen a segment header with the checksum {:016x}, wanted {:016x}", seen,
                    wanted));
  }
  if (const auto version = number_at(bytes, 8); version > segment_version) {
    return error{"log_newer", fmt::format("{}: byte 8: seen format version {}, wanted at most {}: "
                                          "a later version of tocsin wrote it",
                                          file, version, segment_version)};
  }
  segment_header read;
  read.number = number_at(bytes, 16);
  read.salt = number_at(bytes, 24);
  read.previous_bytes = number_at(bytes, 32);
  read.previous_step = number_at(bytes, 40);
  read.previous_clock = instant_of(number_at(bytes, 48));
  read.synced = number_at(bytes, 56);
  if (read.number != number) {
    return header_error(
        file, 16,
        fmt::format("seen segment {}, wanted segment {}, as its name says", read.number, number));
  }
  return read;
}

std::optional<std::uint64_t> salt_remnant(std::string_view bytes, bool second) {
  const std::size_t at = second ? 64 : 24;
  if (bytes.size() < at + 8) return std::nullopt;
  return number_at(bytes, at);
}

void encode_record(const log_record& record, const segment_header& in, std::uint64_t at,
                   std::uint64_t synced, std::string& into) {
  assert(record.bytes.size() <= std::numeric_limits<std::uint32_t>::max());
  assert(synced <= at);
  segment_record written;
  written.step = record.step;
  written.clock = record.clock;
  written.synced = synced;
  written.begin = at;
  written.end = at + record_header_bytes + record.bytes.size();
  encode_record_header(
      written, in, XXH3_64bits_withSeed(record.bytes.data(), record.bytes.size(), seed_of(in, at)),
      into);
  into.append(record.bytes);
}

void encode_gap(const segment_header& in, std::uint64_t at, std::uint64_t bytes,
                std::string& into) {
  assert(bytes >= record_header_bytes);
  assert(bytes - record_header_bytes <= std::numeric_limits<std::uint32_t>::max());
  segment_record written;
  written.is_gap = true;
  written.begin = at;
  written.end = at + bytes;
  encode_record_header(written, in, 0, into);
  into.append(bytes - record_header_bytes, '\0');
}

std::optional<segment_record> record_cursor::header_at(std::uint64_t at) const {
  if (at > bytes_.size() || bytes_.size() - at < record_header_bytes) return std::nullopt;
  const std::string_view header = bytes_.substr(at, record_header_bytes);
  const char kind = header[11];
  if (header.substr(8, record_marker.size()) != record_marker ||
      (kind != record_kind && kind != gap_kind))
    return std::nullopt;
  if (number_at(header, 0) !=
      XXH3_64bits_withSeed(header.data() + 8, record_header_bytes - 8, seed_of(header_, at)))
    return std::nullopt;
  segment_record read;
  read.is_gap = kind == gap_kind;
  read.begin = at;
  read.end = at + record_header_bytes + number_at(header, 12, 4);
  read.step = number_at(header, 16);
  read.clock = instant_of(number_at(header, 24));
  read.synced = number_at(header, 32);
  if (!read.is_gap && read.end <= bytes_.size())
    read.payload = bytes_.substr(at + record_header_bytes, number_at(header, 12, 4));
  return read;
}

std::optional<segment_record> record_cursor::header_from(std::uint64_t at) const {
  // Records have any length, so a header may begin at any byte.
  for (std::uint64_t from = at + 8;;) {
    const auto marker = bytes_.find(record_marker, from);
    if (marker == std::string_view::npos || marker - 8 >= end_) return std::nullopt;
    if (auto found = header_at(marker - 8)) return found;
    from = marker + 1;
  }
}

error record_cursor::damaged(std::string_view seen_and_wanted) const {
  return {"log_damaged", fmt::format("{}: byte {}: {}", file_, at_, seen_and_wanted)};
}

result<std::optional<segment_record>> record_cursor::next() {
  if (at_ == end_) return std::optional<segment_record>{};
  const auto read = header_at(at_);
  const std::uint64_t left = std::min<std::uint64_t>(bytes_.size(), end_) -
                             std::min<std::uint64_t>({at_, bytes_.size(), end_});
  if (!read) {
    return left < record_header_bytes
               ? damaged(fmt::format("seen {} bytes and the end of the file, wanted a record of "
                                     "{} bytes or more",
                                     left, record_header_bytes))
               : damaged(
                     "seen bytes that are no record's header, or one whose checksum is wrong, "
                     "wanted a record");
  }
  if (read->end - read->begin > left) {
    return damaged(fmt::format("seen {} bytes and the end of the segment, wanted the {} of step {}",
                               left, read->end - read->begin, read->step));
  }
  if (!read->is_gap) {
    const std::uint64_t seen =
        XXH3_64bits_withSeed(read->payload.data(), read->payload.size(), seed_of(header_, at_));
    const std::uint64_t wanted = number_at(bytes_, at_ + 40);
    if (seen != wanted) {
      return damaged(fmt::format("seen bytes of step {} with the checksum {:016x}, wanted {:016x}",
                                 read->step, seen, wanted));
    }
    if (read->step <= last_step_) {
      return damaged(
          fmt::format("seen step {}, wanted one beyond step {}", read->step, last_step_));
    }
    last_step_ = read->step;
  }
  at_ = read->end;
  return read;
}

std::uint64_t record_cursor::next_readable() const {
  // Where only the payload is wrong, what follows is known; a length that leads nowhere is not
  // believed.
  if (const auto here = header_at(at_); here && (here->end == end_ || header_at(here->end)))
    return here->end;
  const auto found = header_from(at_ + record_header_bytes);
  return found ? found->begin : end_;
}

bool record_cursor::has_room_only() const {
  return header_.synced <= at_ && at_ < bytes_.size() &&
         bytes_.find_first_not_of('\0', at_) == std::string_view::npos;
}

bool record_cursor::was_synced() const {
  if (header_.synced > at_) return true;
  for (std::uint64_t from = at_ + record_header_bytes;;) {
    const auto found = header_from(from);
    if (!found) return false;
    if (found->synced > at_) return true;
    from = found->begin + record_header_bytes;
  }
}

}  // namespace tocsin
