// SPDX-License-Identifier: Apache-2.0
// Compiled expressions as their users see them.
#include "tocsin/expression.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "core/expression_checker.hpp"
#include "core/expression_program.hpp"
#include "core/expression_syntax.hpp"

namespace tocsin {

namespace {

using syntax::node;
using syntax::node_kind;
using syntax::operation;

bool is_text_literal(const node& of) noexcept {
  return of.kind == node_kind::literal && of.literal.type == value_type::text;
}

/// The fact that one part of the top-level && demands, when it is about a text field or label.
std::optional<required_equality> equality_of(const node& part, const schema& names) {
  const bool equals = part.kind == node_kind::comparison && part.op == operation::equal;
  if (!equals && part.kind != node_kind::membership) return std::nullopt;
  const bool mirrored = equals && is_text_literal(part.children[0]);
  const node& subject = part.children[mirrored ? 1 : 0];
  required_equality fact;
  if (subject.kind == node_kind::name) {
    fact.field = parse_event_field(subject.text);
    const std::optional<name_binding> bound = names.find ? names.find(subject.text) : std::nullopt;
    if (!fact.field || !is_text(*fact.field) || !bound || bound->type != value_type::text) {
      return std::nullopt;
    }
  } else if (subject.kind == node_kind::label) {
    fact.label = subject.text;
  } else {
    return std::nullopt;
  }
  for (const node& child : part.children) {
    if (&child == &subject) continue;
    if (!is_text_literal(child)) return std::nullopt;
    fact.texts.push_back(child.text);
  }
  return fact;
}

std::vector<required_equality> required_of(const node& root, const schema& names);

bool same_subject(const required_equality& left, const required_equality& right) {
  return left.field == right.field && left.label == right.label;
}

/// What all alternatives demand something of: any of the texts of all of them will do.
std::vector<required_equality> required_of_any(const node& root, const schema& names) {
  std::vector<required_equality> out = required_of(root.children.front(), names);
  for (std::size_t i = 1; i < root.children.size() && !out.empty(); ++i) {
    const std::vector<required_equality> more = required_of(root.children[i], names);
    std::erase_if(out, [&more](required_equality& fact) {
      const auto also = std::find_if(more.begin(), more.end(),
                                     [&fact](const auto& one) { return same_subject(fact, one); });
      if (also == more.end()) return true;
      for (const std::string& text : also->texts) {
        if (std::find(fact.texts.begin(), fact.texts.end(), text) == fact.texts.end()) {
          fact.texts.push_back(text);
        }
      }
      return false;
    });
  }
  return out;
}

std::vector<required_equality> required_of(const node& root, const schema& names) {
  if (root.kind == node_kind::any) return required_of_any(root, names);
  std::vector<required_equality> out;
  if (root.kind != node_kind::all) {
    if (auto fact = equality_of(root, names)) out.push_back(std::move(*fact));
    return out;
  }
  for (const node& part : root.children) {
    std::vector<required_equality> facts = required_of(part, names);
    std::move(facts.begin(), facts.end(), std::back_inserter(out));
  }
  return out;
}

/// Fills in what the parts of the top-level && demand.
void find_required(const node& root, const schema& names, expression::program& of) {
  const auto look_at = [&](const node& part, conjunct& as) {
    // Only a part that is nothing but its demand need not be evaluated when it is known to hold.
    if (equality_of(part, names)) as.required = static_cast<std::uint32_t>(of.required.size());
    std::vector<required_equality> facts = required_of(part, names);
    std::move(facts.begin(), facts.end(), std::back_inserter(of.required));
  };
  const bool chained = root.kind == node_kind::all && of.conjuncts.size() == root.children.size();
  if (!chained) return look_at(root, of.conjuncts.front());
  for (std::size_t i = 0; i < root.children.size(); ++i) {
    look_at(root.children[i], of.conjuncts[i]);
  }
}

schema make_event_schema() {
  schema out;
  out.labels = true;
  for (std::uint32_t i = 0; i < event_field_count; ++i) {
    const auto field = static_cast<event_field>(i);
    if (field != event_field::labels) out.names.emplace_back(to_text(field));
  }
  out.find = [](std::string_view name) -> std::optional<name_binding> {
    const std::optional<event_field> field = parse_event_field(name);
    if (!field || *field == event_field::labels) return std::nullopt;
    value_type type = value_type::text;
    if (*field == event_field::time || *field == event_field::level) type = value_type::integer;
    if (*field == event_field::value) type = value_type::number;
    return name_binding{static_cast<std::uint32_t>(*field), type, trend::any};
  };
  return out;
}

}  // namespace

std::optional<double> value::as_number() const noexcept {
  switch (type) {
    case value_type::integer:
      return static_cast<double>(integer);
    case value_type::number:
      return number;
    case value_type::length:
      return static_cast<double>(integer) / 1000;
    default:
      return std::nullopt;
  }
}

std::string value::to_text() const {
  switch (type) {
    case value_type::boolean:
      return boolean ? "true" : "false";
    case value_type::integer:
      return fmt::format("{}", integer);
    // A minus before zero says nothing to a reader.
    case value_type::number:
      return number == 0 ? "0" : fmt::format("{}", number);
    case value_type::text:
      return std::string{text};
    case value_type::length:
      return format_duration(duration{integer});
    default:
      return {};
  }
}

const schema& schema::of_event() {
  static const schema events = make_event_schema();
  return events;
}

value event_scope::get(std::uint32_t id) const {
  if (id >= event_field_count) return {};
  const auto field = static_cast<event_field>(id);
  switch (field) {
    case event_field::time:
      return value::of(std::int64_t{to_unix_ms(event_->time)});
    case event_field::value:
      return value::of(event_->value);
    case event_field::level:
      if (!event_->level) return {};
      return value::of(static_cast<std::int64_t>(*event_->level));
    case event_field::action:
      return value::of(to_text(event_->action));
    case event_field::labels:
      return {};
    default:
      return value::of(event_->text(field));
  }
}

value event_scope::label(std::string_view name) const {
  for (const tocsin::label& one : batch_->labels_of(*event_)) {
    if (one.name != name) continue;
    switch (one.type) {
      case tocsin::label::kind::text:
        return value::of(one.text);
      case tocsin::label::kind::number:
        return value::of(one.number);
      case tocsin::label::kind::boolean:
        return value::of(one.number != 0);
      case tocsin::label::kind::null:
        return {};
    }
  }
  return {};
}

result<expression> expression::compile(std::string_view text, const schema& names) {
  const result<node> root = syntax::parse(text, names.labels, names.aggregate != nullptr);
  if (!root) return root.failure();
  result<std::shared_ptr<program>> made = syntax::check(*root, text, names);
  if (!made) return made.failure();
  find_required(*root, names, **made);
  return expression{std::move(*made)};
}

expression expression::of_tree(const syntax::node& root, const schema& names) {
  result<std::shared_ptr<program>> made = syntax::check(root, {}, names);
  assert(made);
  find_required(root, names, **made);
  return expression{std::move(*made)};
}

value_type expression::type() const noexcept {
  return program_->type;
}

trend expression::movement() const noexcept {
  return program_->movement;
}

const std::string& expression::movement_reason() const noexcept {
  return program_->movement_reason;
}

const std::string& expression::canonical() const noexcept {
  return program_->canonical;
}

const std::vector<required_equality>& expression::required() const noexcept {
  return program_->required;
}

const std::vector<conjunct>& expression::conjuncts() const noexcept {
  return program_->conjuncts;
}

std::optional<value> expression::constant() const {
  const program::step& last = program_->steps[program_->root];
  if (last.code != program::opcode::literal) return std::nullopt;
  return last.literal;
}

}  // namespace tocsin
