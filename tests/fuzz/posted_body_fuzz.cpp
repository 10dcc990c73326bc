// SPDX-License-Identifier: Apache-2.0
// Any bytes as what Prometheus and amtool post to Alertmanager's API: alerts and silences.
#include "fuzz/claim.hpp"
#include "io/alertmanager_api_post.hpp"
#include "io/alertmanager_api_silence_body.hpp"
#include "io/alertmanager_api_syntax.hpp"
#include "io/json_tree.hpp"

namespace {

using namespace tocsin;
using fuzzing::claim;

void refused(const body_refusal& why) {
  claim((why.status == 400 || why.status == 422) && !why.message.empty(), "a refusal says why",
        why.message);
}

void try_alerts(std::string_view body) {
  const posted_body read = read_posted_alerts(body);
  if (read.refused) return refused(*read.refused);
  for (const posted_alert& each : read.alerts) {
    for (std::size_t i = 0; i < each.labels.size(); ++i) {
      const auto& [name, text] = each.labels[i];
      claim(!text.empty(), "no label is empty", body);
      if (i > 0) claim(each.labels[i - 1].first < name, "labels stand by name, once", body);
    }
    const auto why = refuse_posted(each, from_unix_ms(1'770'000'000'000));
    claim(!why || !why->empty(), "a refusal of an alert says why", body);
  }
}

void try_silence(std::string_view body) {
  const auto read = alertmanager::read_silence(body);
  if (read.refused) return refused(*read.refused);
  const auto& asked = read.asked;
  claim(asked.comment && asked.created_by && asked.starts_at && asked.ends_at && asked.matchers,
        "a silence that is taken has all it needs", body);
  for (const auto& each : *asked.matchers) {
    claim(each.name && each.value && each.is_regex, "a matcher has all it needs", body);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string body = fuzzing::input_of(bytes, size);
  try_alerts(body);
  try_silence(body);
  const std::string paired = alertmanager::with_paired_surrogates(body);
  claim(alertmanager::with_paired_surrogates(paired) == paired, "pairs are made once", paired);
  if (alertmanager::json_syntax_error(body).empty()) return 0;
  claim(!json_tree::parse(body).has_value(), "what has a syntax error is no JSON", body);
  return 0;
}
