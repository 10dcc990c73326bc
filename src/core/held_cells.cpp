// SPDX-License-Identifier: Apache-2.0
// Makes, feeds, merges, saves and frees what cells point to, by its kind.
#include "core/held_cells.hpp"

#include <memory>
#include <string>
#include <type_traits>

#include "core/collected_values.hpp"
#include "core/distinct_counter.hpp"
#include "core/folded_labels.hpp"
#include "core/frequent_values.hpp"
#include "core/kept_value.hpp"
#include "core/quantile_sketch.hpp"
#include "core/value_sample.hpp"
#include "core/value_text.hpp"

namespace tocsin {
namespace {

/// Calls `with` with the type of the kind, as std::type_identity.
template <class With>
decltype(auto) as_type(held_kind kind, With with) {
  switch (kind) {
    case held_kind::distinct:
      return with(std::type_identity<distinct_counter>{});
    case held_kind::quantiles:
      return with(std::type_identity<quantile_sketch>{});
    case held_kind::sample:
      return with(std::type_identity<value_sample>{});
    case held_kind::frequent:
      return with(std::type_identity<frequent_values>{});
    case held_kind::collected:
      return with(std::type_identity<collected_values>{});
    case held_kind::labels:
      return with(std::type_identity<folded_labels>{});
    case held_kind::first_value:
    case held_kind::newest_value:
      break;
  }
  return with(std::type_identity<kept_value>{});
}

template <class Kept>
std::unique_ptr<Kept> make(const held_plan& plan) {
  if constexpr (std::is_same_v<Kept, collected_values>)
    return std::make_unique<Kept>(plan.most);
  else if constexpr (std::is_same_v<Kept, kept_value>)
    return std::make_unique<Kept>(plan.kind == held_kind::first_value ? kept_value::end::first
                                                                      : kept_value::end::newest);
  else
    return std::make_unique<Kept>();
}

template <class Kept>
Kept* keep(std::unique_ptr<Kept> made, double* cell) {
  Kept* const kept = made.release();
  std::memcpy(cell, &kept, sizeof(void*));
  return kept;
}

template <class Kept>
std::size_t bytes_of(const Kept& kept) {
  return sizeof kept + kept.heap_bytes();
}

void take(distinct_counter& into, const sighting& of) {
  std::string scratch;
  into.add(text_of(of.seen, scratch));
}
void take(quantile_sketch& into, const sighting& of) {
  into.add(of.seen.number);
}
void take(value_sample& into, const sighting& of) {
  into.add(of.position, of.seen.number);
}
void take(frequent_values& into, const sighting& of) {
  std::string scratch;
  into.add(text_of(of.seen, scratch));
}
void take(collected_values& into, const sighting& of) {
  std::string scratch;
  into.add(of.time_ms, of.position, text_of(of.seen, scratch));
}
void take(folded_labels& into, const sighting& of) {
  into.add(of.time_ms, of.position, of.labels);
}
void take(kept_value& into, const sighting& of) {
  into.add(of.time_ms, of.position, of.seen);
}

}  // namespace

std::ptrdiff_t add_held(const held_plan& plan, double* cell, const sighting& of) {
  return as_type(plan.kind, [&]<class Kept>(std::type_identity<Kept>) {
    Kept* kept = held_in<Kept>(cell);
    const std::size_t before = kept == nullptr ? 0 : bytes_of(*kept);
    if (kept == nullptr) kept = keep(make<Kept>(plan), cell);
    take(*kept, of);
    return static_cast<std::ptrdiff_t>(bytes_of(*kept)) - static_cast<std::ptrdiff_t>(before);
  });
}

void merge_held(const held_plan& plan, double* into, const double* from) {
  as_type(plan.kind, [&]<class Kept>(std::type_identity<Kept>) {
    const Kept* const other = held_in<Kept>(from);
    if (other == nullptr) return;
    if (Kept* const kept = held_in<Kept>(into); kept != nullptr)
      kept->merge(*other);
    else
      keep(std::make_unique<Kept>(*other), into);
  });
}

void release_held(const held_plan& plan, double* cell) {
  as_type(plan.kind, [&]<class Kept>(std::type_identity<Kept>) {
    const std::unique_ptr<Kept> freed{held_in<Kept>(cell)};
    keep(std::unique_ptr<Kept>{}, cell);
  });
}

std::size_t held_bytes(const held_plan& plan, const double* cell) {
  return as_type(plan.kind, [&]<class Kept>(std::type_identity<Kept>) {
    const Kept* const kept = held_in<Kept>(cell);
    return kept == nullptr ? std::size_t{0} : bytes_of(*kept);
  });
}

void save_held(const held_plan& plan, const double* cell, state_writer& to) {
  as_type(plan.kind, [&]<class Kept>(std::type_identity<Kept>) {
    const Kept* const kept = held_in<Kept>(cell);
    to.put(static_cast<std::uint8_t>(kept != nullptr));
    if (kept != nullptr) kept->save(to);
  });
}

void load_held(const held_plan& plan, double* cell, state_reader& from) {
  if (from.take<std::uint8_t>() == 0) return;
  as_type(plan.kind,
          [&]<class Kept>(std::type_identity<Kept>) { keep(make<Kept>(plan), cell)->load(from); });
}

}  // namespace tocsin
