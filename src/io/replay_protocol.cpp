// SPDX-License-Identifier: Apache-2.0
// Writes and strictly reads the maps of the replay socket.
#include "io/replay_protocol.hpp"

#include <fmt/format.h>

#include <array>
#include <msgpack.hpp>
#include <span>
#include <variant>

#include "io/msgpack_cursor.hpp"

namespace tocsin {

namespace {

/// A key, and where its value goes: a text of at most `bytes_max`, or a count.
struct field {
  std::string_view name;
  std::variant<std::string*, std::optional<std::uint64_t>*> into;
  std::size_t bytes_max = replay_request_bytes_max;
  bool seen = false;
};

error malformed(std::string_view what, std::string_view why) {
  return {"malformed", fmt::format("{}: {}", what, why)};
}

/// Takes one value. What is wrong with it, or "".
std::string take(const msgpack_token& value, field& into) {
  if (into.seen) return fmt::format("key {} twice, wanted once", into.name);
  into.seen = true;
  if (auto* const* const text = std::get_if<std::string*>(&into.into)) {
    if (value.kind != msgpack_kind::text) return fmt::format("{} is no text", into.name);
    if (value.bytes.size() > into.bytes_max) {
      return fmt::format("{} has {} bytes, wanted at most {}", into.name, value.bytes.size(),
                         into.bytes_max);
    }
    **text = value.bytes;
    return "";
  }
  if (value.kind != msgpack_kind::integer || value.integer < 0) {
    return fmt::format("{} is no whole number from 0 to 2^63 - 1", into.name);
  }
  *std::get<std::optional<std::uint64_t>*>(into.into) = static_cast<std::uint64_t>(value.integer);
  return "";
}

/// Reads exactly one map with no key but those of `fields`, each at most once.
std::optional<error> read_map(std::string_view bytes, std::string_view what,
                              std::span<field> fields) {
  const auto torn = fmt::format("{} bytes that are no whole msgpack map", bytes.size());
  msgpack_cursor at{bytes};
  msgpack_token token;
  if (!at.next(token) || token.kind != msgpack_kind::map) return malformed(what, torn);
  for (auto pairs = token.count; pairs > 0; --pairs) {
    if (!at.next(token)) return malformed(what, torn);
    if (token.kind != msgpack_kind::text) return malformed(what, "a key is no text");
    field* known = nullptr;
    for (field& each : fields) {
      if (each.name == token.bytes) known = &each;
    }
    if (known == nullptr) {
      std::string wanted;
      for (const field& each : fields) {
        wanted += fmt::format("{}{}", wanted.empty() ? "" : ", ", each.name);
      }
      return malformed(
          what, fmt::format("unknown key {:?}, wanted {}", token.bytes.substr(0, 64), wanted));
    }
    if (!at.next(token)) return malformed(what, torn);
    if (auto wrong = take(token, *known); !wrong.empty()) return malformed(what, wrong);
  }
  if (!at.at_end()) return malformed(what, "bytes after the map's end, wanted none");
  return std::nullopt;
}

struct string_buffer {
  std::string bytes;
  void write(const char* from, std::size_t size) { bytes.append(from, size); }
};

void write_pairs(msgpack::packer<string_buffer>&) {}
void write_pairs(msgpack::packer<string_buffer>& to, std::string_view key, const auto& value,
                 const auto&... more) {
  to.pack(key);
  to.pack(value);
  write_pairs(to, more...);
}
/// A map of key, value, key, value, ...
std::string write_map(const auto&... pairs) {
  string_buffer buffer;
  msgpack::packer<string_buffer> to{buffer};
  to.pack_map(static_cast<std::uint32_t>(sizeof...(pairs) / 2));
  write_pairs(to, pairs...);
  return std::move(buffer.bytes);
}

}  // namespace

std::string encode_replay_request(const replay_request& request) {
  if (request.epoch) {
    return write_map("since", request.since, "prefix", request.prefix, "epoch", *request.epoch);
  }
  return write_map("since", request.since, "prefix", request.prefix);
}

std::string encode_position(const stream_position& position) {
  return write_map("stream", position.stream, "epoch", position.epoch, "seq", position.seq);
}

std::string encode_refusal(std::string_view code, std::string_view message) {
  return write_map("code", code, "message", message);
}

result<replay_request> decode_replay_request(std::string_view bytes) {
  constexpr std::string_view what = "replay request";
  replay_request request;
  std::optional<std::uint64_t> since;
  std::array<field, 3> fields{{{"since", &since},
                               {"prefix", &request.prefix, replay_prefix_bytes_max},
                               {"epoch", &request.epoch}}};
  if (auto wrong = read_map(bytes, what, fields)) return std::move(*wrong);
  if (!since) return malformed(what, "no key since, wanted the last seq that was seen");
  request.since = *since;
  return request;
}

result<stream_position> decode_position(std::string_view bytes) {
  constexpr std::string_view what = "place in the stream";
  stream_position position;
  std::optional<std::uint64_t> epoch, seq;
  std::array<field, 3> fields{{{"stream", &position.stream}, {"epoch", &epoch}, {"seq", &seq}}};
  if (auto wrong = read_map(bytes, what, fields)) return std::move(*wrong);
  if (!fields[0].seen || !epoch || !seq) return malformed(what, "wanted stream, epoch and seq");
  position.epoch = *epoch;
  position.seq = *seq;
  return position;
}

result<replay_refusal> decode_refusal(std::string_view bytes) {
  replay_refusal refusal;
  std::array<field, 2> fields{{{"code", &refusal.code}, {"message", &refusal.message}}};
  if (auto wrong = read_map(bytes, "replay error", fields)) return std::move(*wrong);
  return refusal;
}

}  // namespace tocsin
