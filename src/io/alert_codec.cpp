// SPDX-License-Identifier: Apache-2.0
// The alert map, described once and written by a msgpack and a JSON writer; stream headers; msgpack
// to JSON.
#include "io/alert_codec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <iterator>
#include <msgpack.hpp>
#include <nlohmann/json.hpp>
#include <optional>

namespace tocsin {

namespace {

/// Containers inside containers beyond this are malformed.
constexpr std::size_t depth_max = 64;
/// Whole numbers up to here are exact in a double.
constexpr double exact_whole_max = 9007199254740992.0;

void append_json_text(std::string& out, std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
  });
  if (plain) {
    out.append(1, '"').append(text).append(1, '"');
  } else {
    out += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
}

void append_json_number(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out += "null";  // JSON has no other way to say it.
  } else if (number == std::trunc(number) && std::abs(number) <= exact_whole_max) {
    fmt::format_to(std::back_inserter(out), "{}", static_cast<std::int64_t>(number));
  } else {
    fmt::format_to(std::back_inserter(out), "{}", number);
  }
}

/// Writes values one after the other; the caller says how many each container holds.
class msgpack_writer {
 public:
  void begin_map(std::size_t size) { packer_.pack_map(static_cast<std::uint32_t>(size)); }
  void end_map() {}
  void begin_list(std::size_t size) { packer_.pack_array(static_cast<std::uint32_t>(size)); }
  void end_list() {}
  void key(std::string_view name) { packer_.pack(name); }
  void text(std::string_view value) { packer_.pack(value); }
  void whole(std::int64_t value) { packer_.pack_int64(value); }
  void count(std::uint64_t value) { packer_.pack_uint64(value); }
  void number(double value) { packer_.pack_double(value); }
  void flag(bool value) { packer_.pack(value); }
  void null() { packer_.pack_nil(); }
  [[nodiscard]] std::string take() && { return std::move(buffer_.bytes); }

 private:
  struct string_buffer {
    std::string bytes;
    void write(const char* from, std::size_t size) { bytes.append(from, size); }
  };
  string_buffer buffer_;
  msgpack::packer<string_buffer> packer_{buffer_};
};

/// The same interface, to one line of JSON.
class json_writer {
 public:
  void begin_map(std::size_t) { open('{'); }
  void end_map() { close('}'); }
  void begin_list(std::size_t) { open('['); }
  void end_list() { close(']'); }
  void key(std::string_view name) {
    separate();
    append_json_text(out_, name);
    out_ += ':';
    first_ = true;  // the value follows without a comma
  }
  void text(std::string_view value) {
    separate();
    append_json_text(out_, value);
  }
  void whole(std::int64_t value) { plain(std::to_string(value)); }
  void count(std::uint64_t value) { plain(std::to_string(value)); }
  void number(double value) {
    separate();
    append_json_number(out_, value);
  }
  void flag(bool value) { plain(value ? "true" : "false"); }
  void null() { plain("null"); }
  [[nodiscard]] std::string take() && { return std::move(out_); }

 private:
  void open(char bracket) {
    separate();
    out_ += bracket;
    first_ = true;
  }
  void close(char bracket) {
    out_ += bracket;
    first_ = false;
  }
  void plain(std::string_view word) {
    separate();
    out_ += word;
  }
  void separate() {
    if (!first_) out_ += ',';
    first_ = false;
  }
  std::string out_;
  bool first_ = true;
};

// What each type is on the wire, the same for both writers.
void write(auto& to, std::string_view text) {
  to.text(text);
}
void write(auto& to, std::uint64_t count) {
  to.count(count);
}
void write(auto& to, double number) {
  to.number(number);
}
void write(auto& to, std::same_as<bool> auto flag) {
  to.flag(flag);
}
void write(auto& to, instant at) {
  to.whole(to_unix_ms(at));
}
template <class Value>
void write(auto& to, const std::optional<Value>& value) {
  value ? write(to, *value) : to.null();
}
template <class Name, class Value>
void write(auto& to, const std::vector<std::pair<Name, Value>>& map) {
  to.begin_map(map.size());
  for (const auto& [name, value] : map) {
    to.key(name);
    write(to, value);
  }
  to.end_map();
}
void write(auto& to, const std::vector<std::string>& list) {
  to.begin_list(list.size());
  for (const std::string& item : list) to.text(item);
  to.end_list();
}
void field(auto& to, std::string_view name, const auto& value) {
  to.key(name);
  write(to, value);
}

constexpr std::size_t alert_keys = 43;

/// Who did what, from `alert_id` to `severity`.
void describe_transition(auto& to, const alert& of) {
  field(to, "alert_id", to_text(of.alert_id));
  field(to, "fingerprint", to_text(of.print));
  field(to, "origin", to_text(of.origin));
  field(to, "rule", of.rule);
  field(to, "revision", of.revision);
  field(to, "number", of.number);
  field(to, "at", of.at);
  field(to, "state", to_text(of.state));
  field(to, "previous_state", to_text(of.previous_state));
  field(to, "cause", of.cause);
  field(to, "actor", of.actor);
  field(to, "note", of.note);
  field(to, "severity", to_text(of.severity));
}

/// What it says, from `title` to `source_id`.
void describe_texts(auto& to, const alert_texts& texts) {
  field(to, "title", texts.title);
  field(to, "description", texts.description);
  field(to, "labels", texts.labels);
  field(to, "annotations", texts.annotations);
  field(to, "group", texts.group);
  field(to, "resource_id", texts.resource_id);
  field(to, "resource_type", texts.resource_type);
  field(to, "resource_name", texts.resource_name);
  field(to, "item", texts.item);
  field(to, "source_id", texts.source_id);
}

/// What the window held, from `event_count` to `values`.
void describe_evidence(auto& to, const evidence& proof) {
  field(to, "event_count", proof.event_count);
  field(to, "event_ids", proof.event_ids);
  field(to, "event_ids_truncated", proof.event_ids_truncated);
  field(to, "first_event_time", proof.first_event_time);
  field(to, "last_event_time", proof.last_event_time);
  to.key("window");
  to.begin_map(3);
  field(to, "kind", to_text(proof.window.kind));
  field(to, "start", proof.window.start);
  field(to, "end", proof.window.end);
  to.end_map();
  field(to, "values", proof.values);
}

/// How it stands, from `condition` on.
void describe_standing(auto& to, const alert& of) {
  using text_if_any = std::optional<std::string_view>;
  const acknowledgement* const by = of.acknowledged ? &*of.acknowledged : nullptr;
  field(to, "condition", of.condition);
  field(to, "started_at", of.started_at);
  field(to, "acknowledged_at", by ? std::optional{by->at} : std::nullopt);
  field(to, "acknowledged_by", by ? text_if_any{by->by} : std::nullopt);
  field(to, "acknowledged_until", by ? by->until : std::nullopt);
  field(to, "resolved_at", of.resolved_at);
  field(to, "closed_at", of.closed_at);
  field(to, "assignee", of.assignee.empty() ? std::nullopt : text_if_any{of.assignee});
  field(to, "silenced_by", of.shields.silenced_by);
  field(to, "inhibited_by", of.shields.inhibited_by);
  field(to, "muted_by", of.shields.muted_by);
  field(to, "flapping", of.flapping);
  field(to, "incident_id", of.incident_id ? std::optional{to_text(*of.incident_id)} : std::nullopt);
}

template <class Writer>
std::string encode_alert(const alert& of) {
  static const alert_texts no_texts;
  Writer to;
  to.begin_map(alert_keys);
  describe_transition(to, of);
  describe_texts(to, of.texts ? *of.texts : no_texts);
  describe_evidence(to, of.proof);
  describe_standing(to, of);
  to.end_map();
  return std::move(to).take();
}

std::string_view text_of(const msgpack::object& of) {
  if (of.type == msgpack::type::BIN) return {of.via.bin.ptr, of.via.bin.size};
  return {of.via.str.ptr, of.via.str.size};
}

void copy_to_json(const msgpack::object& from, json_writer& to);

/// True when no key of any map in it is a list or a map. As JSON texts in texts they would become
/// twice as long with each level.
bool has_plain_keys(const msgpack::object& of) {
  if (of.type == msgpack::type::ARRAY) {
    return std::all_of(begin(of.via.array), end(of.via.array), has_plain_keys);
  }
  if (of.type != msgpack::type::MAP) return true;
  return std::all_of(begin(of.via.map), end(of.via.map), [](const msgpack::object_kv& pair) {
    return pair.key.type != msgpack::type::ARRAY && pair.key.type != msgpack::type::MAP &&
           has_plain_keys(pair.val);
  });
}

/// JSON's keys are strings: others are written as their JSON text. Neither lists nor maps.
void copy_key(const msgpack::object& from, json_writer& to) {
  if (from.type == msgpack::type::STR || from.type == msgpack::type::BIN) {
    return to.key(text_of(from));
  }
  json_writer alone;
  copy_to_json(from, alone);
  to.key(std::move(alone).take());
}

void copy_extension(const msgpack::object_ext& from, json_writer& to) {
  std::string hex;
  for (std::uint32_t i = 0; i < from.size; ++i) {
    fmt::format_to(std::back_inserter(hex), "{:02x}", static_cast<unsigned char>(from.data()[i]));
  }
  to.begin_map(2);
  field(to, "ext", static_cast<double>(from.type()));
  field(to, "hex", hex);
  to.end_map();
}

void copy_to_json(const msgpack::object& from, json_writer& to) {
  switch (from.type) {
    case msgpack::type::NIL:
      return to.null();
    case msgpack::type::BOOLEAN:
      return to.flag(from.via.boolean);
    case msgpack::type::POSITIVE_INTEGER:
      return to.count(from.via.u64);
    case msgpack::type::NEGATIVE_INTEGER:
      return to.whole(from.via.i64);
    case msgpack::type::FLOAT32:
    case msgpack::type::FLOAT64:
      return to.number(from.via.f64);
    case msgpack::type::STR:
    case msgpack::type::BIN:
      return to.text(text_of(from));
    case msgpack::type::ARRAY:
      to.begin_list(from.via.array.size);
      std::for_each(begin(from.via.array), end(from.via.array),
                    [&](const msgpack::object& item) { copy_to_json(item, to); });
      return to.end_list();
    case msgpack::type::MAP:
      to.begin_map(from.via.map.size);
      for (const msgpack::object_kv& pair : from.via.map) {
        copy_key(pair.key, to);
        copy_to_json(pair.val, to);
      }
      return to.end_map();
    case msgpack::type::EXT:
      return copy_extension(from.via.ext, to);
  }
}

/// Reads exactly one map; sizes that `bytes` cannot hold are refused before anything is allocated.
result<msgpack::object_handle> unpack_map(std::string_view bytes, std::string_view what) {
  const msgpack::unpack_limit limits(bytes.size(), bytes.size(), bytes.size(), bytes.size(),
                                     bytes.size(), depth_max);
  try {
    std::size_t used = 0;
    msgpack::object_handle read =
        msgpack::unpack(bytes.data(), bytes.size(), used, nullptr, nullptr, limits);
    if (used != bytes.size()) {
      return error{"malformed", fmt::format("{}: {} bytes after its end, wanted none", what,
                                            bytes.size() - used)};
    }
    if (read->type != msgpack::type::MAP) {
      return error{"malformed", fmt::format("{}: not a msgpack map", what)};
    }
    if (!has_plain_keys(read.get())) {
      return error{"malformed", fmt::format("{}: a key is a list or a map, wanted texts", what)};
    }
    return read;
  } catch (const std::exception& failure) {
    return error{"malformed", fmt::format("{}: {} bytes that are not msgpack ({})", what,
                                          bytes.size(), failure.what())};
  }
}

}  // namespace

std::string encode_alert_msgpack(const alert& of) {
  return encode_alert<msgpack_writer>(of);
}

std::string encode_alert_json(const alert& of) {
  return encode_alert<json_writer>(of);
}

std::string encode_header(const stream_header& header) {
  msgpack_writer to;
  to.begin_map(4);
  field(to, "stream", header.stream);
  field(to, "epoch", header.epoch);
  field(to, "seq", header.seq);
  field(to, "kind", header.kind);
  return std::move(to).take();
}

result<stream_header> decode_header(std::string_view bytes) {
  auto read = unpack_map(bytes, "stream header");
  if (!read) return read.failure();
  const auto find = [&](std::string_view name,
                        msgpack::type::object_type type) -> const msgpack::object* {
    for (const msgpack::object_kv& pair : (*read)->via.map) {
      if (pair.key.type == msgpack::type::STR && text_of(pair.key) == name) {
        return pair.val.type == type ? &pair.val : nullptr;
      }
    }
    return nullptr;
  };
  const auto* stream = find("stream", msgpack::type::STR);
  const auto* epoch = find("epoch", msgpack::type::POSITIVE_INTEGER);
  const auto* seq = find("seq", msgpack::type::POSITIVE_INTEGER);
  const auto* kind = find("kind", msgpack::type::STR);
  if (!stream || !epoch || !seq || !kind) {
    json_writer seen;
    copy_to_json(read->get(), seen);
    return error{"malformed", fmt::format("stream header: saw {}, wanted {{stream: text, epoch: "
                                          "count, seq: count, kind: text}}",
                                          std::move(seen).take())};
  }
  return stream_header{std::string{text_of(*stream)}, epoch->via.u64, seq->via.u64,
                       std::string{text_of(*kind)}};
}

result<std::string> msgpack_to_json(std::string_view bytes) {
  auto read = unpack_map(bytes, "message");
  if (!read) return read.failure();
  json_writer to;
  copy_to_json(read->get(), to);
  return std::move(to).take();
}

std::string topic_of(const alert& of) {
  return fmt::format("alert.{}.{}", to_text(of.severity), of.rule);
}

}  // namespace tocsin
