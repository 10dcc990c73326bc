// SPDX-License-Identifier: Apache-2.0
// The revision of a rule: one hash over its meaning, blind to spelling, comments and place.
#define XXH_INLINE_ALL
#include <fmt/format.h>
#include <xxhash.h>

#include "core/rule_aggregates.hpp"
#include "core/rule_compiler.hpp"

namespace tocsin {
namespace {

/// Writes fields so that no two different sequences give the same bytes.
class canonical_writer {
 public:
  void add(std::string_view text) { bytes_ += fmt::format("{}:{};", text.size(), text); }
  void add(std::int64_t number) { bytes_ += fmt::format("{};", number); }
  void add(duration length) { add(std::int64_t{length.count()}); }
  void begin(char section, std::size_t count) { bytes_ += fmt::format("{}{};", section, count); }

  [[nodiscard]] std::string hash() const {
    return fmt::format("{:016x}", XXH3_64bits(bytes_.data(), bytes_.size()));
  }

 private:
  std::string bytes_;
};

void add_texts(canonical_writer& out, char section,
               const std::vector<std::pair<std::string, placed_text>>& texts) {
  out.begin(section, texts.size());
  for (const auto& [name, text] : texts) {
    out.add(name);
    out.add(text.text);
  }
}

void add_severity(canonical_writer& out, const rule& of) {
  if (of.worst_level) {
    out.add("worst_level");
  } else if (of.fixed_severity) {
    out.add(to_text(*of.fixed_severity));
  } else {
    out.add(of.severity_expression->canonical());
  }
}

void add_session(canonical_writer& out, const compiled_rule& compiled) {
  const rule_spec& spec = compiled.of.spec;
  if (compiled.filter.close) {
    out.begin('o', 1);
    out.add(compiled.filter.counts->canonical());
    out.add(compiled.filter.close->canonical());
  }
  if (spec.window.session_max != duration{0} || spec.window.session_events_max != 0) {
    out.begin('m', static_cast<std::size_t>(spec.window.session_events_max));
    out.add(spec.window.session_max);
  }
  if (spec.fire_on != session_ends{}) {
    const session_ends& on = spec.fire_on;
    out.begin('f', (on.timeout ? 1U : 0U) + (on.close ? 2U : 0U) + (on.limit ? 4U : 0U));
  }
}

/// What only some windows have is written only for them: each part has a letter of its own.
void add_window(canonical_writer& out, const compiled_rule& compiled) {
  const rule_spec& spec = compiled.of.spec;
  const window_spec& window = spec.window;
  out.begin('w', static_cast<std::size_t>(window.kind));
  out.add(window.size);
  out.add(window.every);
  out.add(window.offset);
  if (window.trailing) out.begin('t', 1);
  if (!window.time_zone.empty()) {
    out.begin('z', 1);
    out.add(window.time_zone);
  }
  if (window.kind == window_kind::session) add_session(out, compiled);
  if (!compiled.filter.steps.empty()) {
    out.begin('q', compiled.filter.steps.size());
    for (const sequence_step& step : compiled.filter.steps) {
      out.begin('p', step.absent ? 1 : 0);
      out.add(step.where.canonical());
      out.add(step.within);
    }
  }
  if (!compiled.expected.empty()) {
    out.begin('x', compiled.expected.size());
    for (const expected_key& key : compiled.expected) out.add(to_text(key.key));
  }
  if (spec.baseline.length != duration{0}) {
    out.begin('b', static_cast<std::size_t>(spec.baseline.samples_min));
    out.add(spec.baseline.length);
  }
}

}  // namespace

std::string revision_of(const compiled_rule& compiled) {
  const rule& of = compiled.of;
  const rule_spec& spec = of.spec;
  canonical_writer out;
  out.add(of.name);
  out.add(compiled.filter.where.canonical());
  out.begin('g', compiled.group_by.size());
  for (const group_field& field : compiled.group_by) out.add(field.name);
  add_window(out, compiled);
  out.add(*spec.lateness);
  out.begin('c', static_cast<std::size_t>(spec.clock));
  out.begin('a', compiled.aggregates.size());
  for (const aggregate& one : compiled.aggregates) out.add(canonical_text(one));
  out.begin('s', of.selected.size());
  for (const selected_value& one : of.selected) {
    out.add(one.name);
    out.add(one.formula.canonical());
  }
  out.add(of.having.canonical());
  out.begin('e', of.early ? 1 : 0);
  add_severity(out, of);
  out.add(spec.title.text);
  out.add(spec.description.text);
  out.add(spec.pending_for);
  out.add(spec.keep_firing_for);
  if (spec.close_after != duration{0}) {
    out.begin('d', 1);
    out.add(spec.close_after);
  }
  add_texts(out, 'l', spec.labels);
  add_texts(out, 'n', spec.annotations);
  return out.hash();
}

}  // namespace tocsin
