// SPDX-License-Identifier: Apache-2.0
// Implementation of the window tests' driver.
#include "support/engine_driver.hpp"

#include <algorithm>
#include <deque>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

namespace tocsin::testing {
namespace {

std::string_view kind_name(finding::kind kind) {
  switch (kind) {
    case finding::kind::met:
      return "met";
    case finding::kind::updated:
      return "updated";
    case finding::kind::cleared:
      return "cleared";
    case finding::kind::recovered:
      return "recovered";
    case finding::kind::dismissed:
      return "dismissed";
  }
  return "?";
}

std::string describe(const alert_texts& texts) {
  std::string line = fmt::format(" title='{}' description='{}'", texts.title, texts.description);
  for (const auto& [name, text] : texts.labels) line += fmt::format(" label {}='{}'", name, text);
  for (const auto& [name, text] : texts.annotations)
    line += fmt::format(" annotation {}='{}'", name, text);
  for (const auto& [name, text] : texts.group)
    line += fmt::format(" group {}={}", name, text ? "'" + *text + "'" : "NULL");
  line += fmt::format(" resource='{}','{}','{}' item='{}' source='{}'", texts.resource_id,
                      texts.resource_type, texts.resource_name, texts.item, texts.source_id);
  return line;
}

}  // namespace

std::string describe(const finding& what, const rule_set& rules) {
  const evidence& proof = what.proof;
  std::string line = fmt::format(
      "at={} position={} rule={} print={} {} severity={} cause='{}' count={} ids=[{}]{} first={} "
      "last={} first_position={} {}[{},{}]",
      to_unix_ms(what.at),
      what.position == no_position ? std::string{"time"} : fmt::to_string(what.position),
      rules.rules().at(what.rule).name, to_text(what.print), kind_name(what.what),
      to_text(what.severity), what.cause, proof.event_count, fmt::join(proof.event_ids, ","),
      proof.event_ids_truncated ? "..." : "", to_unix_ms(proof.first_event_time),
      to_unix_ms(proof.last_event_time), proof.first_event_position, to_text(proof.window.kind),
      to_unix_ms(proof.window.start), to_unix_ms(proof.window.end));
  for (const auto& [name, number] : proof.values) line += fmt::format(" {}={}", name, number);
  if (what.texts) line += describe(*what.texts);
  return line;
}

std::shared_ptr<const event_batch> make_batch(const std::vector<window_event>& events,
                                              std::uint64_t first_position) {
  auto batch = std::make_shared<event_batch>();
  auto memory = std::make_shared<std::deque<std::string>>();
  const auto keep = [&](const std::string& text) -> std::string_view {
    return memory->emplace_back(text);
  };
  for (const window_event& from : events) {
    event to;
    const auto set = [&](event_field field, const std::optional<std::string>& text) {
      if (text) to.set_text(field, keep(*text));
    };
    set(event_field::event_id, from.id);
    set(event_field::source_id, from.source);
    set(event_field::resource_id, from.resource);
    set(event_field::resource_name, from.resource_name);
    set(event_field::item, from.item);
    to.time = from_unix_ms(from.time_ms);
    to.has_time = true;
    to.arrived = from_unix_ms(from.arrived_ms);
    if (from.value) to.value = *from.value;
    to.level = from.level;
    to.action = from.action;
    to.labels_begin = static_cast<std::uint32_t>(batch->labels.size());
    for (const auto& [name, text] : from.text_labels)
      batch->labels.push_back({keep(name), keep(text), 0, label::kind::text});
    for (const auto& [name, number] : from.number_labels)
      batch->labels.push_back({keep(name), {}, number, label::kind::number});
    to.labels_count = static_cast<std::uint32_t>(batch->labels.size()) - to.labels_begin;
    batch->events.push_back(to);
  }
  batch->owners.push_back(memory);
  batch->first_position = first_position;
  if (!events.empty()) batch->clock = from_unix_ms(events.back().arrived_ms);
  return batch;
}

std::shared_ptr<const rule_set> compile_rules(std::vector<rule_spec> specs) {
  diagnostics found;
  auto rules = rule_set::compile(std::move(specs), found);
  for (const diagnostic& each : found)
    if (each.kind == diagnostic::grade::error) ADD_FAILURE() << each.text();
  return rules;
}

engine_driver::engine_driver(std::shared_ptr<const rule_set> rules, std::size_t shards)
    : rules_(std::move(rules)), router_(rules_, shards) {
  for (std::size_t shard = 0; shard < shards; ++shard) engines_.emplace_back(rules_);
}

std::vector<finding> engine_driver::step(instant clock, const event_batch* batch) {
  std::vector<finding> findings;
  std::vector<slice> slices(engines_.size());
  if (batch) slices = router_.route(*batch);
  for (std::size_t shard = 0; shard < engines_.size(); ++shard)
    engines_[shard].step(clock, batch, slices.at(shard), findings);
  std::stable_sort(findings.begin(), findings.end());
  return findings;
}

std::vector<finding> engine_driver::take(long long clock_ms,
                                         const std::vector<window_event>& events) {
  if (events.empty()) return step(from_unix_ms(clock_ms), nullptr);
  const auto batch = make_batch(events, next_position_);
  next_position_ += events.size();
  return step(from_unix_ms(clock_ms), batch.get());
}

engine_totals engine_driver::totals() const {
  engine_totals sum;
  for (const window_engine& engine : engines_) {
    sum.updates += engine.totals().updates;
    sum.late += engine.totals().late;
    sum.keys += engine.totals().keys;
    sum.judgements += engine.totals().judgements;
  }
  return sum;
}

std::vector<std::uint64_t> engine_driver::late_by_unit() const {
  std::vector<std::uint64_t> sum(rules_->units().size());
  for (const window_engine& engine : engines_)
    for (std::size_t unit = 0; unit < sum.size(); ++unit)
      sum[unit] += engine.late_by_unit().at(unit);
  return sum;
}

}  // namespace tocsin::testing
