// SPDX-License-Identifier: Apache-2.0
// Any text as an expression: a program that means the same in its normal form, or an error with its
// column.
#include "fuzz/claim.hpp"
#include "support/expression_scopes.hpp"
#include "tocsin/expression.hpp"

namespace {

using namespace tocsin;
using fuzzing::claim;

constexpr std::size_t source_bytes_max = 4096;

const schema& with_aggregates() {
  static const schema names = [] {
    schema made = schema::of_event();
    made.aggregate = [](const aggregate_call&) -> result<name_binding> {
      return name_binding{static_cast<std::uint32_t>(event_field::value), value_type::number,
                          trend::rising};
    };
    return made;
  }();
  return names;
}

const testing::one_event& full_event() {
  static const testing::one_event made = testing::one_event{}
                                             .text(event_field::item, "http_status")
                                             .text(event_field::source_id, "")
                                             .value(501.5)
                                             .level(severity::error)
                                             .time(from_unix_ms(1'770'000'000'000))
                                             .label("env", "prod")
                                             .label("tries", 3.0)
                                             .flag("canary", true)
                                             .null_label("gone");
  return made;
}

void try_with(const std::string& text, const schema& names, const event_scope& seen) {
  const auto made = expression::compile(text, names);
  if (!made) {
    claim(made.failure().code == "bad_expression" && made.failure().message.starts_with("column "),
          "an error has its column", made.failure().message);
    return;
  }
  claim(text.size() <= source_bytes_max, "a source has its bound");
  const value first = made->evaluate(seen);
  claim(made->holds(seen) == first.is_true(), "to hold is to be true");
  claim(!made->movement_reason().empty(), "a movement has its reason");
  for (const required_equality& fact : made->required()) {
    claim(!fact.texts.empty(), "a demand has its texts");
  }
  bool all_hold = true;
  for (const conjunct& part : made->conjuncts()) all_hold = all_hold && made->holds(part, seen);
  claim(all_hold == made->holds(seen), "all parts hold when the whole does", made->canonical());
  if (made->canonical().size() > source_bytes_max) return;
  const auto again = expression::compile(made->canonical(), names);
  // Brackets of the normal form count as levels, those that were left out before did not.
  if (!again && again.failure().message.find("levels") != std::string::npos) return;
  claim(again.has_value(), "a normal form compiles", made->canonical());
  claim(again->canonical() == made->canonical(), "a normal form is its own", made->canonical());
  claim(again->type() == made->type() && again->movement() == made->movement(),
        "a normal form has the same type and movement", made->canonical());
  claim(again->evaluate(seen).to_text() == first.to_text(), "a normal form means the same",
        made->canonical());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string text = fuzzing::input_of(bytes, size);
  static const testing::one_event bare;
  try_with(text, with_aggregates(), full_event().scope());
  try_with(text, schema::of_event(), bare.scope());
  return 0;
}
