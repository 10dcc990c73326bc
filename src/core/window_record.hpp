// SPDX-License-Identifier: Apache-2.0
// What a pane, a window or a session has counted: a small header and the unit's aggregate cells
// behind it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "core/slab.hpp"
#include "core/state_bytes.hpp"
#include "tocsin/rule_set.hpp"

namespace tocsin {

/// The newest event of a pane or session by (time, position), copied: what texts are made from at
/// its close.
struct representative {
  std::int64_t time_ms = 0;
  std::uint64_t position = 0;
  std::string packed;  ///< packed_event.hpp
};

/// Header of a record; `cells` doubles follow it in memory.
struct window_record {
  std::int64_t end_ms;           ///< a pane's end
  std::int64_t first_ms;         ///< the smallest event time
  std::int64_t last_ms;          ///< the greatest event time
  std::uint64_t first_position;  ///< log position of the event with the smallest (time, position)
  std::uint64_t last_position;   ///< the greatest log position
  std::uint64_t count : 48;
  std::uint64_t worst : 3;     ///< worst level seen, as a number; no_level when none
  std::uint64_t with_id : 13;  ///< events that carry an id, up to with_id_max
  std::uint32_t next;          ///< a key's next record (older pane, later session), or no_index
  std::uint32_t previous;      ///< panes: the next newer one, or no_index
  representative*
      newest;  ///< null when not kept. A pane or session owns it, a merged window borrows it

  static constexpr std::uint64_t no_level = 4;
  static constexpr std::uint64_t with_id_max = 8191;
  static constexpr std::int64_t no_time =
      INT64_MAX;  ///< first_ms of an empty record; last_ms is its negative
};

/// Texts that values view while a judgement lasts.
using text_shelf = std::deque<std::string>;

/// How a unit's aggregates lie in cells, and how events enter and cells merge. Most aggregates are
/// plain numbers in their cells; those that need more (distinct, quantile, top, ...) keep it on the
/// heap, and a cell points to it. Sums are compensated (Neumaier 1974, "Rundungsfehleranalyse
/// einiger Verfahren zur Summation endlicher Summen"), never subtracted.
class aggregate_layout {
 public:
  explicit aggregate_layout(const unit& of);

  [[nodiscard]] std::size_t cell_count() const noexcept { return cell_count_; }
  /// True when cells may point to the heap.
  [[nodiscard]] bool owns_heap() const noexcept;
  /// True when some aggregate compares with a baseline.
  [[nodiscard]] bool uses_baseline() const noexcept;

  /// Makes raw memory cells of no event. What they pointed to is not freed: see release().
  void clear(double* cells) const;
  /// Frees what the cells point to and clears them.
  void release(double* cells) const;
  /// Takes an event in; gives by how many bytes the heap grew (or shrank, when negative).
  std::ptrdiff_t add(double* cells, const event_batch& batch, const event& from,
                     std::int64_t time_ms, std::uint64_t position) const;
  /// Both keep their own memory. The result does not depend on the order of merges but for the
  /// rounding of sums.
  void merge(double* into, const double* from) const;
  /// Merges only what scores against a baseline need of it.
  void merge_baseline(double* into, const double* from) const;
  /// The value of unit.aggregates[index]; its text lives as long as `texts`. `baseline` may be
  /// null.
  [[nodiscard]] value read(std::size_t index, const window_record& record, const double* cells,
                           const double* baseline, text_shelf& texts) const;

  [[nodiscard]] std::size_t heap_bytes(const double* cells) const;
  void save(const double* cells, state_writer& to) const;
  /// Precondition: the cells are clear.
  void load(double* cells, state_reader& from) const;

 private:
  enum class cell_kind : std::uint8_t { count_if, sum, minimum, maximum };
  struct cell_plan {
    cell_kind kind;
    std::uint32_t argument;  ///< index in arguments_
    std::uint32_t offset;    ///< first of the plan's cells
  };
  struct argument_plan {
    expression formula;
    bool is_event_value;  ///< the bare field `value`: read without evaluating
  };
  struct aggregate_plan {
    aggregate_function function;
    std::uint32_t offset;
  };

  std::uint32_t argument_of(const expression& formula);
  std::uint32_t plan_cells(cell_kind kind, std::uint32_t argument);

  std::vector<argument_plan> arguments_;
  std::vector<cell_plan> plans_;
  std::vector<aggregate_plan> aggregates_;
  std::size_t cell_count_ = 0;
};

/// All records of one unit.
class record_store {
 public:
  explicit record_store(const unit& of);
  /// What records in use point to must have been given back.
  ~record_store() = default;

  [[nodiscard]] std::uint32_t take();  ///< an empty record
  /// Gives back a merged record: what its cells own is freed, the representative it borrows is not.
  void give_back(std::uint32_t index);
  /// Gives back a pane or session with all it owns.
  void drop(std::uint32_t index);
  [[nodiscard]] window_record& at(std::uint32_t index) const {
    return *static_cast<window_record*>(blocks_.at(index));
  }
  [[nodiscard]] static double* cells(window_record& of) {
    return reinterpret_cast<double*>(&of + 1);
  }
  [[nodiscard]] static const double* cells(const window_record& of) {
    return reinterpret_cast<const double*>(&of + 1);
  }

  /// Empties a merged record, as give_back and take would.
  void clear(window_record& record) const;
  /// Takes an event in; `time_ms` is its time by the rule's clock.
  void add(window_record& to, const event_batch& batch, const event& from, std::int64_t time_ms,
           std::uint64_t position);
  /// Keeps the event as the record's representative if it is its newest.
  void keep_newest(window_record& to, const event_batch& batch, const event& from,
                   std::int64_t time_ms, std::uint64_t position);
  /// `into` borrows the newer representative.
  void merge(window_record& into, const window_record& from) const;
  /// As merge, but of the cells only what scores against a baseline need.
  void merge_baseline(window_record& into, const window_record& from) const;

  /// A pane or session with all it owns; `next` and `end_ms` are the chain's business and not
  /// saved.
  void save(const window_record& of, state_writer& to) const;
  /// Precondition: `into` is as take() gave it.
  void load(window_record& into, state_reader& from);

  [[nodiscard]] const aggregate_layout& layout() const noexcept { return layout_; }
  /// Of all records in use, with what they own.
  [[nodiscard]] std::uint64_t bytes() const noexcept;

 private:
  aggregate_layout layout_;
  slab blocks_;
  std::int64_t heap_bytes_ = 0;  ///< representatives, and what panes' and sessions' cells point to
};

}  // namespace tocsin
