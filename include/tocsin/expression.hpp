// SPDX-License-Identifier: Apache-2.0
// Typed expressions: a strict subset of CEL, compiled once, evaluated in bounded time, never able
// to fail at run time.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/event.hpp"
#include "tocsin/result.hpp"

namespace tocsin {

namespace syntax {
struct node;
}

/// The type of an expression or a name. `dynamic` (labels) is known at run time only.
enum class value_type : std::uint8_t { missing, boolean, integer, number, text, length, dynamic };

/// A value at run time. `missing` is what an absent field gives: arithmetic on it is missing, a
/// comparison with it is false, as a condition it is false.
struct value {
  value_type type = value_type::missing;  ///< never dynamic
  bool boolean = false;
  std::int64_t integer = 0;  ///< integer; or milliseconds when type is length
  double number = 0;
  std::string_view text;

  [[nodiscard]] static value of(bool flag) noexcept;
  [[nodiscard]] static value of(std::int64_t whole) noexcept;
  [[nodiscard]] static value of(double real) noexcept;  ///< NaN gives missing
  [[nodiscard]] static value of(
      std::string_view words) noexcept;  ///< data() == nullptr gives missing
  [[nodiscard]] static value of(duration length) noexcept;

  [[nodiscard]] bool is_missing() const noexcept { return type == value_type::missing; }
  [[nodiscard]] bool is_true() const noexcept { return type == value_type::boolean && boolean; }
  /// The number of an integer, number or length (in seconds); nothing otherwise.
  [[nodiscard]] std::optional<double> as_number() const noexcept;
  /// Plain text for templates: "" when missing, "3", "0", "2.5" (shortest that reads back), "5m",
  /// "true".
  [[nodiscard]] std::string to_text() const;
};

inline value value::of(bool flag) noexcept {
  value made;
  made.type = value_type::boolean;
  made.boolean = flag;
  return made;
}

inline value value::of(std::int64_t whole) noexcept {
  value made;
  made.type = value_type::integer;
  made.integer = whole;
  return made;
}

inline value value::of(double real) noexcept {
  value made;
  if (std::isnan(real)) return made;
  made.type = value_type::number;
  made.number = real;
  return made;
}

inline value value::of(std::string_view words) noexcept {
  value made;
  if (words.data() == nullptr) return made;
  made.type = value_type::text;
  made.text = words;
  return made;
}

inline value value::of(duration length) noexcept {
  value made;
  made.type = value_type::length;
  made.integer = length.count();
  return made;
}

/// How a name's value can move while a window takes in more events. Decides early firing.
enum class trend : std::uint8_t {
  constant,  ///< never moves
  rising,    ///< numbers only grow; conditions only turn true
  falling,   ///< numbers only shrink; conditions only turn false
  any,
};

/// What a name stands for.
struct name_binding {
  std::uint32_t id = 0;  ///< handed to scope::get
  value_type type = value_type::dynamic;
  trend movement = trend::any;
};

/// An aggregate found in an expression: `function(argument, ...)` over a window's events.
struct aggregate_call {
  std::string function;                ///< "count", "max", ...
  std::vector<std::string> arguments;  ///< source text of each, which compiles for events
  std::vector<int> argument_columns;   ///< where each begins in the expression, from 1
  int column = 1;                      ///< where it stands in the expression, from 1
};

/// The names an expression may use. Names may be dotted ("window.size"). Everything is checked at
/// compile time.
struct schema {
  /// The binding of a name, or nothing when it is unknown.
  std::function<std::optional<name_binding>(std::string_view name)> find;
  /// All known names, for "did you mean".
  std::vector<std::string> names;
  /// True when labels.NAME and labels["NAME"] may be used.
  bool labels = false;
  /// Set where aggregates may stand: registers the call and gives the name it is bound to, or an
  /// error. A message that begins with "column N: " speaks of the whole expression (an argument's
  /// place is in argument_columns); any other gets the column of the call.
  std::function<result<name_binding>(const aggregate_call&)> aggregate;

  /// The fields of an event, plus labels: for `where`, aggregates' arguments, `close`. The ids are
  /// event_field. `level` compares as its number 0..3, and a string literal beside it is read as a
  /// level's name.
  [[nodiscard]] static const schema& of_event();
};

/// Gives an expression the values of its names.
class scope {
 public:
  virtual ~scope() = default;
  /// The value of a bound name.
  [[nodiscard]] virtual value get(std::uint32_t id) const = 0;
  /// The value of a label; missing when absent or null.
  [[nodiscard]] virtual value label(std::string_view name) const = 0;
};

/// One event of a batch as a scope for expressions compiled against schema::of_event().
class event_scope final : public scope {
 public:
  event_scope(const event_batch& batch, const event& of) noexcept : batch_(&batch), event_(&of) {}
  [[nodiscard]] value get(std::uint32_t id) const override;
  [[nodiscard]] value label(std::string_view name) const override;

 private:
  const event_batch* batch_;
  const event* event_;
};

/// A fact that must hold for the expression to be true: field (or label) == one of `texts`.
struct required_equality {
  std::optional<event_field> field;  ///< nothing: a label
  std::string label;                 ///< the label's name when `field` is nothing
  std::vector<std::string> texts;    ///< at least one
};

/// One part of an expression's top-level &&: the expression is true when all of them are.
struct conjunct {
  std::uint32_t step = 0;  ///< where it begins in the program
  std::string canonical;   ///< normal form; parts that mean the same have the same
  /// Index in expression::required() of the equality that this part is, if it is one.
  std::optional<std::uint32_t> required;
};

/// A compiled expression. Cheap to copy (shares its program), safe to evaluate from any thread.
///
/// Grammar (CEL's precedence and meaning): literals (true false null, 42, 0x2a, 2.5, 1e3, 'text',
/// "text", r'raw', 5m30s durations), names, labels.x, labels["x"], == != < <= > >= && || ! + - * /
/// % in [..], ?:, ( ), size(x), has(x), x.startsWith(s), x.endsWith(s), x.contains(s),
/// x.matches(re) with RE2 syntax. Integers and numbers may be mixed (the integer is widened).
/// Division by zero and integer overflow give missing. Comparisons of values of different types,
/// which only dynamic labels can bring about, are false; != too.
class expression {
 public:
  /// Compiles `text`. The error's message names the column ("column 7: unknown name 'valeu' (did
  /// you mean 'value'?)"). At most 4,096 bytes and 64 levels deep.
  [[nodiscard]] static result<expression> compile(std::string_view text, const schema& names);

  /// Compiles a tree made of trees that compile by themselves; private to the core.
  [[nodiscard]] static expression of_tree(const syntax::node& root, const schema& names);

  [[nodiscard]] value evaluate(const scope& names) const;
  /// evaluate(...).is_true().
  [[nodiscard]] bool holds(const scope& names) const { return evaluate(names).is_true(); }

  [[nodiscard]] value_type type() const noexcept;
  /// How the value can move while events are added (see trend), with the reason in words.
  [[nodiscard]] trend movement() const noexcept;
  [[nodiscard]] const std::string& movement_reason() const noexcept;
  /// Normal form: equal for expressions that differ in white space, quotes and brackets only.
  [[nodiscard]] const std::string& canonical() const noexcept;
  /// The equalities on text fields and labels that every event meeting this must meet: those of
  /// all parts of an &&; of an ||, for what all its parts demand something of, any of their texts.
  [[nodiscard]] const std::vector<required_equality>& required() const noexcept;
  /// The parts of the top-level && as written; the whole expression when there is no &&.
  [[nodiscard]] const std::vector<conjunct>& conjuncts() const noexcept;
  /// True when a part of this expression holds.
  [[nodiscard]] bool holds(const conjunct& part, const scope& names) const;
  /// The value when it uses no name. A text lives as long as the expression or a copy of it.
  [[nodiscard]] std::optional<value> constant() const;

  /// The id of the name that the expression consists of, if it is nothing but a name.
  [[nodiscard]] std::optional<std::uint32_t> bare_name() const;
  /// The smallest value that the name `id` must have for the expression to be true, from the
  /// top-level && conjuncts that compare it with a constant; nothing when none does.
  [[nodiscard]] std::optional<double> least(std::uint32_t id) const;

  struct program;  ///< private to expression.cpp

 private:
  explicit expression(std::shared_ptr<const program> compiled) : program_(std::move(compiled)) {}
  std::shared_ptr<const program> program_;
};

/// A text with `${expression}` places ("$${" is a plain "${"). Missing values render as nothing.
class text_template {
 public:
  [[nodiscard]] static result<text_template> compile(std::string_view text, const schema& names);
  [[nodiscard]] std::string render(const scope& names) const;
  /// Appends to `out` what render() gives.
  void render_to(const scope& names, std::string& out) const;

 private:
  struct part {
    std::string literal;
    std::optional<expression> place;
  };
  std::vector<part> parts_;
};

}  // namespace tocsin
