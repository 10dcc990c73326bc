// SPDX-License-Identifier: Apache-2.0
// Keeping the active alerts, their deadlines and which of them changed.
#include "core/alert_book_entries.hpp"

#include <cassert>
#include <utility>

#include "core/state_bytes.hpp"

namespace tocsin {
namespace {

constexpr std::uint32_t unchanged = ~std::uint32_t{0};
constexpr char entry_version = 1;
constexpr std::size_t entry_size = 1 + 4 * 8 + 4;

}  // namespace

std::string entry_bytes(const active_alert& of) {
  std::string bytes;
  bytes.reserve(entry_size);
  state_writer into{bytes};
  into.put(entry_version);
  for (const instant each : {of.cleared_at, of.found_at, of.unconfirmed_until, of.evaluated_at}) {
    into.put(each);
  }
  into.put(of.flaps.bits());
  return bytes;
}

bool read_entry_bytes(std::string_view bytes, active_alert& into) {
  state_reader from{bytes};
  if (from.take<char>() != entry_version) return false;
  active_alert read;
  for (instant* each :
       {&read.cleared_at, &read.found_at, &read.unconfirmed_until, &read.evaluated_at}) {
    *each = from_unix_ms(from.take<std::int64_t>());
    if (!may_be_kept(*each)) return false;
  }
  const auto flaps = from.take<std::uint32_t>();
  if (from.failed() || !from.at_end()) return false;
  into.cleared_at = read.cleared_at;
  into.found_at = read.found_at;
  into.unconfirmed_until = read.unconfirmed_until;
  into.evaluated_at = read.evaluated_at;
  into.flaps = flap_detector::from_bits(flaps);
  return true;
}

active_alert* active_alerts::find(const fingerprint& print) const {
  const auto found = by_print_.find(print);
  return found == by_print_.end() ? nullptr : found->second.get();
}

active_alert* active_alerts::find_id(const fingerprint& alert_id) const {
  const auto found = by_id_.find(alert_id);
  return found == by_id_.end() ? nullptr : found->second;
}

active_alert& active_alerts::add(transition now, std::uint32_t rule) {
  auto fresh = std::make_unique<active_alert>();
  active_alert& of = *fresh;
  of.now = std::move(now);
  of.rule = rule;
  of.found_severity = of.now->severity;
  [[maybe_unused]] const bool is_new = by_print_.emplace(of.now->print, std::move(fresh)).second;
  assert(is_new);
  by_id_.insert_or_assign(of.now->alert_id, &of);
  ++by_state_[static_cast<std::size_t>(of.counted)];
  count(of);
  return of;
}

std::unique_ptr<active_alert> active_alerts::remove(active_alert& of) {
  if (of.queued != no_time) queue_.erase(timer_of(of));
  of.queued = no_time;
  if (of.change != unchanged) changed_[of.change] = {nullptr, of.now};
  of.change = unchanged;
  --by_state_[static_cast<std::size_t>(of.counted)];
  suppressed_ -= of.counted_suppressed ? 1 : 0;
  by_id_.erase(of.now->alert_id);
  const auto found = by_print_.find(of.now->print);
  std::unique_ptr<active_alert> taken = std::move(found->second);
  by_print_.erase(found);
  return taken;
}

void active_alerts::count(active_alert& of) noexcept {
  --by_state_[static_cast<std::size_t>(of.counted)];
  suppressed_ -= of.counted_suppressed ? 1 : 0;
  of.counted = of.now->state;
  of.counted_suppressed = of.now->shields.any();
  ++by_state_[static_cast<std::size_t>(of.counted)];
  suppressed_ += of.counted_suppressed ? 1 : 0;
}

active_counts active_alerts::counts() const {
  active_counts now;
  for (std::size_t i = 0; i < by_state_.size(); ++i) {
    if (by_state_[i] > 0) now.by_state.emplace(static_cast<alert_state>(i), by_state_[i]);
  }
  now.suppressed = suppressed_;
  return now;
}

void active_alerts::queue(active_alert& of, instant deadline) {
  if (deadline >= of.queued) return;
  if (of.queued != no_time) queue_.erase(timer_of(of));
  of.queued = deadline;
  queue_.insert(timer_of(of));
}

active_alert& active_alerts::take_first() {
  active_alert& of = *queue_.begin()->of;
  queue_.erase(queue_.begin());
  of.queued = no_time;
  return of;
}

void active_alerts::touch(active_alert& of) {
  if (of.change != unchanged) return;
  of.change = static_cast<std::uint32_t>(changed_.size());
  changed_.push_back({&of, nullptr});
}

std::vector<alert_record> active_alerts::take_changed(bool with_bytes) {
  std::vector<alert_record> records;
  records.reserve(changed_.size());
  for (changed_alert& each : changed_) {
    if (each.still == nullptr) {
      records.push_back({std::move(each.ended), {}});
      continue;
    }
    each.still->change = unchanged;
    records.push_back({each.still->now, with_bytes ? entry_bytes(*each.still) : std::string{}});
  }
  changed_.clear();
  return records;
}

}  // namespace tocsin
