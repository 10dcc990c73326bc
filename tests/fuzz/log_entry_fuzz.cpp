// SPDX-License-Identifier: Apache-2.0
// Any bytes as an entry of the event log.
#include <algorithm>
#include <memory>

#include "fuzz/claim.hpp"
#include "tocsin/log_entry.hpp"

namespace {

using namespace tocsin;
using fuzzing::claim;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto input = std::make_shared<const std::string>(fuzzing::input_of(bytes, size));
  const auto read = decode_log_entry(*input, input);
  if (!read) {
    const error& why = read.failure();
    claim(why.code == "bad_log_entry" && !why.message.empty(), "a refusal says why", why.message);
    return 0;
  }
  const std::size_t events = read->batch ? read->batch->events.size() : 0;
  claim(events <= size && read->seen.size() <= size, "no more things than bytes");
  const auto written = std::make_shared<std::string>();
  encode_log_entry(*read, *written);
  const auto again = decode_log_entry(*written, written);
  claim(again.has_value(), "an entry that was read is written and read again");
  std::string twice;
  encode_log_entry(*again, twice);
  claim(twice == *written, "it is written the same again");
  return 0;
}
