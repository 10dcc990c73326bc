// SPDX-License-Identifier: Apache-2.0
// Takes a message apart into elements, has each read as an event, and accounts for every one.
#include "io/event_decoder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "io/event_reader.hpp"
#include "io/json_transcoder.hpp"
#include "io/msgpack_cursor.hpp"

namespace tocsin {
namespace {

/// The message-level half of decoding: which element is next, and what is said when it cannot be.
class message_reader {
 public:
  message_reader(const event_limits& limits, event_encoding encoding, instant arrived, stamping by,
                 event_batch& into, std::vector<rejection>& refused)
      : reader_(limits, encoding, arrived, into, by),
        events_max_(limits.events_per_message),
        refused_(refused) {}

  /// Reads `elements` elements; false when the message ended in the midst of them or they are too
  /// many.
  bool read_elements(msgpack_cursor& at, std::uint32_t elements) {
    for (; index_ < elements; ++index_) {
      if (index_ >= events_max_) {
        refuse("too_many_events", fmt::format("message: seen a batch of {}, wanted at most {}",
                                              elements, events_max_));
        return false;
      }
      const msgpack_cursor begin = at;
      switch (reader_.read(at)) {
        case reading::accepted:
          break;
        case reading::refused:
          reader_.why().index = index_;
          refused_.push_back(std::move(reader_.why()));
          break;
        case reading::torn:
          refuse("malformed",
                 fmt::format("element {}: seen {} bytes that are cut off or hold the reserved byte "
                             "0xc1, wanted a complete element",
                             index_, begin.left()));
          return false;
      }
    }
    return true;
  }

  [[nodiscard]] instant arrived() const noexcept { return reader_.arrived(); }

  /// Refuses what follows the elements that were read.
  void refuse(std::string_view code, std::string message) {
    refused_.push_back({index_, code, std::move(message), {}});
  }

 private:
  event_reader reader_;
  std::size_t events_max_;
  std::vector<rejection>& refused_;
  std::uint32_t index_ = 0;
};

bool is_white_space(char byte) noexcept {
  return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

void decode_msgpack(std::string_view message, message_reader& reader) {
  msgpack_cursor at{message};
  msgpack_cursor behind_head = at;
  msgpack_token head;
  std::uint32_t elements = 1;
  if (!behind_head.next(head)) {
    // Falls to the reader, which finds the same torn bytes and says so.
  } else if (head.kind == msgpack_kind::array) {
    elements = head.count;
    at = behind_head;
  }
  if (!reader.read_elements(at, elements) || at.at_end()) return;
  reader.refuse("trailing_bytes",
                fmt::format("message: seen {} bytes after its end, wanted none", at.left()));
}

void decode_json(const transcoded_json& json, message_reader& reader) {
  msgpack_cursor at{json.elements};
  if (!reader.read_elements(at, json.count)) return;
  switch (json.end) {
    case transcoded_json::ending::complete:
      break;
    case transcoded_json::ending::malformed:
      reader.refuse("malformed", fmt::format("element {}: seen faulty JSON ({}), wanted a complete "
                                             "element",
                                             json.count, json.fault));
      break;
    case transcoded_json::ending::trailing_bytes:
      reader.refuse("trailing_bytes", "message: seen bytes after its end, wanted none");
      break;
  }
}

}  // namespace

void event_decoder::decode(std::string_view message, instant arrived, event_batch& into,
                           std::vector<rejection>& refused) {
  (void)decode(message, arrived, stamping::given, into, refused);
}

void event_decoder::decode_recorded(std::string_view message, instant& clock, event_batch& into,
                                    std::vector<rejection>& refused) {
  clock = decode(message, clock, stamping::recorded, into, refused);
}

/// Gives the arrival of the last event accepted.
instant event_decoder::decode(std::string_view message, instant arrived, stamping by,
                              event_batch& into, std::vector<rejection>& refused) const {
  if (message.size() > limits_.message_bytes) {
    refused.push_back({0,
                       "message_too_large",
                       fmt::format("message: seen {} bytes, wanted at most {}", message.size(),
                                   limits_.message_bytes),
                       {}});
    return arrived;
  }
  const auto first = std::find_if_not(message.begin(), message.end(), is_white_space);
  if (first == message.end()) {
    refused.push_back(
        {0, "empty_message", "message: seen nothing, wanted an event or a batch", {}});
    return arrived;
  }
  if (*first != '{' && *first != '[') {
    message_reader reader{limits_, event_encoding::msgpack, arrived, by, into, refused};
    decode_msgpack(message, reader);
    return reader.arrived();
  }
  const auto json = std::make_shared<const transcoded_json>(
      transcode_json(message, std::min(limits_.nesting, nesting_max)));
  const std::size_t before = into.events.size();
  message_reader reader{limits_, event_encoding::json, arrived, by, into, refused};
  decode_json(*json, reader);
  if (into.events.size() > before) into.owners.push_back(json);
  return reader.arrived();
}

}  // namespace tocsin
