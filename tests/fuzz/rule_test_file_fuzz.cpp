// SPDX-License-Identifier: Apache-2.0
// Any text as a file of rule tests.
#include <vector>

#include "fuzz/claim.hpp"
#include "io/event_decoder.hpp"
#include "io/rule_test_file.hpp"

namespace {

using namespace tocsin;
using fuzzing::claim;

void try_test(const rule_test& test) {
  claim(!test.name.empty() && test.line > 0, "a test has a name and a place");
  instant before = test.start;
  event_decoder decode{event_limits{}};
  for (const test_event& each : test.events) {
    claim(each.arrival >= before, "events stand by arrival", test.name);
    before = each.arrival;
    if (each.message.empty()) continue;
    event_batch batch;
    std::vector<rejection> refused;
    decode.decode(each.message, each.arrival, batch, refused);
    claim(batch.events.size() == 1 && refused.empty(), "a test's event is one that is accepted",
          test.name);
  }
  claim(test.until >= before, "time passes to the last event", test.name);
  for (const wanted_moment& each : test.expect) {
    claim(!time_on_line(each.at, test.start).empty(), "a time has a text");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string text = fuzzing::input_of(bytes, size);
  diagnostics found;
  const rule_test_file file = parse_rule_tests(text, "/nowhere/tests/tests.yaml", found);
  for (const diagnostic& each : found) claim(!each.message.empty(), "an error has a text");
  for (const rule_test& test : file.tests) {
    // Decoding each of thousands again would take the fuzzer's time.
    if (test.events.size() <= 64) try_test(test);
  }
  return 0;
}
