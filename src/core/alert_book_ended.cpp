// SPDX-License-Identifier: Apache-2.0
// Remembering ended alerts.
#include "core/alert_book_ended.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace tocsin {
namespace {

std::string key_of(const fingerprint& print) {
  return std::string{ended_memory::fact_prefix} + to_text(print);
}

template <class Number>
std::optional<Number> number_in(std::string_view text, int base) {
  Number number{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string_view next_word(std::string_view& text) {
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(std::min(text.size(), word.size() + 1));
  return word;
}

}  // namespace

void ended_memory::keep(const active_alert& ended, instant at) {
  if (flaps_for_ == duration::zero() || ended.flaps.bits() == 0) return;
  const life kept{ended.flaps, ended.evaluated_at, at, at + flaps_for_};
  const fingerprint& print = ended.now->print;
  ended_.insert_or_assign(print, kept);
  by_until_.emplace(kept.until, print);
  changed_.emplace_back(
      key_of(print), fmt::format("{:x} {} {} {}", kept.flaps.bits(), to_unix_ms(kept.evaluated_at),
                                 to_unix_ms(kept.ended_at), to_unix_ms(kept.until)));
}

void ended_memory::give_back(active_alert& fresh, const fingerprint& print, instant at) {
  const auto found = ended_.find(print);
  if (found == ended_.end()) return;
  const life& before = found->second;
  if (flaps_for_ > duration::zero() && at - before.ended_at <= flaps_for_) {
    fresh.flaps = before.flaps;
    fresh.evaluated_at = before.evaluated_at;
  }
  by_until_.erase({before.until, print});
  ended_.erase(found);
  changed_.emplace_back(key_of(print), "");
}

void ended_memory::forget(instant at) {
  while (!by_until_.empty() && by_until_.begin()->first < at) {
    const fingerprint print = by_until_.begin()->second;
    by_until_.erase(by_until_.begin());
    ended_.erase(print);
    changed_.emplace_back(key_of(print), "");
  }
}

bool ended_memory::restore(std::string_view key, std::string_view value) {
  if (!key.starts_with(fact_prefix)) return false;
  const auto print = parse_fingerprint(key.substr(fact_prefix.size()));
  const auto bits = number_in<std::uint32_t>(next_word(value), 16);
  const auto evaluated_ms = number_in<std::int64_t>(next_word(value), 10);
  const auto ended_ms = number_in<std::int64_t>(next_word(value), 10);
  const auto until_ms = number_in<std::int64_t>(next_word(value), 10);
  if (!print || !bits || !evaluated_ms || !ended_ms || !until_ms) return false;
  const life kept{flap_detector::from_bits(*bits), from_unix_ms(*evaluated_ms),
                  from_unix_ms(*ended_ms), from_unix_ms(*until_ms)};
  if (!may_be_kept(kept.evaluated_at) || !has_text(kept.ended_at) || !has_text(kept.until))
    return false;
  ended_.insert_or_assign(*print, kept);
  by_until_.emplace(kept.until, *print);
  return true;
}

std::vector<std::pair<std::string, std::string>> ended_memory::take_changed() {
  return std::exchange(changed_, {});
}

}  // namespace tocsin
