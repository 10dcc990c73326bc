// SPDX-License-Identifier: Apache-2.0
// Any text as a rule file. Rules that compile are tried on events, and their windows saved and
// restored.
#include <memory>
#include <vector>

#include "fuzz/claim.hpp"
#include "support/engine_driver.hpp"
#include "tocsin/event_router.hpp"
#include "tocsin/rule_file.hpp"
#include "tocsin/rule_set.hpp"
#include "tocsin/window_engine.hpp"

namespace {

using namespace tocsin;
using fuzzing::claim;

constexpr long long began_ms = 1'772'445'600'000;
/// Time that passes behind the events: short, because there are windows for each millisecond.
constexpr long long passed_ms = 700;

engine_limits tight_limits() {
  engine_limits limits;
  limits.keys = 64;
  limits.bytes = 64 * 1024;
  limits.work_per_second = 2'000;
  return limits;
}

/// Three events of the kind that the seeds' rules are about.
const std::shared_ptr<const event_batch>& events() {
  static const auto made = [] {
    std::vector<testing::window_event> all(3);
    for (std::size_t i = 0; i < all.size(); ++i) {
      all[i].arrived_ms = began_ms + static_cast<long long>(i) * 10;
      all[i].time_ms = all[i].arrived_ms - 5;
      all[i].id = "e-" + std::to_string(i);
      all[i].source = "agent";
      all[i].resource = "web-1";
      all[i].item = "http_status";
      all[i].value = 500 + static_cast<double>(i);
      all[i].level = severity::error;
      all[i].text_labels = {{"env", "prod"}};
      all[i].number_labels = {{"tries", static_cast<double>(i)}};
    }
    return testing::make_batch(all, 1);
  }();
  return made;
}

void try_windows(const std::shared_ptr<const rule_set>& rules) {
  event_router router{rules, 1};
  window_engine engine{rules, tight_limits()};
  std::vector<finding> found;
  engine.step(events()->clock, events().get(), router.route(*events()).front(), found);
  const std::string saved = engine.save();
  window_engine again{rules, tight_limits()};
  const auto refused = again.restore(saved);
  claim(!refused, "what was saved is restored", refused ? refused->message : "");
  claim(again.save() == saved, "what was restored is what was saved");
  std::vector<finding> of_one;
  std::vector<finding> of_other;
  const instant later = from_unix_ms(began_ms + passed_ms);
  engine.step(later, nullptr, {}, of_one);
  again.step(later, nullptr, {}, of_other);
  claim(of_one.size() == of_other.size(), "what was restored finds the same");
  for (const finding& each : of_one) claim(each.rule < rules->rules().size() + 2, "a known rule");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string text = fuzzing::input_of(bytes, size);
  diagnostics found;
  auto specs = parse_rules(text, "rules.yaml", found);
  const bool readable = !has_errors(found);
  const auto rules = rule_set::compile(std::move(specs), found);
  for (const diagnostic& each : found) claim(!each.message.empty(), "a finding has a text");
  if (readable) claim((rules != nullptr) != has_errors(found), "rules, or what is wrong");
  if (rules && readable && !rules->rules().empty() && rules->rules().size() <= 8) {
    try_windows(rules);
  }
  return 0;
}
