// SPDX-License-Identifier: Apache-2.0
// Records of a unit with given aggregates, fed with plain samples instead of batches.
#pragma once

#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/window_record.hpp"
#include "tocsin/event.hpp"

namespace tocsin::testing {

inline constexpr double no_number = std::numeric_limits<double>::quiet_NaN();

/// An event as aggregates see it.
struct sample {
  std::int64_t time_ms = 0;
  std::uint64_t position = 0;
  double number = no_number;   ///< `value`
  std::string_view text = {};  ///< `item`; data() == nullptr: absent
  std::vector<label> labels = {};
};

/// Aggregate to be: function, argument ("" for none), parameter.
struct asked {
  aggregate_function function;
  std::string argument;
  double parameter = 0;
};

inline unit unit_of(const std::vector<asked>& aggregates, baseline_spec baseline = {}) {
  const auto compiled = [](const std::string& text) {
    result<expression> made = expression::compile(text, schema::of_event());
    if (!made) throw std::invalid_argument(made.failure().message);
    return *made;
  };
  unit made{.where = compiled("true"),
            .where_canonical = "true",
            .views = {},
            .counts = {},
            .close = {},
            .steps = {},
            .expected = {},
            .baseline = baseline,
            .limits = {},
            .rules = {},
            .aggregates = {}};
  for (const asked& one : aggregates) {
    aggregate added{one.function, std::nullopt, one.parameter};
    if (!one.argument.empty()) added.argument = compiled(one.argument);
    made.aggregates.push_back(std::move(added));
  }
  return made;
}

/// Gives back the records that it took.
class record_driver {
 public:
  explicit record_driver(const std::vector<asked>& aggregates, baseline_spec baseline = {})
      : unit_(unit_of(aggregates, baseline)), records(unit_) {}
  ~record_driver() {
    for (const std::uint32_t index : taken_) records.drop(index);
  }
  record_driver(const record_driver&) = delete;
  record_driver& operator=(const record_driver&) = delete;

  window_record& make() {
    taken_.push_back(records.take());
    return records.at(taken_.back());
  }
  /// Drops all records that make() gave.
  void drop_all() {
    for (const std::uint32_t index : std::exchange(taken_, {})) records.drop(index);
  }
  window_record& make(const std::vector<sample>& samples) {
    window_record& made = make();
    for (const sample& one : samples) add(made, one);
    return made;
  }
  void add(window_record& to, const sample& one) {
    const event_batch batch = batch_of(one);
    records.add(to, batch, batch.events.front(), one.time_ms, one.position);
  }
  void keep_newest(window_record& to, const sample& one) {
    const event_batch batch = batch_of(one);
    records.keep_newest(to, batch, batch.events.front(), one.time_ms, one.position);
  }
  /// The value of the aggregate asked for in that place.
  value read(std::size_t index, const window_record& of, const window_record* baseline = nullptr) {
    return records.layout().read(index, of, record_store::cells(of),
                                 baseline == nullptr ? nullptr : record_store::cells(*baseline),
                                 texts_);
  }
  double number(std::size_t index, const window_record& of,
                const window_record* baseline = nullptr) {
    return read(index, of, baseline).as_number().value_or(no_number);
  }
  std::string text(std::size_t index, const window_record& of) { return read(index, of).to_text(); }

 private:
  static event_batch batch_of(const sample& one) {
    event_batch batch;
    event& made = batch.events.emplace_back();
    made.time = from_unix_ms(one.time_ms);
    made.value = one.number;
    made.set_text(event_field::item, one.text);
    batch.labels = one.labels;
    made.labels_count = static_cast<std::uint32_t>(one.labels.size());
    batch.first_position = one.position;
    return batch;
  }

  unit unit_;
  std::vector<std::uint32_t> taken_;
  text_shelf texts_;

 public:
  record_store records;
};

inline label text_label(std::string_view name, std::string_view text) {
  return {name, text, 0, label::kind::text};
}
inline label null_label(std::string_view name) {
  return {name, {}, 0, label::kind::null};
}
inline label number_label(std::string_view name, double number) {
  return {name, {}, number, label::kind::number};
}
inline label boolean_label(std::string_view name, bool flag) {
  return {name, {}, flag ? 1.0 : 0.0, label::kind::boolean};
}

}  // namespace tocsin::testing
