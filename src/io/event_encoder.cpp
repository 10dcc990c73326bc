// SPDX-License-Identifier: Apache-2.0
// Writes events with msgpack-c.
#include "io/event_encoder.hpp"

#include <cassert>
#include <cmath>
#include <msgpack.hpp>
#include <utility>

namespace tocsin {

namespace {

struct string_buffer {
  std::string bytes;
  void write(const char* from, std::size_t size) { bytes.append(from, size); }
};
using packer = msgpack::packer<string_buffer>;

/// Whole numbers as integers: shorter, and what other readers expect.
void pack_number(packer& to, double number) {
  constexpr double exact_whole_max = 9007199254740992.0;
  if (number == std::trunc(number) && std::abs(number) <= exact_whole_max) {
    to.pack_int64(static_cast<std::int64_t>(number));
  } else {
    to.pack_double(number);
  }
}

void pack_label(packer& to, const label& of) {
  to.pack(of.name);
  switch (of.type) {
    case label::kind::null:
      to.pack_nil();
      break;
    case label::kind::text:
      to.pack(of.text);
      break;
    case label::kind::number:
      pack_number(to, of.number);
      break;
    case label::kind::boolean:
      to.pack(of.number != 0);
      break;
  }
}

/// Packs the keys that `of` has; counts them when `to` is null.
std::uint32_t pack_keys(packer* to, const event& of, std::span<const label> labels) {
  std::uint32_t keys = 0;
  const auto key = [&](event_field field) {
    ++keys;
    if (to != nullptr) to->pack(to_text(field));
    return to != nullptr;
  };
  for (std::size_t i = 0; i < event_field_count; ++i) {
    const auto field = static_cast<event_field>(i);
    if (is_text(field) && of.has(field) && key(field)) to->pack(of.text(field));
  }
  if (of.has_time && key(event_field::time)) to->pack_int64(to_unix_ms(of.time));
  if (of.level && key(event_field::level)) to->pack_uint8(static_cast<std::uint8_t>(*of.level));
  if (of.has_value() && key(event_field::value)) pack_number(*to, of.value);
  if (of.action != event_action::firing && key(event_field::action)) to->pack(to_text(of.action));
  if (!labels.empty() && key(event_field::labels)) {
    to->pack_map(static_cast<std::uint32_t>(labels.size()));
    for (const label& each : labels) pack_label(*to, each);
  }
  return keys;
}

}  // namespace

std::string encode_event(const event& of, std::span<const label> labels) {
  string_buffer out;
  packer to{out};
  to.pack_map(pack_keys(nullptr, of, labels));
  pack_keys(&to, of, labels);
  return std::move(out.bytes);
}

void message_builder::add(std::string_view encoded_event) {
  assert(!full());
  events_ += encoded_event;
  ++count_;
}

std::string message_builder::take() {
  string_buffer out;
  if (count_ > 1) packer{out}.pack_array(static_cast<std::uint32_t>(count_));
  out.bytes += events_;
  events_.clear();
  count_ = 0;
  return std::move(out.bytes);
}

}  // namespace tocsin
