// SPDX-License-Identifier: Apache-2.0
// Counters sorted by hash beside their texts: a full summary moves 6 KiB at most for a new text.
#include "core/frequent_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <tuple>

#include "core/value_text.hpp"

namespace tocsin {

frequent_values::place frequent_values::place_of(std::uint64_t hash) {
  return std::lower_bound(
      counted_.begin(), counted_.end(), hash,
      [](const counted& one, std::uint64_t wanted) { return one.hash < wanted; });
}

void frequent_values::keep(place before, std::uint64_t hash, std::uint64_t count,
                           std::string_view text) {
  counted_.insert(before, {hash, count, texts_.size()});
  texts_.emplace_back(text);
  text_bytes_ += heap_bytes_of(texts_.back());
}

void frequent_values::add(std::string_view text) {
  const std::string_view shown = cut_text(text, shown_text_bytes);
  const std::uint64_t hash = text_hash(shown);
  const place found = place_of(hash);
  if (found != counted_.end() && found->hash == hash)
    ++found->count;
  else if (counted_.size() < kept_max)
    keep(found, hash, 1, shown);
  else
    replace_rarest(hash, shown);
}

void frequent_values::replace_rarest(std::uint64_t hash, std::string_view text) {
  // Ties go by hash: comparing texts would read them all.
  const place rarest = std::min_element(
      counted_.begin(), counted_.end(), [](const counted& left, const counted& right) {
        return std::tie(left.count, right.hash) < std::tie(right.count, left.hash);
      });
  const counted made{hash, rarest->count + 1, rarest->text};
  std::string& kept = texts_[made.text];
  text_bytes_ -= heap_bytes_of(kept);
  kept.assign(text);
  text_bytes_ += heap_bytes_of(kept);
  const place to = place_of(hash);
  if (to > rarest) {
    std::move(rarest + 1, to, rarest);
    *(to - 1) = made;
  } else {
    std::move_backward(to, rarest, rarest + 1);
    *to = made;
  }
  has_replaced_ = true;
}

std::uint64_t frequent_values::missed_max() const {
  if (!has_replaced_) return 0;
  const auto rarest = std::min_element(
      counted_.begin(), counted_.end(),
      [](const auto& left, const auto& right) { return left.count < right.count; });
  return rarest->count;
}

void frequent_values::merge(const frequent_values& other) {
  const std::uint64_t own_missed = missed_max();
  const std::uint64_t other_missed = other.missed_max();
  std::vector<counted> both;
  both.reserve(counted_.size() + other.counted_.size());
  auto own = counted_.begin();
  const auto take_own = [&] {
    both.push_back(*own++);
    both.back().count += other_missed;
  };
  for (const counted& one : other.counted_) {
    while (own != counted_.end() && own->hash < one.hash) take_own();
    if (own != counted_.end() && own->hash == one.hash) {
      both.push_back(*own++);
      both.back().count += one.count;
      continue;
    }
    both.push_back({one.hash, one.count + own_missed, texts_.size()});
    texts_.push_back(other.texts_[one.text]);
    text_bytes_ += heap_bytes_of(texts_.back());
  }
  while (own != counted_.end()) take_own();
  counted_ = std::move(both);
  has_replaced_ = has_replaced_ || other.has_replaced_;
  if (counted_.size() > kept_max) prune();
}

void frequent_values::prune() {
  has_replaced_ = true;
  std::nth_element(counted_.begin(), counted_.begin() + kept_max, counted_.end(),
                   [](const counted& left, const counted& right) {
                     return std::tie(right.count, left.hash) < std::tie(left.count, right.hash);
                   });
  counted_.erase(counted_.begin() + kept_max, counted_.end());
  std::sort(counted_.begin(), counted_.end(),
            [](const counted& left, const counted& right) { return left.hash < right.hash; });
  std::vector<std::string> kept;
  kept.reserve(kept_max);
  text_bytes_ = 0;
  for (counted& one : counted_) {
    kept.push_back(std::move(texts_[one.text]));
    one.text = kept.size() - 1;
    text_bytes_ += heap_bytes_of(kept.back());
  }
  texts_ = std::move(kept);
}

std::string frequent_values::top(std::size_t most) const {
  std::vector<const counted*> ranked;
  ranked.reserve(counted_.size());
  for (const counted& one : counted_) ranked.push_back(&one);
  const std::size_t shown = std::min(most, ranked.size());
  std::partial_sort(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(shown),
                    ranked.end(), [&](const counted* left, const counted* right) {
                      return std::tie(right->count, texts_[left->text]) <
                             std::tie(left->count, texts_[right->text]);
                    });
  std::string text;
  for (std::size_t i = 0; i < shown; ++i)
    fmt::format_to(std::back_inserter(text), "{}{} ({})", i == 0 ? "" : ", ",
                   texts_[ranked[i]->text], ranked[i]->count);
  return text;
}

void frequent_values::save(state_writer& to) const {
  to.put(static_cast<std::uint8_t>(has_replaced_));
  to.put(static_cast<std::uint64_t>(counted_.size()));
  for (const counted& one : counted_) {
    to.put(one.count);
    to.put_text(texts_[one.text]);
  }
}

void frequent_values::load(state_reader& from) {
  has_replaced_ = from.take<std::uint8_t>() != 0;
  const std::uint64_t size = from.take_count(2 * sizeof(std::uint64_t));
  if (size > kept_max || (has_replaced_ && size != kept_max)) from.fail();
  for (std::uint64_t i = 0; i < size && !from.failed(); ++i) {
    const auto count = from.take<std::uint64_t>();
    const std::string_view text = from.take_text();
    const std::uint64_t hash = text_hash(text);
    const place before = place_of(hash);
    if (before != counted_.end() && before->hash == hash) from.fail();
    if (!from.failed()) keep(before, hash, count, text);
  }
  // What follows from having replaced a text does not hold of half a summary.
  if (from.failed()) has_replaced_ = false;
}

}  // namespace tocsin
