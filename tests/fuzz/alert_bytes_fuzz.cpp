// SPDX-License-Identifier: Apache-2.0
// Any bytes as a stored alert: as they are, and with the checksum that makes them be read.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstring>

#include "fuzz/claim.hpp"
#include "tocsin/alert.hpp"

namespace {

using namespace tocsin;
using fuzzing::claim;

void try_bytes(std::string_view bytes) {
  const auto read = alert_from_bytes(bytes);
  if (!read) {
    const error& why = read.failure();
    claim((why.code == "malformed" || why.code == "newer_version") && !why.message.empty(),
          "a refusal says why", why.message);
    return;
  }
  const std::string written = alert_bytes(*read);
  const auto again = alert_from_bytes(written);
  claim(again && alert_bytes(*again) == written,
        "an alert that was read is written and read again");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  std::string input = fuzzing::input_of(bytes, size);
  try_bytes(input);
  if (input.size() >= sizeof(std::uint64_t)) {
    const std::size_t body = input.size() - sizeof(std::uint64_t);
    const std::uint64_t sum = XXH3_64bits(input.data(), body);
    std::memcpy(input.data() + body, &sum, sizeof sum);
    try_bytes(input);
  }
  return 0;
}
