// SPDX-License-Identifier: Apache-2.0
// Alerts about rules themselves: no room for new keys, a judgement that threw, a budget used up.
#include <fmt/format.h>

#include <array>

#include "core/unit_windows.hpp"

namespace tocsin {
namespace {

std::string_view cause_of(rule_set::built_in which, finding::kind what,
                          rule_meter::condition condition) {
  const bool over = what == finding::kind::cleared;
  if (which == rule_set::built_in::overflow) return over ? "room for new keys" : "no room for keys";
  if (over) return "judged again";
  return condition == rule_meter::condition::failed ? "judgement failed" : "budget used up";
}

}  // namespace

finding unit_windows::about_rule(rule_set::built_in which, finding::kind what, const rule& of,
                                 std::int64_t clock_ms, std::uint64_t position) const {
  const rule_meter& meter = meters_[of.bit];
  const std::string shard = fmt::to_string(budget_->shard);
  const std::uint32_t index = rules_->index_of(which);
  const std::array<key_part, 2> parts{key_part{"rule", of.name}, key_part{"shard", shard}};
  finding said;
  said.what = what;
  said.rule = index;
  said.print = fingerprint_of(rules_->rule_at(index).name, parts);
  said.at = from_unix_ms(clock_ms);
  said.position = position;
  said.severity = which == rule_set::built_in::overflow ? severity::warning : severity::error;
  said.cause = cause_of(which, what, meter.now);
  said.proof.window = {unit_->kind, said.at, said.at};
  said.proof.first_event_time = said.proof.last_event_time = said.at;
  said.proof.first_event_position = position == no_position ? 0 : position;
  if (what != finding::kind::met) return said;
  auto texts = std::make_shared<alert_texts>();
  if (which == rule_set::built_in::overflow) {
    texts->title = fmt::format("{}: no room for more keys on shard {}", of.name, shard);
    texts->description = fmt::format(
        "{} keys and {} bytes are held; events of new keys count under the key __overflow__",
        keys_in_use_, accounted_bytes_);
  } else if (meter.now == rule_meter::condition::failed) {
    texts->title = fmt::format("{}: failed on shard {} and is off", of.name, shard);
    texts->description = meter.why;
  } else {
    texts->title = fmt::format("{}: used up its budget on shard {}", of.name, shard);
    texts->description = fmt::format("more than {} panes and conditions in one second",
                                     budget_->limits.work_per_second);
  }
  texts->labels.emplace_back("rule", of.name);
  texts->group = {{"rule", of.name}, {"shard", shard}};
  said.texts = std::move(texts);
  return said;
}

void unit_windows::tell(std::int64_t clock_ms, std::uint64_t position, std::vector<finding>& out) {
  has_news_ = false;
  const bool overflows = overflow_state_ != no_index;
  if (overflows != overflow_told_) {
    overflow_told_ = overflows;
    const auto what = overflows ? finding::kind::met : finding::kind::cleared;
    for (std::uint32_t bit = 0; bit < meters_.size(); ++bit)
      out.push_back(
          about_rule(rule_set::built_in::overflow, what, judge_.rule_at(bit), clock_ms, position));
  }
  for (std::uint32_t bit = 0; bit < meters_.size(); ++bit) {
    rule_meter& meter = meters_[bit];
    if (meter.now == meter.told) continue;
    const auto what = meter.now == rule_meter::condition::well    ? finding::kind::cleared
                      : meter.told == rule_meter::condition::well ? finding::kind::met
                                                                  : finding::kind::updated;
    out.push_back(
        about_rule(rule_set::built_in::failure, what, judge_.rule_at(bit), clock_ms, position));
    meter.told = meter.now;
  }
}

}  // namespace tocsin
