// SPDX-License-Identifier: Apache-2.0
// Any text as the daemon's settings. What is right is put to work: enrichment on an event, the
// policy on two alerts. No file is read: settings that name one are passed over.
#include <memory>
#include <string_view>
#include <vector>

#include "fuzz/claim.hpp"
#include "io/settings_file.hpp"
#include "support/engine_driver.hpp"
#include "support/rules.hpp"
#include "tocsin/alert_book.hpp"
#include "tocsin/enrichment.hpp"

namespace {

using namespace tocsin;
using fuzzing::claim;

constexpr long long began_ms = 1'772'445'600'000;

/// True when some key may be `..._file`, whose file would be read: written as it is, or with the
/// escapes of a text in quotes.
bool may_read_files(std::string_view text) {
  for (const std::string_view sign : {"_file", "\\x", "\\u", "\\U", "\\\n", "\\\r"}) {
    if (text.find(sign) != std::string_view::npos) return true;
  }
  return false;
}

void try_enrichment(const settings& read) {
  diagnostics found;
  const auto steps = enrichment::compile(read.enrich, read.limits, found);
  claim((steps != nullptr) != has_errors(found), "steps, or what is wrong");
  if (!steps || steps->size() == 0) return;
  testing::window_event from;
  from.source = "agent";
  from.resource = "web-1.example.org";
  from.item = "http_status";
  from.value = 503;
  from.text_labels = {{"env", "prod"}};
  const auto made = testing::make_batch({from}, 1);
  event_batch batch = *made;
  enricher work{steps};
  work.apply(batch);
  const std::size_t most = std::max<std::size_t>(read.limits.labels, 1);
  claim(batch.labels_of(batch.events[0]).size() <= most, "an event's labels have their bound");
  for (const enrichment_counts& each : work.counts()) {
    claim(each.matched + each.unmatched + each.skipped + each.overflow == 1,
          "each step was shown the event", each.step);
  }
}

finding met(std::uint64_t number) {
  finding made;
  made.print = {1, number};
  made.at = from_unix_ms(began_ms);
  made.position = number;
  made.severity = severity::error;
  made.cause = "condition met";
  made.proof.event_count = 3;
  made.proof.first_event_time = made.proof.last_event_time = made.at;
  made.proof.first_event_position = number;
  auto texts = std::make_shared<alert_texts>();
  texts->title = "web-1 answers 503";
  texts->labels = {{"site", "a"}, {"team", "web"}};
  texts->resource_id = "web-1";
  made.texts = std::move(texts);
  return made;
}

void try_changes(const book_changes& changes, std::uint64_t& seq) {
  for (const transition& each : changes.transitions) {
    claim(each->seq == ++seq, "transitions have no gap");
  }
  for (const notice_ptr& each : changes.notices) claim(each != nullptr, "a notice");
}

void try_policy(const settings& read) {
  static const auto rules = testing::rules_from_yaml(R"(
rules: [{name: http-500-burst, where: value >= 500, window: {sliding: 1m, every: 1s}}]
)");
  alert_book book{rules, read.policy};
  std::uint64_t seq = 0;
  try_changes(book.step(from_unix_ms(began_ms), {met(1), met(2)}), seq);
  // Groups may be looked at each millisecond.
  try_changes(book.step(from_unix_ms(began_ms + 100), {}), seq);
  claim(book.failed_checks().empty(), "no check has thrown");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string text = fuzzing::input_of(bytes, size);
  if (may_read_files(text)) return 0;
  diagnostics found;
  const settings read = parse_settings(text, "/nowhere/tocsin.yaml", found);
  claim(read.policy != nullptr, "there is always a policy");
  for (const diagnostic& each : found) claim(!each.message.empty(), "a finding has a text");
  if (has_errors(found)) return 0;
  try_enrichment(read);
  try_policy(read);
  return 0;
}
