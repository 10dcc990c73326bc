// SPDX-License-Identifier: Apache-2.0
// Any text as a template.
#include "fuzz/claim.hpp"
#include "support/expression_scopes.hpp"
#include "tocsin/expression.hpp"

namespace {

using namespace tocsin;
using fuzzing::claim;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string text = fuzzing::input_of(bytes, size);
  static const testing::one_event seen = testing::one_event{}
                                             .text(event_field::item, "http ${status}")
                                             .value(2.5)
                                             .label("env", "prod");
  static const testing::one_event bare;
  const bool plain = text.find('$') == std::string::npos;
  const auto made = text_template::compile(text, schema::of_event());
  if (!made) {
    claim(!plain, "a text without places is a template", text);
    claim(!made.failure().message.empty(), "an error has a text");
    return 0;
  }
  const std::string shown = made->render(seen.scope());
  std::string twice = "> ";
  made->render_to(seen.scope(), twice);
  claim(twice == "> " + shown, "what is rendered is appended as it is", twice);
  if (plain) claim(shown == text, "a text without places stays as it is", shown);
  claim(made->render(bare.scope()).size() <= text.size() * 32 + 64, "places have their bounds");
  return 0;
}
