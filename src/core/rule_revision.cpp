// SPDX-License-Identifier: Apache-2.0
// The revision of a rule: one hash over its meaning, blind to spelling, comments and place.
#define XXH_INLINE_ALL
#include <fmt/format.h>
#include <xxhash.h>

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

}  // namespace

std::string revision_of(const compiled_rule& compiled) {
  const rule& of = compiled.of;
  const rule_spec& spec = of.spec;
  canonical_writer out;
  out.add(of.name);
  out.add(compiled.where.canonical());
  out.begin('g', compiled.group_by.size());
  for (const group_field& field : compiled.group_by) out.add(field.name);
  out.begin('w', static_cast<std::size_t>(spec.window.kind));
  out.add(spec.window.size);
  out.add(spec.window.every);
  out.add(spec.window.offset);
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
  add_texts(out, 'l', spec.labels);
  add_texts(out, 'n', spec.annotations);
  return out.hash();
}

}  // namespace tocsin
