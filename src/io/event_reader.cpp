// SPDX-License-Identifier: Apache-2.0
// Reads the shapes an event may have and the values of its fields and labels.
#include "io/event_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "io/event_keys.hpp"
#include "io/utf8.hpp"

namespace tocsin {
namespace {

constexpr std::size_t event_depth = 1;
constexpr std::size_t labels_depth = 2;
constexpr std::string_view arrival_key = "arrived_at";

constexpr std::uint32_t bit(event_field field) noexcept {
  return 1U << static_cast<unsigned>(field);
}

}  // namespace

reading event_reader::read(msgpack_cursor& at) {
  const msgpack_cursor begin = at;
  event& fresh = into_.events.emplace_back();
  fresh.labels_begin = static_cast<std::uint32_t>(into_.labels.size());
  fresh.arrived = arrived_;
  fresh.time = arrived_;
  current_ = &fresh;
  why_.code = {};
  recorded_arrival_.reset();
  seen_ = present_ = label_fields_ = 0;
  const auto bytes = [&] { return static_cast<std::size_t>(at.position() - begin.position()); };
  if (!read_element(at) || bytes() > limits_.event_bytes) return turn_away(begin, at);
  if (stamping_ == stamping::recorded && !stamp_recorded()) return turn_away(begin, at);
  if ((label_fields_ & present_) != 0) drop_overridden_labels();
  current_->labels_count = static_cast<std::uint32_t>(into_.labels.size()) - current_->labels_begin;
  return reading::accepted;
}

bool event_reader::read_element(msgpack_cursor& at) {
  msgpack_token head;
  if (!at.next(head)) return false;
  if (!head.is_container()) {
    return refuse("not_an_event", "element: seen a scalar, wanted a map or an array");
  }
  if (event_depth > limits_.nesting) {
    return refuse("too_deep", "event: seen a container, wanted none by the limit of nesting");
  }
  return head.kind == msgpack_kind::map ? read_map(at, head.count)
                                        : read_positional(at, head.count);
}

bool event_reader::read_map(msgpack_cursor& at, std::uint32_t pairs) {
  for (; pairs > 0; --pairs) {
    std::string_view name;
    if (!read_key(at, name, event_depth)) return false;
    const event_field field = recognise_key(name);
    if (field == unknown_key) {
      if (!read_label(at, name, event_depth)) return false;
      continue;
    }
    if ((seen_ & bit(field)) != 0) {
      return refuse("duplicate_key", fmt::format("{}: seen twice, wanted once", name));
    }
    seen_ |= bit(field);
    if (at.next_nil()) continue;
    present_ |= bit(field);
    if (!read_field(at, field)) return false;
  }
  return true;
}

bool event_reader::read_positional(msgpack_cursor& at, std::uint32_t elements) {
  if (elements > event_field_count) {
    return refuse("bad_type", fmt::format("event: seen an array of {}, wanted at most {} elements",
                                          elements, event_field_count));
  }
  for (std::uint32_t i = 0; i < elements; ++i) {
    if (at.next_nil()) continue;
    const auto field = static_cast<event_field>(i);
    present_ |= bit(field);
    if (!read_field(at, field)) return false;
  }
  return true;
}

bool event_reader::read_key(msgpack_cursor& at, std::string_view& name, std::size_t depth) {
  if (at.next_short_text(name)) [[likely]]
    return true;
  msgpack_token token;
  if (!at.next(token)) return false;
  if (token.kind != msgpack_kind::text) {
    return refuse_kind(at, token, {unknown_key, {}}, "a string", depth);
  }
  name = token.bytes;
  return true;
}

bool event_reader::read_field(msgpack_cursor& at, event_field field) {
  switch (field) {
    case event_field::time:
      return read_time(at);
    case event_field::level:
      return read_level(at);
    case event_field::value:
      return read_value(at);
    case event_field::action:
      return read_action(at);
    case event_field::labels:
      return read_labels(at);
    default:
      return read_text(at, field);
  }
}

bool event_reader::read_text(msgpack_cursor& at, event_field field) {
  std::string_view text;
  if (!at.next_short_text(text)) [[unlikely]] {
    msgpack_token token;
    if (!at.next(token)) return false;
    if (token.kind != msgpack_kind::text) {
      return refuse_kind(at, token, {field, {}}, "a string", event_depth);
    }
    text = token.bytes;
  }
  if (field == event_field::event_id) {
    if (text.empty() || text.size() > limits_.event_id_bytes) {
      return refuse_length("bad_event_id", {field, {}}, text.size(), 1, limits_.event_id_bytes);
    }
  } else if (text.size() > limits_.value_bytes) {
    return refuse_length("value_too_long", {field, {}}, text.size(), 0, limits_.value_bytes);
  }
  if (!valid_utf8(text)) return refuse_text("invalid_utf8", {field, {}}, text, "UTF-8");
  current_->set_text(field, text);
  return true;
}

bool event_reader::read_level(msgpack_cursor& at) {
  constexpr std::string_view wanted =
      "0 to 3, or critical, error, warning, info or one of their aliases";
  msgpack_token token;
  if (!at.next(token)) return false;
  if (token.kind == msgpack_kind::integer) {
    if (token.integer < 0 || token.integer > 3) {
      return refuse("bad_level", fmt::format("level: seen {}, wanted {}", token.integer, wanted));
    }
    current_->level = static_cast<severity>(token.integer);
    return true;
  }
  if (token.kind == msgpack_kind::huge_integer) {
    return refuse("bad_level", fmt::format("level: seen {}, wanted {}", token.real, wanted));
  }
  if (token.kind != msgpack_kind::text) {
    return refuse_kind(at, token, {event_field::level, {}}, wanted, event_depth);
  }
  const auto level = parse_severity(token.bytes);
  if (!level) return refuse_text("bad_level", {event_field::level, {}}, token.bytes, wanted);
  current_->level = *level;
  return true;
}

bool event_reader::read_value(msgpack_cursor& at) {
  constexpr std::string_view wanted = "a finite number";
  msgpack_token token;
  if (!at.next(token)) return false;
  switch (token.kind) {
    case msgpack_kind::integer:
      current_->value = static_cast<double>(token.integer);
      return true;
    case msgpack_kind::huge_integer:
      current_->value = token.real;
      return true;
    case msgpack_kind::real:
      if (!std::isfinite(token.real)) {
        return refuse("bad_value",
                      fmt::format("value: seen {}, wanted {}",
                                  std::isnan(token.real) ? "NaN" : "infinity", wanted));
      }
      current_->value = token.real;
      return true;
    default:
      return refuse_kind(at, token, {event_field::value, {}}, wanted, event_depth);
  }
}

bool event_reader::read_action(msgpack_cursor& at) {
  constexpr std::string_view wanted = "firing, resolved or closed";
  msgpack_token token;
  if (!at.next(token)) return false;
  if (token.kind != msgpack_kind::text) {
    return refuse_kind(at, token, {event_field::action, {}}, wanted, event_depth);
  }
  if (token.bytes == "firing") {
    current_->action = event_action::firing;
  } else if (token.bytes == "resolved") {
    current_->action = event_action::resolved;
  } else if (token.bytes == "closed") {
    current_->action = event_action::closed;
  } else {
    return refuse_text("bad_action", {event_field::action, {}}, token.bytes, wanted);
  }
  return true;
}

bool event_reader::read_labels(msgpack_cursor& at) {
  msgpack_token head;
  if (!at.next(head)) return false;
  if (head.kind != msgpack_kind::map) {
    return refuse_kind(at, head, {event_field::labels, {}}, "a map", event_depth);
  }
  if (labels_depth > limits_.nesting) {
    return refuse("too_deep", fmt::format("labels: seen containers {} deep, wanted at most {}",
                                          labels_depth, limits_.nesting));
  }
  for (std::uint32_t i = 0; i < head.count; ++i) {
    std::string_view name;
    if (!read_key(at, name, labels_depth) || !read_label(at, name, labels_depth)) return false;
    if (const event_field field = recognise_key(name); field != unknown_key) {
      label_fields_ |= bit(field);
    }
  }
  return true;
}

bool event_reader::read_label(msgpack_cursor& at, std::string_view name, std::size_t depth) {
  if (stamping_ == stamping::recorded && name == arrival_key) {
    return read_recorded_arrival(at, depth);
  }
  if (name.empty() || name.size() > limits_.label_name_bytes) {
    return refuse_length("bad_label_name", {event_field::labels, name}, name.size(), 1,
                         limits_.label_name_bytes);
  }
  if (!valid_utf8(name)) {
    return refuse_text("invalid_utf8", {event_field::labels, name}, name, "a name in UTF-8");
  }
  const std::size_t begin = current_->labels_begin;
  for (std::size_t i = begin; i < into_.labels.size(); ++i) {
    if (into_.labels[i].name == name) {
      return refuse("duplicate_key",
                    place{event_field::labels, name}.text() + ": seen twice, wanted once");
    }
  }
  if (into_.labels.size() - begin >= limits_.labels) {
    return refuse("too_many_labels",
                  fmt::format("labels: seen more, wanted at most {}", limits_.labels));
  }
  label& fresh = into_.labels.emplace_back();
  fresh.name = name;
  return read_label_value(at, fresh, depth);
}

bool event_reader::read_label_value(msgpack_cursor& at, label& of, std::size_t depth) {
  constexpr std::string_view wanted = "a string, a finite number, a boolean or nil";
  msgpack_token token;
  if (at.next_short_text(token.bytes)) [[likely]] {
    token.kind = msgpack_kind::text;
  } else if (!at.next(token)) {
    return false;
  }
  switch (token.kind) {
    case msgpack_kind::text: {
      const place where{event_field::labels, of.name};
      if (token.bytes.size() > limits_.value_bytes) {
        return refuse_length("value_too_long", where, token.bytes.size(), 0, limits_.value_bytes);
      }
      if (!valid_utf8(token.bytes)) return refuse_text("invalid_utf8", where, token.bytes, "UTF-8");
      of.text = token.bytes;
      of.type = label::kind::text;
      return true;
    }
    case msgpack_kind::integer:
      of.number = static_cast<double>(token.integer);
      of.type = label::kind::number;
      return true;
    case msgpack_kind::real:
    case msgpack_kind::huge_integer:
      if (!std::isfinite(token.real)) {
        return refuse("bad_value", fmt::format("{}: seen {}, wanted a finite number",
                                               place{event_field::labels, of.name}.text(),
                                               std::isnan(token.real) ? "NaN" : "infinity"));
      }
      of.number = token.real;
      of.type = label::kind::number;
      return true;
    case msgpack_kind::boolean:
      of.number = token.boolean ? 1 : 0;
      of.type = label::kind::boolean;
      return true;
    case msgpack_kind::nil:
      return true;
    default:
      return refuse_kind(at, token, {event_field::labels, of.name}, wanted, depth);
  }
}

void event_reader::drop_overridden_labels() {
  const auto begin = into_.labels.begin() + static_cast<std::ptrdiff_t>(current_->labels_begin);
  const auto kept = std::remove_if(begin, into_.labels.end(), [&](const label& of) {
    const event_field field = recognise_key(of.name);
    return field != unknown_key && (present_ & bit(field)) != 0;
  });
  into_.labels.erase(kept, into_.labels.end());
}

}  // namespace tocsin
