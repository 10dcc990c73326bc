// SPDX-License-Identifier: Apache-2.0
// Remembering how ended alerts were evaluated.
#include "core/alert_book_flaps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace tocsin {
namespace {

std::string key_of(const fingerprint& print) {
  return std::string{flap_memory::fact_prefix} + to_text(print);
}

template <class Number>
std::optional<Number> number_in(std::string_view text, int base) {
  Number number{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<fingerprint> print_in(std::string_view text) {
  constexpr std::size_t half = 16;
  if (text.size() != 2 * half) return std::nullopt;
  const auto high = number_in<std::uint64_t>(text.substr(0, half), 16);
  const auto low = number_in<std::uint64_t>(text.substr(half), 16);
  if (!high || !low) return std::nullopt;
  return fingerprint{*high, *low};
}

std::string_view next_word(std::string_view& text) {
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(std::min(text.size(), word.size() + 1));
  return word;
}

}  // namespace

void flap_memory::keep(const active_alert& ended, instant at) {
  if (ended.flaps.bits() == 0) return;
  const evaluations seen{ended.flaps, ended.evaluated_at, at};
  remember(ended.now->print, seen);
  changed_.emplace_back(key_of(ended.now->print),
                        fmt::format("{:x} {} {}", seen.flaps.bits(), to_unix_ms(seen.evaluated_at),
                                    to_unix_ms(seen.ended_at)));
}

void flap_memory::remember(const fingerprint& print, const evaluations& seen) {
  ended_.insert_or_assign(print, seen);
  by_end_.emplace_back(seen.ended_at, print);
}

void flap_memory::give_back(active_alert& fresh, instant at) {
  const auto found = ended_.find(fresh.now->print);
  if (found == ended_.end()) return;
  if (at - found->second.ended_at <= length_) {
    fresh.flaps = found->second.flaps;
    fresh.evaluated_at = found->second.evaluated_at;
  }
  ended_.erase(found);
  changed_.emplace_back(key_of(fresh.now->print), "");
}

void flap_memory::forget(instant at) {
  while (!by_end_.empty() && at - by_end_.front().first > length_) {
    const auto [ended_at, print] = by_end_.front();
    by_end_.pop_front();
    const auto found = ended_.find(print);
    if (found == ended_.end() || found->second.ended_at != ended_at) continue;
    ended_.erase(found);
    changed_.emplace_back(key_of(print), "");
  }
}

bool flap_memory::restore(std::string_view key, std::string_view value) {
  if (!key.starts_with(fact_prefix)) return false;
  const auto print = print_in(key.substr(fact_prefix.size()));
  const auto bits = number_in<std::uint32_t>(next_word(value), 16);
  const auto evaluated_ms = number_in<std::int64_t>(next_word(value), 10);
  const auto ended_ms = number_in<std::int64_t>(next_word(value), 10);
  if (!print || !bits || !evaluated_ms || !ended_ms || !value.empty()) return false;
  remember(*print,
           {flap_detector::from_bits(*bits), from_unix_ms(*evaluated_ms), from_unix_ms(*ended_ms)});
  // Facts come back by name, not by time.
  const auto later = std::upper_bound(by_end_.begin(), by_end_.end() - 1, by_end_.back());
  std::rotate(later, by_end_.end() - 1, by_end_.end());
  return true;
}

std::vector<std::pair<std::string, std::string>> flap_memory::take_changed() {
  return std::exchange(changed_, {});
}

}  // namespace tocsin
