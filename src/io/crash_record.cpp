// SPDX-License-Identifier: Apache-2.0
// Records of crashes, made and read without a library's help: the maker runs in signal handlers.
#include "io/crash_record.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstring>

#include "io/little_endian.hpp"
#include "tocsin/event.hpp"

namespace tocsin {
namespace {

constexpr std::string_view crash_magic = "tcCR";
constexpr char crash_version = 1;
constexpr std::size_t numbers_begin = 8;
constexpr std::size_t checksum_begin = crash_record_bytes - 8;

fingerprint print_of(const event_batch& batch, std::uint32_t event) noexcept {
  const std::uint32_t message = batch.events[event].message;
  return message < batch.messages.size() ? print_of_message(batch.messages[message])
                                         : fingerprint{};
}

/// Precondition: the record's bytes are there.
bool is_record(std::string_view bytes) {
  return bytes.starts_with(crash_magic) && bytes[4] == crash_version && bytes[5] >= 1 &&
         bytes[5] <= 3 &&
         XXH3_64bits(bytes.data(), checksum_begin) == number_at(bytes, checksum_begin);
}

}  // namespace

fingerprint print_of_message(std::string_view bytes) noexcept {
  const XXH128_hash_t print = XXH3_128bits(bytes.data(), bytes.size());
  return {print.high64, print.low64};
}

void each_record(const work_at_hand& mark, std::uint8_t signal, instant at,
                 void (*take)(const crash_record&)) noexcept {
  crash_record made;
  made.signal = signal;
  made.at = at;
  made.step = mark.step;
  if (mark.message != nullptr) {
    made.message = print_of_message(*mark.message);
    return take(made);
  }
  if (mark.batch != nullptr && mark.event < mark.batch->events.size()) {
    made.message = print_of(*mark.batch, mark.event);
    if (mark.step == 0) {
      if (made.message != fingerprint{}) take(made);
      return;
    }
    made.what = crash_record::kind::event;
    made.position = mark.batch->first_position + mark.event;
    return take(made);
  }
  if (mark.step == 0) return;
  made.what = crash_record::kind::step;
  take(made);
  if (mark.batch == nullptr) return;
  made.what = crash_record::kind::message;
  for (const std::string_view message : mark.batch->messages) {
    made.message = print_of_message(message);
    take(made);
  }
}

std::array<char, crash_record_bytes> encode_crash_record(const crash_record& of) noexcept {
  std::array<char, crash_record_bytes> bytes{};
  std::memcpy(bytes.data(), crash_magic.data(), crash_magic.size());
  bytes[4] = crash_version;
  bytes[5] = static_cast<char>(of.what);
  bytes[6] = static_cast<char>(of.signal);
  char* at = bytes.data() + numbers_begin;
  for (const std::uint64_t number : {of.position, of.step, of.message.low, of.message.high,
                                     static_cast<std::uint64_t>(to_unix_ms(of.at))}) {
    write_number(at, number);
    at += 8;
  }
  write_number(at, XXH3_64bits(bytes.data(), checksum_begin));
  return bytes;
}

crash_records decode_crash_records(std::string_view bytes) {
  crash_records read;
  for (; bytes.size() >= crash_record_bytes && is_record(bytes);
       bytes.remove_prefix(crash_record_bytes)) {
    crash_record& one = read.records.emplace_back();
    one.what = static_cast<crash_record::kind>(bytes[5]);
    one.signal = static_cast<std::uint8_t>(bytes[6]);
    one.position = number_at(bytes, numbers_begin);
    one.step = number_at(bytes, numbers_begin + 8);
    one.message.low = number_at(bytes, numbers_begin + 16);
    one.message.high = number_at(bytes, numbers_begin + 24);
    one.at = from_unix_ms(static_cast<long long>(number_at(bytes, numbers_begin + 32)));
  }
  read.ignored_bytes = bytes.size();
  return read;
}

}  // namespace tocsin
