// SPDX-License-Identifier: Apache-2.0
// Writes and reads the reply's map with msgpack-c.
#include "io/acked_reply.hpp"

#include <fmt/format.h>

#include <array>
#include <exception>
#include <msgpack.hpp>
#include <optional>
#include <utility>

namespace tocsin {

namespace {

constexpr std::array statuses{acked_status::ok, acked_status::retry, acked_status::reject};

struct string_buffer {
  std::string bytes;
  void write(const char* from, std::size_t size) { bytes.append(from, size); }
};

/// More than any reply has: a batch has at most as many rejections as events.
msgpack::unpack_limit reply_limit() {
  constexpr std::size_t rejections_max = 1'000'000;
  constexpr std::size_t keys_max = 64;
  constexpr std::size_t text_bytes_max = 64 * 1024;
  constexpr std::size_t depth_max = 8;
  return {rejections_max, keys_max, text_bytes_max, text_bytes_max, text_bytes_max, depth_max};
}

acked_reply::refusal read_refusal(const msgpack::object& from) {
  acked_reply::refusal read;
  if (from.type != msgpack::type::MAP) throw msgpack::type_error{};
  for (std::uint32_t i = 0; i < from.via.map.size; ++i) {
    const auto& [key, value] = from.via.map.ptr[i];
    const auto name = key.as<std::string_view>();
    if (name == "index") read.index = value.as<std::uint32_t>();
    if (name == "code") read.code = value.as<std::string>();
    if (name == "message") read.message = value.as<std::string>();
  }
  return read;
}

acked_status read_status(const msgpack::object& from) {
  const auto text = from.as<std::string_view>();
  for (const acked_status each : statuses) {
    if (to_text(each) == text) return each;
  }
  throw msgpack::type_error{};
}

/// Keys that are not known are those of a later version: they are skipped.
acked_reply read_reply(const msgpack::object& from) {
  acked_reply read;
  std::optional<acked_status> status;
  if (from.type != msgpack::type::MAP) throw msgpack::type_error{};
  for (std::uint32_t i = 0; i < from.via.map.size; ++i) {
    const auto& [key, value] = from.via.map.ptr[i];
    const auto name = key.as<std::string_view>();
    if (name == "status") status = read_status(value);
    if (name == "accepted") read.accepted = value.as<std::uint64_t>();
    if (name == "duplicate") read.duplicate = value.as<std::uint64_t>();
    if (name == "retry_after_ms") read.retry_after = duration{value.as<std::uint32_t>()};
    if (name != "rejected") continue;
    if (value.type != msgpack::type::ARRAY) throw msgpack::type_error{};
    for (std::uint32_t at = 0; at < value.via.array.size; ++at) {
      read.rejected.push_back(read_refusal(value.via.array.ptr[at]));
    }
  }
  if (!status) throw msgpack::type_error{};
  read.status = *status;
  return read;
}

}  // namespace

std::string_view to_text(acked_status status) noexcept {
  constexpr std::array<std::string_view, 3> texts{"ok", "retry", "reject"};
  return texts[static_cast<std::size_t>(status)];
}

acked_status status_of(const burst_outcome& outcome) noexcept {
  if (outcome.retry) return acked_status::retry;
  const bool nothing_else = outcome.accepted == 0 && outcome.duplicate == 0;
  return nothing_else && !outcome.rejected.empty() ? acked_status::reject : acked_status::ok;
}

std::string encode_acked_reply(const burst_outcome& outcome) {
  string_buffer buffer;
  msgpack::packer<string_buffer> to{buffer};
  to.pack_map(5);
  to.pack(std::string_view{"status"});
  to.pack(to_text(status_of(outcome)));
  to.pack(std::string_view{"accepted"});
  to.pack(outcome.accepted);
  to.pack(std::string_view{"duplicate"});
  to.pack(outcome.duplicate);
  to.pack(std::string_view{"rejected"});
  to.pack_array(static_cast<std::uint32_t>(outcome.rejected.size()));
  for (const burst_outcome::refusal& each : outcome.rejected) {
    to.pack_map(3);
    to.pack(std::string_view{"index"});
    to.pack(each.index);
    to.pack(std::string_view{"code"});
    to.pack(each.code);
    to.pack(std::string_view{"message"});
    to.pack(each.message);
  }
  to.pack(std::string_view{"retry_after_ms"});
  to.pack(static_cast<std::uint32_t>(outcome.retry ? outcome.retry_after.count() : 0));
  return std::move(buffer.bytes);
}

result<acked_reply> decode_acked_reply(std::string_view map) {
  try {
    const auto handle = msgpack::unpack(map.data(), map.size(), nullptr, nullptr, reply_limit());
    return read_reply(handle.get());
  } catch (const std::exception& failure) {
    return error{"malformed",
                 fmt::format("reply: seen {} bytes that are not the map of a reply ({}), wanted "
                             "{{status, accepted, duplicate, rejected, retry_after_ms}}",
                             map.size(), failure.what())};
  }
}

}  // namespace tocsin
