// SPDX-License-Identifier: Apache-2.0
// First and newest values of any type.
#include "core/kept_value.hpp"

#include <string_view>
#include <tuple>

#include "core/value_text.hpp"

namespace tocsin {

void kept_value::add(std::int64_t time_ms, std::uint64_t position, const value& seen) {
  if (!kept_.is_missing()) {
    const bool earlier = std::tie(time_ms, position) < std::tie(time_ms_, position_);
    if (earlier != (which_ == end::first)) return;
  }
  time_ms_ = time_ms;
  position_ = position;
  kept_ = seen;
  kept_.text = {};
  text_.assign(seen.text);
}

void kept_value::merge(const kept_value& other) {
  if (!other.kept_.is_missing()) add(other.time_ms_, other.position_, other.get());
}

value kept_value::get() const {
  value seen = kept_;
  if (seen.type == value_type::text) seen.text = text_;
  return seen;
}

std::size_t kept_value::heap_bytes() const noexcept {
  return heap_bytes_of(text_);
}

void kept_value::save(state_writer& to) const {
  to.put(time_ms_);
  to.put(position_);
  to.put(kept_.type);
  to.put(static_cast<std::uint8_t>(kept_.boolean));
  to.put(kept_.integer);
  to.put(kept_.number);
  to.put_text(text_);
}

void kept_value::load(state_reader& from) {
  time_ms_ = from.take<std::int64_t>();
  position_ = from.take<std::uint64_t>();
  kept_.type = from.take<value_type>();
  kept_.boolean = from.take<std::uint8_t>() != 0;
  kept_.integer = from.take<std::int64_t>();
  kept_.number = from.take<double>();
  text_.assign(from.take_text());
  if (kept_.type >= value_type::dynamic) {
    kept_ = {};
    from.fail();
  }
}

}  // namespace tocsin
