// SPDX-License-Identifier: Apache-2.0
// Implementation of the window tests' driver.
#include "support/engine_driver.hpp"

#include <algorithm>
#include <cmath>
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
      rules.rule_at(what.rule).name, to_text(what.print), kind_name(what.what),
      to_text(what.severity), what.cause, proof.event_count, fmt::join(proof.event_ids, ","),
      proof.event_ids_truncated ? "..." : "", to_unix_ms(proof.first_event_time),
      to_unix_ms(proof.last_event_time), proof.first_event_position, to_text(proof.window.kind),
      to_unix_ms(proof.window.start), to_unix_ms(proof.window.end));
  for (const auto& [name, number] : proof.values)
    line += fmt::format(" {}={:.9g}", name, std::abs(number) < 1e-9 ? 0.0 : number);
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
    for (const std::string& name : from.null_labels)
      batch->labels.push_back({keep(name), {}, 0, label::kind::null});
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

engine_driver::engine_driver(std::shared_ptr<const rule_set> rules, std::size_t shards,
                             const engine_limits& limits)
    : rules_(std::move(rules)),
      limits_(limits),
      router_(rules_, shards),
      engines_(make_engines(shards)) {}

std::vector<window_engine> engine_driver::make_engines(std::size_t shards) const {
  std::vector<window_engine> engines;
  for (std::size_t shard = 0; shard < shards; ++shard)
    engines.emplace_back(rules_, limits_, static_cast<std::uint32_t>(shard),
                         static_cast<std::uint32_t>(shards));
  return engines;
}

std::vector<std::string> engine_driver::save() const {
  std::vector<std::string> saved;
  for (const window_engine& engine : engines_) saved.push_back(engine.save());
  return saved;
}

std::string engine_driver::restart() {
  const std::vector<std::string> saved = save();
  std::vector<window_engine> engines = make_engines(engines_.size());
  for (std::size_t shard = 0; shard < saved.size(); ++shard) {
    if (const auto refused = engines[shard].restore(saved[shard]))
      return fmt::format("shard {}: {}: {}", shard, refused->code, refused->message);
  }
  engines_.swap(engines);
  return {};
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
    const engine_totals& one = engine.totals();
    sum.updates += one.updates;
    sum.late += one.late;
    sum.keys += one.keys;
    sum.judgements += one.judgements;
    sum.bytes += one.bytes;
    sum.overflowed += one.overflowed;
  }
  return sum;
}

std::vector<rule_totals> engine_driver::totals_by_rule() const {
  std::vector<rule_totals> sums(rules_->rules().size());
  for (const window_engine& engine : engines_) {
    const std::vector<rule_totals> all = engine.totals_by_rule();
    for (std::size_t rule = 0; rule < sums.size(); ++rule) {
      rule_totals& sum = sums[rule];
      const rule_totals& one = all.at(rule);
      sum.late += one.late;
      sum.keys += one.keys;
      sum.bytes += one.bytes;
      sum.overflowed += one.overflowed;
      sum.judgements += one.judgements;
      sum.met += one.met;
      sum.failures += one.failures;
      sum.exhausted += one.exhausted;
    }
  }
  return sums;
}

}  // namespace tocsin::testing
