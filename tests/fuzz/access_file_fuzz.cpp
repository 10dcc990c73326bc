// SPDX-License-Identifier: Apache-2.0
// Any bytes as a list of public keys, as a file of tokens, and as a reply to an acknowledged
// request.
#include "fuzz/claim.hpp"
#include "io/acked_reply.hpp"
#include "io/curve_access.hpp"
#include "io/token_file.hpp"

namespace {

using namespace tocsin;
using fuzzing::claim;

void findings_say_why(const diagnostics& found) {
  for (const auto& each : found) claim(!each.text().empty(), "a finding says why");
}

void try_allow_list(const std::string& text) {
  diagnostics found;
  const allow_list read = parse_allow_list(text, "agents.allow", found);
  findings_say_why(found);
  for (const auto& [key, name] : read) {
    claim(key.size() == 40 && is_curve_name(name), "a list has keys and names", name);
  }
}

void try_tokens(const std::string& text) {
  diagnostics found;
  const auto read = parse_tokens(text, "tokens", found);
  findings_say_why(found);
  claim(read.size() <= token_file_lines_max, "a file has its bound");
  for (const bearer_token& each : read) {
    diagnostics none;
    const auto again = parse_tokens(token_line(each), "tokens", none);
    claim(none.empty() && again.size() == 1 && again[0].name == each.name &&
              again[0].role == each.role && again[0].hash == each.hash,
          "a token that was read is written and read again", each.name);
  }
}

void try_reply(const std::string& bytes) {
  const auto read = decode_acked_reply(bytes);
  if (!read) {
    claim(!read.failure().message.empty(), "a refusal says why");
    return;
  }
  claim(read->rejected.size() <= bytes.size(), "no more things than bytes");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string input = fuzzing::input_of(bytes, size);
  try_allow_list(input);
  try_tokens(input);
  try_reply(input);
  return 0;
}
