// SPDX-License-Identifier: Apache-2.0
// What a pane, a window or a session has counted: a small header and the unit's aggregate cells
// behind it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <vector>

#include "core/held_cells.hpp"
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

/// Texts that values view while a judgement lasts. A list: judgements are many, most need no text,
/// and an empty list, other than an empty deque, holds no memory.
using text_shelf = std::list<std::string>;

/// How a unit's aggregates lie in cells, and how events enter and cells merge. Most aggregates are
/// plain numbers in their cells (moments.hpp); those that need more (distinct, quantile, top, ...)
/// keep it on the heap, and a cell points to it (held_cells.hpp). Sums are compensated (Neumaier
/// 1974, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen"), never
/// subtracted.
class aggregate_layout {
 public:
  explicit aggregate_layout(const unit& of);

  [[nodiscard]] std::size_t cell_count() const noexcept { return cleared_.size(); }
  /// True when cells may point to the heap.
  [[nodiscard]] bool owns_heap() const noexcept { return !held_.empty(); }
  /// True when some aggregate compares with a baseline.
  [[nodiscard]] bool uses_baseline() const noexcept { return uses_baseline_; }

  /// Makes raw memory cells of no event. What they pointed to is not freed: see release().
  void clear(double* cells) const;
  /// Frees what the cells point to and clears them.
  void release(double* cells) const;
  /// Takes an event in; gives by how many bytes the heap grew (or shrank, when negative).
  std::ptrdiff_t add(double* cells, const event_batch& batch, const event& from,
                     std::int64_t time_ms, std::uint64_t position) const;
  /// Both keep their own memory. The result does not depend on the order of merges but for the
  /// rounding of sums, and for which of many rare values `top` gave up.
  void merge(double* into, const double* from) const;
  /// True when cells are nothing but counts, sums and extremes.
  [[nodiscard]] bool is_plain() const noexcept { return is_plain_; }
  /// As merge, of a plain layout.
  void merge_plain(double* into, const double* from) const;
  /// Merges only what scores against a baseline need of it.
  void merge_baseline(double* into, const double* from) const;
  /// The value of unit.aggregates[index]; its text lives as long as `texts`. `baseline` may be
  /// null.
  [[nodiscard]] value read(std::size_t index, const window_record& record, const double* cells,
                           const double* baseline, text_shelf& texts) const;

  [[nodiscard]] std::size_t heap_bytes(const double* cells) const;
  void save(const double* cells, state_writer& to) const;
  /// Precondition: the cells are clear. After a failure they hold something that can be released.
  void load(double* cells, state_reader& from) const;

 private:
  /// What every event and every merge of panes passes through in one loop.
  enum class cell_kind : std::uint8_t { count_if, sum, minimum, maximum };
  struct cell_plan {
    cell_kind kind;
    std::uint32_t argument;  ///< index in arguments_
    std::uint32_t offset;    ///< first of the plan's cells
  };
  /// What needs more than a line to enter: moments.hpp.
  enum class number_kind : std::uint8_t {
    moments,
    first_number,   ///< placed_number
    newest_number,  ///< placed_number
    line,           ///< line_moments
    faded_mean,
  };
  struct number_plan {
    number_kind kind;
    bool in_baseline;        ///< scores compare with it
    std::uint32_t argument;  ///< index in arguments_
    std::uint32_t offset;    ///< first of the plan's cells
    double half_life_ms;     ///< of a faded_mean
  };
  struct argument_plan {
    expression formula;
    bool is_event_value;  ///< the bare field `value`: read without evaluating
  };
  struct aggregate_plan {
    aggregate_function function;
    bool is_held = false;      ///< first, last: not a number, so on the heap
    std::uint32_t offset = 0;  ///< of its cells
    std::uint32_t newest = 0;  ///< delta, rate, scores: of the newest number
    double parameter = 0;
  };

  [[nodiscard]] aggregate_plan plan(const aggregate& one);
  [[nodiscard]] aggregate_plan plan_numbers(const aggregate& one);
  [[nodiscard]] aggregate_plan plan_held(const aggregate& one);
  std::uint32_t argument_of(const expression& formula);
  /// The cells of that kind and argument, made unless they are there already.
  std::uint32_t plan_cells(cell_kind kind, const aggregate& one);
  std::uint32_t plan_number(number_kind kind, const aggregate& one, bool in_baseline = false);
  std::uint32_t hold(held_kind kind, const aggregate& one, bool in_baseline = false);
  [[nodiscard]] static std::size_t cells_of(cell_kind kind) {
    return kind == cell_kind::sum ? 3 : 1;
  }
  [[nodiscard]] static std::size_t cells_of(number_kind kind);

  /// add() and merge() of numbers_ and held_.
  std::ptrdiff_t add_more(double* cells, const event_batch& batch, const event& from,
                          std::int64_t time_ms, std::uint64_t position) const;
  std::ptrdiff_t add_to_held(double* cells, const event_batch& batch, const event& from,
                             std::int64_t time_ms, std::uint64_t position) const;
  static void add_number(const number_plan& plan, double* at, double number, std::int64_t time_ms,
                         std::uint64_t position);
  static void merge_number(const number_plan& plan, double* to, const double* other);

  [[nodiscard]] value read_line(const aggregate_plan& plan, const double* at) const;
  [[nodiscard]] value read_change(const aggregate_plan& plan, const double* cells) const;
  [[nodiscard]] value read_score(const aggregate_plan& plan, const double* cells,
                                 const double* baseline) const;
  [[nodiscard]] value read_faded(const aggregate_plan& plan, const double* at,
                                 const double* baseline) const;
  [[nodiscard]] static value read_held(const aggregate_plan& plan, const double* at,
                                       text_shelf& texts);

  std::vector<argument_plan> arguments_;
  std::vector<cell_plan> plans_;
  std::vector<number_plan> numbers_;
  std::vector<held_plan> held_;
  std::vector<aggregate_plan> aggregates_;
  std::vector<double> cleared_;  ///< the cells of no event
  double baseline_samples_min_ = 0;
  bool has_baseline_ = false;
  bool uses_baseline_ = false;
  bool is_plain_ = true;
};

/// All records of one unit. Records are handed out as they are, so what is const here is the set of
/// them, not their contents. All of them alike count into bytes(), merged ones too: what add, merge
/// and load let grow, clear, give_back and drop take off again.
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

  /// Empties a merged record, as give_back and take would: what its cells own is freed.
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
  /// The records in use now are the unit's own workspace: bytes() does not count them.
  void set_aside() noexcept { set_aside_ = in_use_; }
  /// Of all records in use, with what they own.
  [[nodiscard]] std::uint64_t bytes() const noexcept;

 private:
  [[nodiscard]] std::size_t record_bytes() const noexcept {
    return sizeof(window_record) + layout_.cell_count() * sizeof(double);
  }
  /// An empty record, whatever lay there.
  void reset(window_record& record) const;
  void release_cells(window_record& record) const;
  void merge_more(window_record& into, const window_record& from) const;
  static void merge_header(window_record& into, const window_record& from);

  aggregate_layout layout_;
  slab blocks_;
  std::uint64_t in_use_ = 0;
  std::uint64_t set_aside_ = 0;
  /// Representatives, and what cells point to.
  mutable std::int64_t heap_bytes_ = 0;
};

}  // namespace tocsin
