// SPDX-License-Identifier: Apache-2.0
// A short list by first sight. A text given up cannot come back but with an earlier event: the list
// only ever moves towards earlier ones.
#include "core/collected_values.hpp"

#include <algorithm>
#include <tuple>

#include "core/value_text.hpp"

namespace tocsin {

void collected_values::add(std::int64_t time_ms, std::uint64_t position, std::string_view text) {
  const std::string_view shown = cut_text(text, shown_text_bytes);
  add(time_ms, position, text_hash(shown), shown);
}

void collected_values::add(std::int64_t time_ms, std::uint64_t position, std::uint64_t hash,
                           std::string_view text) {
  const auto precedes = [&](const seen& one) {
    return std::tie(one.time_ms, one.position) < std::tie(time_ms, position);
  };
  const auto known =
      std::find_if(seen_.begin(), seen_.end(), [&](const seen& one) { return one.hash == hash; });
  if (known != seen_.end()) {
    if (precedes(*known)) return;
    known->time_ms = time_ms;
    known->position = position;
    const auto before =
        std::find_if_not(seen_.begin(), known, [&](const seen& one) { return precedes(one); });
    std::rotate(before, known, known + 1);
    return;
  }
  if (seen_.size() == most_) {
    more_ = true;
    if (precedes(seen_.back())) return;
    text_bytes_ -= heap_bytes_of(seen_.back().text);
    seen_.pop_back();
  }
  const auto before = std::partition_point(seen_.begin(), seen_.end(), precedes);
  const auto made = seen_.insert(before, {time_ms, position, hash, std::string{text}});
  text_bytes_ += heap_bytes_of(made->text);
}

void collected_values::merge(const collected_values& other) {
  for (const seen& one : other.seen_) add(one.time_ms, one.position, one.hash, one.text);
  more_ = more_ || other.more_;
}

std::string collected_values::text() const {
  std::string all;
  for (const seen& one : seen_) {
    if (!all.empty() || &one != &seen_.front()) all += ", ";
    all += one.text;
  }
  if (more_) all += ", ...";
  return all;
}

void collected_values::save(state_writer& to) const {
  to.put(static_cast<std::uint8_t>(more_));
  to.put(static_cast<std::uint64_t>(seen_.size()));
  for (const seen& one : seen_) {
    to.put(one.time_ms);
    to.put(one.position);
    to.put_text(one.text);
  }
}

void collected_values::load(state_reader& from) {
  const bool more = from.take<std::uint8_t>() != 0;
  const std::uint64_t size = from.take_count(3 * sizeof(std::uint64_t));
  if (size > most_) from.fail();
  for (std::uint64_t i = 0; i < size && !from.failed(); ++i) {
    const auto time_ms = from.take<std::int64_t>();
    const auto position = from.take<std::uint64_t>();
    add(time_ms, position, from.take_text());
  }
  more_ = more;
}

}  // namespace tocsin
