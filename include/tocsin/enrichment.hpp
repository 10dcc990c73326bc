// SPDX-License-Identifier: Apache-2.0
// Enrichment: what is done to events' labels before the rules see them, as written, as compiled,
// and at work.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "tocsin/event.hpp"
#include "tocsin/lookup_table.hpp"
#include "tocsin/result.hpp"
#include "tocsin/rule.hpp"

namespace tocsin {

/// The named groups of a regular expression become labels.
struct extract_spec {
  placed_text field;    ///< a text field or labels.NAME
  placed_text pattern;  ///< RE2 syntax, looked for anywhere in the field; at least one (?P<name>..)
};

/// A row of a table becomes labels.
struct lookup_spec {
  placed_text file;  ///< as written, for people
  std::string path;  ///< where the file is
  placed_text on;    ///< a text field or labels.NAME: its text is the key
  placed_text key;   ///< the table's key column; "" = the first one (CSV), the member's name (JSON)
  std::vector<std::pair<placed_text, placed_text>> labels;  ///< column -> label
};

/// Labels get other names, one after the other as written.
struct rename_spec {
  std::vector<std::pair<placed_text, placed_text>> labels;  ///< from -> to
};

/// Labels get texts, one after the other as written.
struct set_spec {
  std::vector<std::pair<placed_text, placed_text>> labels;  ///< label -> template
};

/// Labels go.
struct drop_spec {
  std::vector<placed_text> labels;
};

/// One step before compilation.
struct enrichment_step {
  std::string file;
  int line = 0;
  placed_text where;  ///< a condition on the event as the steps before left it; "" = every event
  std::variant<extract_spec, lookup_spec, rename_spec, set_spec, drop_spec> what;
};

/// A table that a lookup step wants. Whoever loads it puts it into `slot`; until then, no key is
/// found.
struct lookup_request {
  std::string step;  ///< enrichment::name() of the step
  std::string settings_file;
  lookup_spec spec;
  std::shared_ptr<lookup_slot> slot;  ///< for tables with a column for each of spec.labels
};

/// What one step has done. Each event it was shown is in one of the first four.
struct enrichment_counts {
  std::string step;             ///< enrichment::name()
  std::uint64_t matched = 0;    ///< it did what it is for
  std::uint64_t unmatched = 0;  ///< field missing, pattern or key not found, no such label
  std::uint64_t skipped = 0;    ///< `where` did not hold
  std::uint64_t overflow = 0;   ///< as matched, but not all labels fitted the bounds on events
  std::uint64_t labels_left_out = 0;  ///< those that did not fit
  friend bool operator==(const enrichment_counts&, const enrichment_counts&) = default;
};

/// Compiled steps. Immutable but for the tables in the slots; shared by all who use it.
class enrichment {
 public:
  static constexpr std::size_t steps_max = 64;
  static constexpr std::size_t labels_per_step_max = 64;

  /// Compiles steps; reports everything that is wrong. Null when something is. Labels are held to
  /// the bounds of `limits`.
  [[nodiscard]] static std::shared_ptr<const enrichment> compile(std::vector<enrichment_step> steps,
                                                                 const event_limits& limits,
                                                                 diagnostics& found);
  ~enrichment();
  enrichment(const enrichment&) = delete;
  enrichment& operator=(const enrichment&) = delete;

  [[nodiscard]] std::size_t size() const noexcept;
  /// "1-extract", "2-lookup": its place, from 1, and what it does.
  [[nodiscard]] const std::string& name(std::size_t step) const;
  /// The tables wanted, in the order of the steps.
  [[nodiscard]] std::span<const lookup_request> lookups() const noexcept;

  struct program;  ///< private to enrichment*.cpp
  [[nodiscard]] const program& compiled() const noexcept { return *program_; }

 private:
  explicit enrichment(std::unique_ptr<const program> compiled);
  std::unique_ptr<const program> program_;
};

/// Applies steps to batches and counts. Not thread-safe. Deterministic: the same batches and tables
/// give the same labels.
class enricher {
 public:
  explicit enricher(std::shared_ptr<const enrichment> steps);  ///< not null
  ~enricher();
  enricher(enricher&&) noexcept;

  /// Applies all steps, in order, to each event. The tables are those in their slots at this call.
  /// What the new labels point into is added to the batch's owners. Precondition: the batch is not
  /// shared yet.
  void apply(event_batch& batch);
  /// Applies one step only, to look at what it does.
  void apply_step(event_batch& batch, std::size_t step);

  /// By step.
  [[nodiscard]] const std::vector<enrichment_counts>& counts() const noexcept;

 private:
  struct work;
  std::unique_ptr<work> work_;
};

}  // namespace tocsin
