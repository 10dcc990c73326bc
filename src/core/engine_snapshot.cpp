// SPDX-License-Identifier: Apache-2.0
// An engine's whole state as bytes: keys group by group, then states unit by unit.
#define XXH_INLINE_ALL
#include <fmt/format.h>
#include <xxhash.h>

#include "core/engine_state.hpp"

namespace tocsin {
namespace {

constexpr std::string_view magic = "tocsin engine state";
constexpr std::uint32_t version = 1;

/// What must be the same for a state to mean the same.
std::string identity_of(const rule_set& rules, const engine_budget& budget) {
  std::string identity = fmt::format("shard {} of {};", budget.shard, budget.shards);
  for (const rule& of : rules.rules()) {
    const rule_limits& limits = of.spec.limits;
    identity += fmt::format("{} {} {};", of.name, of.revision, limits.events);
  }
  return identity;
}

/// XXH3-64: what is read back is what was written, so that its texts can be taken apart unchecked.
std::uint64_t checksum_of(std::string_view bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace

std::string window_engine::save() const {
  std::string saved;
  state_writer to{saved};
  to.put_text(magic);
  to.put(version);
  to.put_text(identity_of(*state_->rules, state_->budget));
  to.put(state_->begun);
  std::vector<std::vector<std::uint32_t>> ordinals;
  for (const auto& known : state_->keys) {
    std::vector<std::uint32_t>& ordinal_of = ordinals.emplace_back();
    to.put(static_cast<std::uint64_t>(known->size()));
    std::uint32_t next = 0;
    known->each([&](std::uint32_t slot, const fingerprint& key, std::string_view values) {
      if (ordinal_of.size() <= slot) ordinal_of.resize(slot + 1);
      ordinal_of[slot] = next++;
      to.put(key);
      to.put_text(values);
    });
  }
  for (std::size_t i = 0; i < state_->units.size(); ++i)
    state_->units[i]->save(to, ordinals[state_->rules->units()[i].group]);
  to.put(checksum_of(saved));
  return saved;
}

std::optional<error> window_engine::restore(std::string_view saved) {
  constexpr std::size_t sum_bytes = sizeof(std::uint64_t);
  if (saved.size() < sum_bytes)
    return error{"bad_snapshot", fmt::format("{} bytes are no engine's state", saved.size())};
  const std::string_view body = saved.substr(0, saved.size() - sum_bytes);
  if (state_reader{saved.substr(body.size())}.take<std::uint64_t>() != checksum_of(body))
    return error{"bad_snapshot", "the state is damaged: its checksum is another"};
  state_reader from{body};
  if (from.take_text() != magic) return error{"bad_snapshot", "these bytes are no engine's state"};
  const auto seen_version = from.take<std::uint32_t>();
  if (seen_version != version)
    return error{"bad_snapshot", fmt::format("the state has format version {}, this reads {}",
                                             seen_version, version)};
  if (from.take_text() != identity_of(*state_->rules, state_->budget))
    return error{"other_rules", "the state is of other rules, limits or shards"};
  state_->begun = from.take<bool>();
  std::vector<std::vector<std::uint32_t>> slots;
  for (const auto& known : state_->keys) {
    std::vector<std::uint32_t>& slot_of = slots.emplace_back();
    for (std::uint64_t left = from.take_count(24); left != 0 && !from.failed(); --left) {
      const fingerprint key = from.take_fingerprint();
      const std::string_view values = from.take_text();
      if (known->find(key) != no_index) from.fail();
      if (!from.failed()) slot_of.push_back(known->add(key, values));
    }
  }
  for (std::size_t i = 0; i < state_->units.size() && !from.failed(); ++i)
    state_->units[i]->load(from, slots[state_->rules->units()[i].group]);
  if (from.failed() || !from.at_end())
    return error{"bad_snapshot", "the state is damaged: it does not end where it should"};
  if (state_->begun) {
    state_->idle_until_ms = never_ms;
    state_->queue_all();
  }
  state_->account_keys();
  return std::nullopt;
}

}  // namespace tocsin
