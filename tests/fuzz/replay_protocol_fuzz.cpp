// SPDX-License-Identifier: Apache-2.0
// Any bytes as a frame of the replay socket or of the alert stream, from either side.
#include <vector>

#include "fuzz/claim.hpp"
#include "io/alert_codec.hpp"
#include "io/json_tree.hpp"
#include "io/replay_protocol.hpp"
#include "io/stream_message.hpp"

namespace {

using namespace tocsin;
using fuzzing::claim;

void refused(const error& why) {
  claim(why.code == "malformed" && !why.message.empty(), "a refusal says why", why.message);
}

void try_request(std::string_view bytes) {
  const auto read = decode_replay_request(bytes);
  if (!read) return refused(read.failure());
  claim(read->prefix.size() <= replay_prefix_bytes_max, "a prefix has its bound");
  const auto again = decode_replay_request(encode_replay_request(*read));
  claim(again && again->since == read->since && again->prefix == read->prefix &&
            again->epoch == read->epoch,
        "a request that was read is written and read again");
}

void try_position(std::string_view bytes) {
  const auto read = decode_position(bytes);
  if (!read) return refused(read.failure());
  const auto again = decode_position(encode_position(*read));
  claim(again && *again == *read, "a place that was read is written and read again");
}

void try_refusal(std::string_view bytes) {
  const auto read = decode_refusal(bytes);
  if (!read) return refused(read.failure());
  const auto again = decode_refusal(encode_refusal(read->code, read->message));
  claim(again && again->code == read->code && again->message == read->message,
        "a refusal that was read is written and read again");
}

void try_header(const std::string& bytes) {
  const auto read = decode_header(bytes);
  const auto heartbeat = decode_stream_message({"heartbeat", bytes});
  const auto whole = decode_stream_message({"alert.error.r", bytes, bytes});
  if (!read) {
    refused(read.failure());
    claim(!heartbeat && !whole, "no message without a header");
    return;
  }
  claim(heartbeat.has_value() != whole.has_value(), "a header says how many frames there are");
  const auto again = decode_header(encode_header(*read));
  claim(again && again->stream == read->stream && again->epoch == read->epoch &&
            again->seq == read->seq && again->kind == read->kind,
        "a header that was read is written and read again");
}

void try_alert_map(std::string_view bytes) {
  const auto line = msgpack_to_json(bytes);
  if (!line) return refused(line.failure());
  claim(line->find('\n') == std::string::npos, "one line", *line);
  claim(line->size() <= 64 + 16 * bytes.size(), "not much longer than what it was made of", *line);
  claim(json_tree::parse(*line).has_value(), "what is written is JSON", *line);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string input = fuzzing::input_of(bytes, size);
  try_request(input);
  try_position(input);
  try_refusal(input);
  try_header(input);
  try_alert_map(input);
  return 0;
}
