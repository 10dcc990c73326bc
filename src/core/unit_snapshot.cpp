// SPDX-License-Identifier: Apache-2.0
// A unit's states in a snapshot. Caches are not saved: they are made again when they are needed.
#include <bit>

#include "core/unit_windows.hpp"

namespace tocsin {
namespace {

void save_ids(const id_ring* ids, state_writer& to) {
  if (ids == nullptr) {
    to.put(std::uint64_t{0});
    return;
  }
  const std::vector<id_ring::entry> all = ids->entries();
  to.put(static_cast<std::uint64_t>(all.size()));
  for (const id_ring::entry& one : all) {
    to.put(one.time_ms);
    to.put(one.position);
    to.put_text(one.id);
  }
}

std::unique_ptr<id_ring> load_ids(state_reader& from) {
  const std::uint64_t count = from.take_count(24);
  if (count == 0) return nullptr;
  auto ids = std::make_unique<id_ring>();
  for (std::uint64_t i = 0; i < count && !from.failed(); ++i) {
    const auto time_ms = from.take<std::int64_t>();
    const auto position = from.take<std::uint64_t>();
    const std::string_view id = from.take_text();
    if (id.size() > 255) {
      from.fail();
      break;
    }
    ids->add(time_ms, position, id);
  }
  return ids;
}

}  // namespace

void unit_windows::save(state_writer& to, const std::vector<std::uint32_t>& ordinal_of) const {
  to.put(overflow_told_);
  for (const rule_meter& meter : meters_) {
    to.put(meter.now);
    to.put(meter.told);
    to.put(meter.second);
    to.put(meter.work);
    to.put_text(meter.why);
  }
  to.put(keys_in_use_);
  for (std::uint32_t index = 0; index < states_.size(); ++index) {
    const window_state& state = states_[index];
    if (state.key == no_index) continue;
    to.put(ordinal_of[state.key]);
    to.put(index == overflow_state_);
    to.put(state.due_ms);
    to.put(state.met);
    for (std::uint64_t left = state.met; left != 0; left &= left - 1) {
      const auto bit = static_cast<std::uint32_t>(std::countr_zero(left));
      const auto told = told_.find(told_key(index, judge_.rule_at(bit)));
      to.put(told == told_.end() ? std::uint64_t{0} : told->second);
    }
    save_ids(state.ids.get(), to);
    save_contents(state, to);
  }
}

void unit_windows::load(state_reader& from, const std::vector<std::uint32_t>& slot_of) {
  overflow_told_ = from.take<bool>();
  for (rule_meter& meter : meters_) {
    meter.now = from.take<rule_meter::condition>();
    meter.told = from.take<rule_meter::condition>();
    meter.second = from.take<std::int64_t>();
    meter.work = from.take<std::uint64_t>();
    meter.why = from.take_text();
  }
  const std::uint64_t rules_mask =
      meters_.size() == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << meters_.size()) - 1;
  for (std::uint64_t left = from.take_count(29); left != 0 && !from.failed(); --left) {
    const auto ordinal = from.take<std::uint32_t>();
    if (ordinal >= slot_of.size()) return from.fail();
    const bool overflows = from.take<bool>();
    const std::uint32_t index = make_state(slot_of[ordinal]);
    if (overflows) overflow_state_ = index;
    const auto due_ms = from.take<std::int64_t>();
    states_[index].met = from.take<std::uint64_t>();
    if ((states_[index].met & ~rules_mask) != 0) return from.fail();
    for (std::uint64_t met = states_[index].met; met != 0; met &= met - 1) {
      const auto bit = static_cast<std::uint32_t>(std::countr_zero(met));
      told_[told_key(index, judge_.rule_at(bit))] = from.take<std::uint64_t>();
    }
    states_[index].ids = load_ids(from);
    if (states_[index].ids != nullptr) id_bytes_ += states_[index].ids->bytes();
    load_contents(index, from);
    arm(index, due_ms);
  }
  account();
}

}  // namespace tocsin
