// SPDX-License-Identifier: Apache-2.0
// Keeping the active alerts, their deadlines and which of them changed.
#include "core/alert_book_entries.hpp"

#include <cassert>
#include <utility>

namespace tocsin {
namespace {

constexpr std::uint32_t unchanged = ~std::uint32_t{0};
constexpr char entry_version = 1;
constexpr std::size_t entry_size = 1 + 4 * 8 + 4;

void put(std::string& to, std::uint64_t number, int bytes) {
  for (int i = 0; i < bytes; ++i) to.push_back(static_cast<char>(number >> (8 * i)));
}

std::uint64_t take(std::string_view& from, std::size_t bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < bytes; ++i) {
    number |= std::uint64_t{static_cast<unsigned char>(from[i])} << (8 * i);
  }
  from.remove_prefix(bytes);
  return number;
}

instant take_instant(std::string_view& from) {
  return from_unix_ms(static_cast<std::int64_t>(take(from, 8)));
}

}  // namespace

std::string entry_bytes(const active_alert& of) {
  std::string bytes;
  bytes.reserve(entry_size);
  bytes.push_back(entry_version);
  for (const instant each : {of.cleared_at, of.found_at, of.unconfirmed_until, of.evaluated_at}) {
    put(bytes, static_cast<std::uint64_t>(to_unix_ms(each)), 8);
  }
  put(bytes, of.flaps.bits(), 4);
  return bytes;
}

bool read_entry_bytes(std::string_view bytes, active_alert& into) {
  if (bytes.size() != entry_size || bytes.front() != entry_version) return false;
  bytes.remove_prefix(1);
  into.cleared_at = take_instant(bytes);
  into.found_at = take_instant(bytes);
  into.unconfirmed_until = take_instant(bytes);
  into.evaluated_at = take_instant(bytes);
  into.flaps = flap_detector::from_bits(static_cast<std::uint32_t>(take(bytes, 4)));
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
