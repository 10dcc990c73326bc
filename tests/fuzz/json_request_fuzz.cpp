// SPDX-License-Identifier: Apache-2.0
// Any bytes as the JSON body of a request to tocsin's own interface.
#include "fuzz/claim.hpp"
#include "io/json_request.hpp"
#include "io/json_tree.hpp"
#include "io/tocsin_api_intervals.hpp"
#include "io/tocsin_api_parts.hpp"

namespace {

using namespace tocsin;
using fuzzing::claim;

void read_fields(json_request& from, int depth) {
  (void)from.has("x");
  (void)from.text("text");
  (void)from.needed_text("id");
  (void)from.flag("flag");
  const auto count = from.count("count", 5, 1, 10);
  claim(count >= 1 && count <= 10, "a count has its bounds");
  (void)from.time("until");
  if (const auto length = from.length("for")) claim(*length >= duration::zero(), "a length");
  (void)from.texts("ids");
  (void)api::read_matchers(from);
  (void)api::read_operator(from, "by");
  if (depth < 4) {
    from.each("list", [depth](json_request& inner) { read_fields(inner, depth + 1); });
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string body = fuzzing::input_of(bytes, size);
  json_request whole{body};
  read_fields(whole, 0);
  const auto wrong = whole.failure();
  if (wrong) claim(!wrong->code.empty() && !wrong->message.empty(), "a failure says why");
  const auto tree = json_tree::parse(body);
  if (!tree) {
    claim(wrong && wrong->code == "malformed", "what is no JSON is malformed");
    return 0;
  }
  // Half of a surrogate pair has no text to be written as: the parser refuses it before.
  const auto again = json_tree::parse(tree->json());
  claim(again && again->json() == tree->json(), "JSON is written and read again", tree->json());
  return 0;
}
