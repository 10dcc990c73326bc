// SPDX-License-Identifier: Apache-2.0
// Decodes events over msgpack-c's objects, by exceptions and sets, as plainly as it can be said.
#include "support/reference_decoder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <msgpack.hpp>
#include <set>

#include "io/json_transcoder.hpp"

namespace tocsin::testing {
namespace {

using msgpack::object;
namespace type = msgpack::type;

struct fault {
  std::string_view code;
};

std::string_view view_of(const object& text) {
  // msgpack-c gives an empty string no address; an event's empty string has one, unlike an absent.
  if (text.via.str.size == 0) return {"", 0};
  return {text.via.str.ptr, text.via.str.size};
}

bool is_number(const object& seen) {
  return seen.type == type::POSITIVE_INTEGER || seen.type == type::NEGATIVE_INTEGER ||
         seen.type == type::FLOAT32 || seen.type == type::FLOAT64;
}

double number_of(const object& seen) {
  if (seen.type == type::POSITIVE_INTEGER) return static_cast<double>(seen.via.u64);
  if (seen.type == type::NEGATIVE_INTEGER) return static_cast<double>(seen.via.i64);
  return seen.via.f64;
}

/// Decodes code points and asks of each whether it was written in its shortest form and may be
/// written at all.
bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i++]);
    if (lead < 0x80) continue;
    int more = 0;
    while (more < 6 && (lead & (0x40 >> more)) != 0) ++more;
    if (more < 1 || more > 3) return false;
    std::uint32_t point = lead & (0x3FU >> more);
    for (int k = 0; k < more; ++k) {
      if (i == text.size() || (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) return false;
      point = point << 6 | (static_cast<unsigned char>(text[i++]) & 0x3FU);
    }
    const std::uint32_t smallest = more == 1 ? 0x80 : more == 2 ? 0x800 : 0x10000;
    if (point < smallest || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) return false;
  }
  return true;
}

std::size_t depth_of(const object& seen) {
  std::size_t deepest = 0;
  if (seen.type == type::ARRAY) {
    for (const object& child : seen.via.array) deepest = std::max(deepest, depth_of(child));
    return deepest + 1;
  }
  if (seen.type == type::MAP) {
    for (const auto& pair : seen.via.map) {
      deepest = std::max({deepest, depth_of(pair.key), depth_of(pair.val)});
    }
    return deepest + 1;
  }
  return 0;
}

/// Checks one unpacked element.
class element_checker {
 public:
  element_checker(const event_limits& limits, bool json, instant arrived)
      : limits_(limits), json_(json) {
    out_.arrived = out_.time = arrived;
  }

  void check(const object& element) {
    if (element.type == type::MAP) {
      if (limits_.nesting < 1) throw fault{"too_deep"};
      for (const auto& [key, value] : element.via.map) pair(key, value);
    } else if (element.type == type::ARRAY) {
      if (limits_.nesting < 1) throw fault{"too_deep"};
      if (element.via.array.size > event_field_count) throw fault{"bad_type"};
      for (std::size_t i = 0; i < element.via.array.size; ++i) {
        field(static_cast<event_field>(i), element.via.array.ptr[i]);
      }
    } else {
      throw fault{"not_an_event"};
    }
    std::erase_if(labels_, [&](const label& of) {
      const auto known = parse_event_field(of.name);
      return known && present_.count(*known) != 0;
    });
  }

  void append_to(event_batch& into) const {
    into.events.push_back(out_);
    into.events.back().labels_begin = static_cast<std::uint32_t>(into.labels.size());
    into.events.back().labels_count = static_cast<std::uint32_t>(labels_.size());
    into.labels.insert(into.labels.end(), labels_.begin(), labels_.end());
  }

 private:
  [[noreturn]] void wrong_kind(const object& seen, std::size_t containers_around) const {
    const std::size_t nesting = std::min<std::size_t>(limits_.nesting, 64);
    const std::size_t depth = depth_of(seen);
    throw fault{depth > 0 && depth + containers_around > nesting ? "too_deep" : "bad_type"};
  }

  void pair(const object& key, const object& value) {
    if (key.type != type::STR) wrong_kind(key, 1);
    const auto known = parse_event_field(view_of(key));
    if (!known) return one_label(view_of(key), value, 1);
    if (!seen_.insert(*known).second) throw fault{"duplicate_key"};
    field(*known, value);
  }

  void field(event_field known, const object& value) {
    if (value.type == type::NIL) return;
    present_.insert(known);
    switch (known) {
      case event_field::time:
        return time(value);
      case event_field::level:
        return level(value);
      case event_field::value:
        if (!is_number(value)) wrong_kind(value, 1);
        out_.value = number_of(value);
        if (!std::isfinite(out_.value)) throw fault{"bad_value"};
        return;
      case event_field::action:
        return action(value);
      case event_field::labels:
        return label_map(value);
      default:
        return text(known, value);
    }
  }

  void text(event_field known, const object& value) {
    if (value.type != type::STR) wrong_kind(value, 1);
    const std::string_view seen = view_of(value);
    if (known == event_field::event_id) {
      if (seen.empty() || seen.size() > limits_.event_id_bytes) throw fault{"bad_event_id"};
    } else if (seen.size() > limits_.value_bytes) {
      throw fault{"value_too_long"};
    }
    if (!is_utf8(seen)) throw fault{"invalid_utf8"};
    out_.set_text(known, seen);
  }

  void time(const object& value) {
    constexpr std::int64_t year_10000 = 253'402'300'800;
    std::int64_t ms = 0;
    if (value.type == type::POSITIVE_INTEGER) {
      if (value.via.u64 >= std::uint64_t{year_10000} * 1000) throw fault{"bad_time"};
      ms = static_cast<std::int64_t>(value.via.u64);
    } else if (value.type == type::NEGATIVE_INTEGER) {
      throw fault{"bad_time"};
    } else if (value.type == type::EXT && value.via.ext.type() == -1) {
      timespec seen{};
      try {
        seen = value.as<timespec>();
      } catch (const msgpack::type_error&) {
        throw fault{"bad_time"};
      }
      if (seen.tv_nsec < 0 || seen.tv_nsec >= 1'000'000'000) throw fault{"bad_time"};
      if (seen.tv_sec < 0 || seen.tv_sec >= year_10000) throw fault{"bad_time"};
      ms = seen.tv_sec * 1000 + seen.tv_nsec / 1'000'000;
    } else if (value.type == type::STR && json_) {
      const auto parsed = parse_rfc3339(view_of(value));
      if (!parsed || to_unix_ms(*parsed) < 0) throw fault{"bad_time"};
      ms = to_unix_ms(*parsed);
      if (ms >= year_10000 * 1000) throw fault{"bad_time"};
    } else {
      wrong_kind(value, 1);
    }
    if (from_unix_ms(ms) > out_.arrived + limits_.time_ahead_max) throw fault{"time_in_future"};
    out_.time = from_unix_ms(ms);
    out_.has_time = true;
  }

  void level(const object& value) {
    if (value.type == type::NEGATIVE_INTEGER) throw fault{"bad_level"};
    if (value.type == type::POSITIVE_INTEGER) {
      if (value.via.u64 > 3) throw fault{"bad_level"};
      out_.level = static_cast<severity>(value.via.u64);
      return;
    }
    if (value.type != type::STR) wrong_kind(value, 1);
    out_.level = parse_severity(view_of(value));
    if (!out_.level) throw fault{"bad_level"};
  }

  void action(const object& value) {
    if (value.type != type::STR) wrong_kind(value, 1);
    for (const auto one : {event_action::firing, event_action::resolved, event_action::closed}) {
      if (to_text(one) == view_of(value)) {
        out_.action = one;
        return;
      }
    }
    throw fault{"bad_action"};
  }

  void label_map(const object& value) {
    if (value.type != type::MAP) wrong_kind(value, 1);
    if (limits_.nesting < 2) throw fault{"too_deep"};
    for (const auto& [key, inner] : value.via.map) {
      if (key.type != type::STR) wrong_kind(key, 2);
      one_label(view_of(key), inner, 2);
    }
  }

  void one_label(std::string_view name, const object& value, std::size_t containers_around) {
    if (name.empty() || name.size() > limits_.label_name_bytes) throw fault{"bad_label_name"};
    if (!is_utf8(name)) throw fault{"invalid_utf8"};
    if (!label_names_.insert(name).second) throw fault{"duplicate_key"};
    if (labels_.size() == limits_.labels) throw fault{"too_many_labels"};
    label fresh;
    fresh.name = name;
    if (value.type == type::STR) {
      fresh.text = view_of(value);
      fresh.type = label::kind::text;
      if (fresh.text.size() > limits_.value_bytes) throw fault{"value_too_long"};
      if (!is_utf8(fresh.text)) throw fault{"invalid_utf8"};
    } else if (value.type == type::BOOLEAN) {
      fresh.number = value.via.boolean ? 1 : 0;
      fresh.type = label::kind::boolean;
    } else if (is_number(value)) {
      fresh.number = number_of(value);
      fresh.type = label::kind::number;
      if (!std::isfinite(fresh.number)) throw fault{"bad_value"};
    } else if (value.type != type::NIL) {
      wrong_kind(value, containers_around);
    }
    labels_.push_back(fresh);
  }

  const event_limits& limits_;
  bool json_;
  event out_;
  std::vector<label> labels_;
  std::set<event_field> seen_;
  std::set<event_field> present_;
  std::set<std::string_view> label_names_;
};

std::string source_of(const object& element, const event_limits& limits) {
  const object* found = nullptr;
  if (element.type == type::ARRAY && element.via.array.size > 1) found = &element.via.array.ptr[1];
  if (element.type == type::MAP) {
    for (const auto& [key, value] : element.via.map) {
      if (found == nullptr && key.type == type::STR && view_of(key) == "source_id") found = &value;
    }
  }
  if (found == nullptr || found->type != type::STR) return {};
  const std::string_view text = view_of(*found);
  return text.size() <= limits.value_bytes && is_utf8(text) ? std::string{text} : std::string{};
}

/// The number of elements when the bytes begin with an array's whole head, which `offset` is moved
/// behind; 1 otherwise.
std::uint32_t batch_head(std::string_view bytes, std::size_t& offset) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned lead = byte(0);
  const std::size_t length_bytes = lead == 0xDC ? 2 : lead == 0xDD ? 4 : 0;
  const bool is_short = lead >= 0x90 && lead <= 0x9F;
  if ((length_bytes == 0 && !is_short) || bytes.size() < 1 + length_bytes) return 1;
  std::uint32_t count = is_short ? lead & 0x0FU : 0;
  for (std::size_t i = 1; i <= length_bytes; ++i) count = count << 8 | byte(i);
  offset = 1 + length_bytes;
  return count;
}

/// False when the bytes end in the midst of the elements.
bool decode_elements(std::string_view bytes, std::size_t& offset, std::uint32_t count, bool json,
                     const event_limits& limits, instant arrived, decoded_message& out) {
  // No container can hold more elements than there are bytes: more is torn.
  const msgpack::unpack_limit bound{bytes.size(), bytes.size()};
  const auto by_reference = [](type::object_type, std::size_t, void*) { return true; };
  for (std::uint32_t i = 0; i < count; ++i) {
    if (i >= limits.events_per_message) {
      out.refused.push_back({i, "too_many_events", {}, {}});
      return false;
    }
    const std::size_t begin = offset;
    msgpack::object_handle element;
    try {
      if (begin >= bytes.size()) throw msgpack::insufficient_bytes("no element");
      element = msgpack::unpack(bytes.data(), bytes.size(), offset, by_reference, nullptr, bound);
    } catch (const msgpack::unpack_error&) {
      out.refused.push_back({i, "malformed", {}, {}});
      return false;
    }
    element_checker checker{limits, json, arrived};
    try {
      if (offset - begin > limits.event_bytes) throw fault{"event_too_large"};
      checker.check(element.get());
      checker.append_to(out.batch);
    } catch (const fault& seen) {
      out.refused.push_back({i, seen.code, {}, source_of(element.get(), limits)});
    }
  }
  return true;
}

std::string show(const label& of) {
  return fmt::format("{}={}/{}/{}", of.name, of.text, of.number, static_cast<int>(of.type));
}

std::string show(const event_batch& batch, const event& of) {
  std::string out =
      fmt::format("time {} ({}) arrived {} level {} value {} action {}", to_unix_ms(of.time),
                  of.has_time, to_unix_ms(of.arrived), of.level ? static_cast<int>(*of.level) : -1,
                  of.has_value() ? fmt::format("{}", of.value) : "none", to_text(of.action));
  for (std::size_t i = 0; i < event_field_count; ++i) {
    const auto field = static_cast<event_field>(i);
    if (of.has(field)) out += fmt::format(" {}=\"{}\"", to_text(field), of.text(field));
  }
  for (const label& one : batch.labels_of(of)) out += " [" + show(one) + "]";
  return out;
}

}  // namespace

decoded_message reference_decode(std::string_view message, const event_limits& limits,
                                 instant arrived) {
  decoded_message out;
  const auto first = message.find_first_not_of(" \t\n\r");
  if (message.size() > limits.message_bytes) {
    out.refused.push_back({0, "message_too_large", {}, {}});
    return out;
  }
  if (first == std::string_view::npos) {
    out.refused.push_back({0, "empty_message", {}, {}});
    return out;
  }
  std::size_t offset = 0;
  if (message[first] != '{' && message[first] != '[') {
    const std::uint32_t count = batch_head(message, offset);
    if (decode_elements(message, offset, count, false, limits, arrived, out) &&
        offset < message.size()) {
      out.refused.push_back({count, "trailing_bytes", {}, {}});
    }
    return out;
  }
  const auto json = std::make_shared<transcoded_json>(
      transcode_json(message, std::min<std::size_t>(limits.nesting, 64)));
  out.batch.owners.push_back(json);
  decode_elements(json->elements, offset, json->count, true, limits, arrived, out);
  if (json->end == transcoded_json::ending::malformed) {
    out.refused.push_back({json->count, "malformed", {}, {}});
  } else if (json->end == transcoded_json::ending::trailing_bytes) {
    out.refused.push_back({json->count, "trailing_bytes", {}, {}});
  }
  return out;
}

decoded_message decode(std::string_view message, const event_limits& limits, instant arrived) {
  decoded_message out;
  event_decoder{limits}.decode(message, arrived, out.batch, out.refused);
  return out;
}

std::string difference(const decoded_message& got, const decoded_message& wanted) {
  const auto& [batch, refused] = got;
  if (batch.events.size() != wanted.batch.events.size()) {
    return fmt::format("{} events, wanted {}", batch.events.size(), wanted.batch.events.size());
  }
  if (batch.labels.size() != wanted.batch.labels.size()) {
    return fmt::format("{} labels, wanted {}", batch.labels.size(), wanted.batch.labels.size());
  }
  for (std::size_t i = 0; i < batch.events.size(); ++i) {
    const std::string one = show(batch, batch.events[i]);
    const std::string other = show(wanted.batch, wanted.batch.events[i]);
    if (one != other) return fmt::format("event {}: {}\nwanted: {}", i, one, other);
  }
  if (refused.size() != wanted.refused.size()) {
    return fmt::format("{} refusals, wanted {}", refused.size(), wanted.refused.size());
  }
  for (std::size_t i = 0; i < refused.size(); ++i) {
    const auto text = [](const rejection& of) {
      return fmt::format("{} {} from \"{}\"", of.index, of.code, of.source);
    };
    if (text(refused[i]) != text(wanted.refused[i])) {
      return fmt::format("refusal {} ({}), wanted {}", text(refused[i]), refused[i].message,
                         text(wanted.refused[i]));
    }
  }
  return {};
}

}  // namespace tocsin::testing
