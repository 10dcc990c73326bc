// SPDX-License-Identifier: Apache-2.0
// Picks the summary's keys out of alert maps.
#include "io/alert_summary.hpp"

#include <array>
#include <utility>

#include "io/msgpack_cursor.hpp"

namespace tocsin {

alert_summary summarize(const alert& of) {
  alert_summary summary{.at = of.at,
                        .state = std::string(to_text(of.state)),
                        .previous_state = std::string(to_text(of.previous_state)),
                        .severity = std::string(to_text(of.severity)),
                        .rule = of.rule,
                        .title = {},
                        .resource = {},
                        .cause = of.cause,
                        .actor = of.actor,
                        .note = of.note,
                        .shields = {},
                        .event_count = of.proof.event_count};
  if (!of.shields.silenced_by.empty()) summary.shields.emplace_back("silenced");
  if (!of.shields.inhibited_by.empty()) summary.shields.emplace_back("inhibited");
  if (!of.shields.muted_by.empty()) summary.shields.emplace_back("muted");
  if (of.texts) {
    const auto& texts = *of.texts;
    summary.title = texts.title;
    summary.resource = texts.resource_name.empty() ? texts.resource_id : texts.resource_name;
  }
  return summary;
}

result<alert_summary> read_summary(std::string_view alert_map) {
  const error torn{"malformed", "alert: seen bytes that are no msgpack map, wanted an alert map"};
  alert_summary summary;
  std::string resource_id;
  const std::array<std::pair<std::string_view, std::string*>, 10> texts{
      {{"state", &summary.state},
       {"previous_state", &summary.previous_state},
       {"severity", &summary.severity},
       {"rule", &summary.rule},
       {"title", &summary.title},
       {"resource_name", &summary.resource},
       {"resource_id", &resource_id},
       {"cause", &summary.cause},
       {"actor", &summary.actor},
       {"note", &summary.note}}};
  msgpack_cursor at{alert_map};
  msgpack_token token;
  if (!at.next(token) || token.kind != msgpack_kind::map) return torn;
  for (auto pairs = token.count; pairs > 0; --pairs) {
    if (!at.next(token) || token.kind != msgpack_kind::text) return torn;
    const auto key = token.bytes;
    auto behind = at;
    if (!behind.next(token)) return torn;
    if (!at.skip()) return torn;
    if (token.kind == msgpack_kind::text) {
      for (const auto& [name, into] : texts) {
        if (key == name) *into = token.bytes;
      }
    } else if (token.kind == msgpack_kind::integer) {
      if (key == "at") summary.at = from_unix_ms(token.integer);
      if (key == "event_count") summary.event_count = static_cast<std::uint64_t>(token.integer);
    } else if (token.kind == msgpack_kind::array && token.count > 0) {
      for (const std::string_view word : {"silenced", "inhibited", "muted"}) {
        if (key.starts_with(word) && key.substr(word.size()) == "_by") {
          summary.shields.emplace_back(word);
        }
      }
    }
  }
  if (summary.resource.empty()) summary.resource = std::move(resource_id);
  return summary;
}

}  // namespace tocsin
