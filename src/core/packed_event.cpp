// SPDX-License-Identifier: Apache-2.0
// Packing of keys and representative events: each text with its length before it, numbers as their
// bytes.
#include "core/packed_event.hpp"

#include <cstring>

#include "core/varint.hpp"
#include "tocsin/expression.hpp"

namespace tocsin {
namespace {

constexpr std::uint32_t null_bytes = 0xffffffff;

template <class Plain>
void put(std::string& into, const Plain& plain) {
  const std::size_t at = into.size();
  into.resize(at + sizeof plain);
  std::memcpy(into.data() + at, &plain, sizeof plain);
}

void put_text(std::string& into, std::string_view text) {
  put(into, text.data() == nullptr ? null_bytes : static_cast<std::uint32_t>(text.size()));
  into.append(text);
}

void put_key_text(std::string& into, std::string_view text) {
  const std::uint64_t marked = text.data() == nullptr ? 0 : std::uint64_t{text.size()} + 1;
  const std::size_t at = into.size();
  into.resize(at + varint_bytes(marked));
  write_varint(into.data() + at, marked);
  into.append(text);
}

struct reader {
  std::string_view rest;

  template <class Plain>
  Plain take() {
    Plain plain;
    std::memcpy(&plain, rest.data(), sizeof plain);
    rest.remove_prefix(sizeof plain);
    return plain;
  }
  std::string_view take_text() {
    const auto bytes = take<std::uint32_t>();
    if (bytes == null_bytes) return {};
    const std::string_view text = rest.substr(0, bytes);
    rest.remove_prefix(bytes);
    return text;
  }
};

}  // namespace

std::string_view group_text(const group_field& field, const event_batch& batch, const event& from,
                            std::string& scratch) {
  if (field.field) return from.text(*field.field);
  for (const label& one : batch.labels_of(from)) {
    if (one.name != field.label) continue;
    switch (one.type) {
      case label::kind::null:
        return {};
      case label::kind::text:
        return one.text;
      case label::kind::boolean:
        return one.number != 0 ? "true" : "false";
      case label::kind::number:
        scratch = value::of(one.number).to_text();
        return scratch;
    }
  }
  return {};
}

std::string pack_key(const group& of, const event_batch& batch, const event& from) {
  std::string packed;
  pack_key(of, batch, from, packed);
  return packed;
}

void pack_key(const group& of, const event_batch& batch, const event& from, std::string& into) {
  into.clear();
  std::string scratch;
  for (const group_field& field : of.fields)
    put_key_text(into, group_text(field, batch, from, scratch));
}

std::string pack_key(std::span<const std::string_view> values) {
  std::string packed;
  for (const std::string_view text : values) put_key_text(packed, text);
  return packed;
}

std::vector<std::string_view> unpack_key(std::string_view packed) {
  std::vector<std::string_view> values;
  while (!packed.empty()) {
    const std::uint64_t marked = take_varint(packed);
    const std::string_view text = marked == 0 ? std::string_view{} : packed.substr(0, marked - 1);
    packed.remove_prefix(text.size());
    values.push_back(text);
  }
  return values;
}

void pack_event(const event_batch& batch, const event& from, std::string& into) {
  into.clear();
  put(into, from.time);
  put(into, from.value);
  put(into, from.level);
  put(into, from.action);
  for (const std::string_view text : from.texts) put_text(into, text);
  put(into, from.labels_count);
  for (const label& one : batch.labels_of(from)) {
    put(into, one.type);
    put(into, one.number);
    put_text(into, one.name);
    put_text(into, one.text);
  }
}

event_batch unpack_event(std::string_view packed) {
  event_batch batch;
  event& one = batch.events.emplace_back();
  reader from{packed};
  one.time = from.take<instant>();
  one.value = from.take<double>();
  one.level = from.take<std::optional<severity>>();
  one.action = from.take<event_action>();
  for (std::string_view& text : one.texts) text = from.take_text();
  one.labels_count = from.take<std::uint32_t>();
  for (std::uint32_t i = 0; i < one.labels_count; ++i) {
    label& added = batch.labels.emplace_back();
    added.type = from.take<label::kind>();
    added.number = from.take<double>();
    added.name = from.take_text();
    added.text = from.take_text();
  }
  return batch;
}

}  // namespace tocsin
