// SPDX-License-Identifier: Apache-2.0
// A log entry's bytes: version and head here, events and operation in the files beside.
#include "tocsin/log_entry.hpp"

#include <fmt/format.h>

#include <utility>

#include "core/log_entry_bytes.hpp"
#include "core/log_entry_parts.hpp"
#include "core/state_bytes.hpp"

namespace tocsin {
namespace {

constexpr std::uint8_t newest_version = 1;
/// Key, content and whether there is a time.
constexpr std::size_t seen_bytes_least = 16 + 8 + 1;

/// What an entry holds, one bit each.
enum holds : std::uint8_t {
  holds_batch = 1,
  holds_seen = 2,
  holds_operation = 4,
  batch_is_seen = 8,
  holds_all = 15,
};

std::uint8_t contents_of(const log_entry& entry) {
  unsigned bits = 0;
  if (entry.batch) bits |= holds_batch;
  if (!entry.seen.empty()) bits |= holds_seen;
  if (entry.asked) bits |= holds_operation;
  if (entry.batch_is_seen) bits |= batch_is_seen;
  return static_cast<std::uint8_t>(bits);
}

void write_seen(const std::vector<remembered_event>& seen, instant clock, state_writer& to) {
  to.put_small(seen.size());
  for (const remembered_event& each : seen) {
    to.put(each.key);
    to.put(each.content);
    const bool has_time = each.time != remembered_event::no_time;
    to.put(static_cast<std::uint8_t>(has_time));
    if (has_time) to.put_small(offset_of(each.time, clock));
  }
}

void read_seen(entry_reader& from, instant clock, std::vector<remembered_event>& into) {
  const std::size_t count = from.count(seen_bytes_least);
  into.reserve(count);
  for (std::size_t i = 0; i < count && !from.failed(); ++i) {
    remembered_event& each = into.emplace_back();
    each.key = from.print();
    each.content = from.eight_bytes();
    const char* const flag = from.place();
    const std::uint8_t has_time = from.byte();
    if (has_time > 1) from.refuse(flag, fmt::format("{}", has_time), "0 or 1");
    if (has_time == 1) each.time = from.time(clock);
  }
}

}  // namespace

void encode_log_entry(const log_entry& entry, std::string& into) {
  state_writer to{into};
  to.put(newest_version);
  to.put_small(entry.step);
  to.put_small(offset_of(entry.clock, instant{}));
  to.put(contents_of(entry));
  if (entry.batch) write_batch(*entry.batch, entry.clock, into);
  if (!entry.seen.empty()) write_seen(entry.seen, entry.clock, to);
  if (entry.asked) write_operation(*entry.asked, entry.clock, into);
}

result<log_entry> decode_log_entry(std::string_view bytes, std::shared_ptr<const void> owner) {
  entry_reader from{bytes};
  log_entry entry;
  const char* at = from.place();
  if (const std::uint8_t version = from.byte(); version != newest_version) {
    from.refuse(at, fmt::format("version {}", version), fmt::format("{}", newest_version));
  }
  entry.step = from.number();
  entry.clock = from.time(instant{});
  at = from.place();
  const std::uint8_t contents = from.byte();
  entry.batch_is_seen = (contents & batch_is_seen) != 0;
  if (contents > holds_all || (entry.batch_is_seen && (contents & holds_batch) == 0)) {
    from.refuse(at, fmt::format("contents {:#04x}", contents), "at most 0x0f, and 0x08 with 0x01");
  }
  if ((contents & holds_batch) != 0) {
    auto batch = read_batch(from, entry.clock);
    batch->owners.push_back(std::move(owner));
    entry.batch = std::move(batch);
  }
  if ((contents & holds_seen) != 0) read_seen(from, entry.clock, entry.seen);
  if ((contents & holds_operation) != 0) {
    entry.asked = std::make_shared<const operation>(read_operation(from, entry.clock));
  }
  if (from.left() != 0) {
    from.refuse(from.place(), fmt::format("{} bytes more", from.left()), "the entry's end");
  }
  if (from.failed()) return from.why();
  return entry;
}

}  // namespace tocsin
