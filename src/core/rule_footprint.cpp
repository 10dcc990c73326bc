// SPDX-License-Identifier: Apache-2.0
// Counts the records and bytes that a key of a rule can hold.
#include "tocsin/rule_footprint.hpp"

#include <algorithm>

#include "core/id_ring.hpp"
#include "core/window_record.hpp"
#include "tocsin/alert.hpp"

namespace tocsin {
namespace {

constexpr std::uint64_t usual_text_bytes = 16;
constexpr std::uint64_t usual_event_bytes = 200;
/// Beside each text in packed keys and id rings: its length, time, position.
constexpr std::uint64_t text_head_bytes = 17;
/// id_ring lets so many bytes of old ids stand before it moves the others up.
constexpr std::uint64_t id_ring_slack_bytes = 512;
/// A key's place in the index (cells of 16 bytes, 5/16 to 5/8 of them in use), its hash, its
/// first unit and its state of one cache line.
constexpr std::uint64_t index_bytes = 32;
constexpr std::uint64_t slot_bytes = 32;
constexpr std::uint64_t state_bytes = 64;
constexpr std::uint64_t rule_bytes = 16;
/// pane_windows.cpp folds windows of more panes than this: two folds, each with a merged record a
/// pane.
constexpr std::uint64_t scanned_panes_max = 8;

bool has_panes(const unit& of) {
  return of.kind == window_kind::fixed || of.kind == window_kind::sliding;
}

std::uint64_t panes_in(duration length, duration pane) {
  return static_cast<std::uint64_t>((length + pane - duration{1}) / pane);
}

bool keeps_newest(const rule_set& rules, const unit& of) {
  return !has_panes(of) || std::any_of(of.rules.begin(), of.rules.end(), [&](std::uint32_t index) {
    return !rules.rules()[index].early;
  });
}

void count_records(const unit& in, const rule& of, rule_footprint& into) {
  const window_spec& window = of.spec.window;
  into.records = 1;
  into.merged_records = 1;
  if (in.kind == window_kind::sequence) {
    into.records = std::max<std::size_t>(in.steps.size(), 2) - 1;
  } else if (has_panes(in) && in.pane > duration{}) {
    into.pane = in.pane;
    into.panes_a_window = panes_in(window.size, in.pane);
    into.records = panes_in(window.size + in.lateness + in.baseline.length, in.pane) + 1;
    if (window.trailing && in.limits.events > 0) {
      into.records = std::min(into.records, in.limits.events);
    }
    if (into.panes_a_window > scanned_panes_max) into.merged_records = 2 * into.records;
  }
}

}  // namespace

rule_footprint footprint_of(const rule_set& rules, const rule& of) {
  const unit& in = rules.units()[of.unit];
  rule_footprint made;
  count_records(in, of, made);
  const aggregate_layout layout(in);
  made.record_bytes = sizeof(window_record) + layout.cell_count() * sizeof(double);
  if (keeps_newest(rules, in)) made.newest_bytes = sizeof(representative) + usual_event_bytes;
  const std::uint64_t group_bytes =
      rules.groups()[in.group].fields.size() * (usual_text_bytes + sizeof(std::uint32_t));
  made.key_bytes = index_bytes + slot_bytes + group_bytes + state_bytes + rule_bytes +
                   sizeof(id_ring) + id_ring_slack_bytes +
                   event_ids_max * (usual_text_bytes + text_head_bytes);
  const bool ordered = in.kind == window_kind::sequence || in.close ||
                       of.spec.window.session_max > duration{} ||
                       of.spec.window.session_events_max > 0;
  made.grows = layout.owns_heap() || ordered;
  return made;
}

}  // namespace tocsin
