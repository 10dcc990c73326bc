// SPDX-License-Identifier: Apache-2.0
// A queue by arrival with an index over it; an event's content as one hash.
#include "core/dedup_index.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <vector>

namespace tocsin {
namespace {

/// A number's bytes, so that it can be hashed like a text.
class number_bytes {
 public:
  explicit number_bytes(std::int64_t number)
      : bytes_(std::bit_cast<std::array<char, 8>>(number)) {}
  // Adding zero makes 0 of -0, which is the same number.
  explicit number_bytes(double number)
      : bytes_(std::bit_cast<std::array<char, 8>>(number + 0.0)) {}
  [[nodiscard]] std::string_view view() const noexcept { return {bytes_.data(), bytes_.size()}; }

 private:
  std::array<char, 8> bytes_;
};

constexpr std::string_view kind_text(label::kind kind) {
  switch (kind) {
    case label::kind::null:
      return "null";
    case label::kind::text:
      return "text";
    case label::kind::number:
      return "number";
    case label::kind::boolean:
      return "boolean";
  }
  return "null";
}

}  // namespace

fingerprint dedup_key_of(std::string_view source_id, std::string_view event_id) {
  const std::array<key_part, 2> parts{{{"source_id", source_id}, {"event_id", event_id}}};
  return fingerprint_of("", parts);
}

std::uint64_t content_of(const event& from, std::span<const label> labels) {
  const number_bytes time{to_unix_ms(from.time)};
  const number_bytes value{from.value};
  const number_bytes level{from.level ? static_cast<std::int64_t>(*from.level) : 0};
  constexpr std::string_view absent{};
  std::vector<key_part> parts;
  parts.reserve(from.texts.size() + 4 + 2 * labels.size());
  for (const std::string_view text : from.texts) parts.push_back({"", text});
  parts.push_back({"time", from.has_time ? time.view() : absent});
  parts.push_back({"value", from.has_value() ? value.view() : absent});
  parts.push_back({"level", from.level ? level.view() : absent});
  parts.push_back({"action", to_text(from.action)});

  std::vector<const label*> by_name;
  by_name.reserve(labels.size());
  for (const label& each : labels) by_name.push_back(&each);
  std::sort(by_name.begin(), by_name.end(),
            [](const label* left, const label* right) { return left->name < right->name; });
  std::vector<number_bytes> numbers;
  numbers.reserve(labels.size());  // views point into it: it must not grow
  for (const label* each : by_name) {
    parts.push_back({each->name, kind_text(each->type)});
    if (each->type == label::kind::text || each->type == label::kind::null) {
      parts.push_back({"", each->text});
    } else {
      parts.push_back({"", numbers.emplace_back(each->number).view()});
    }
  }
  return fingerprint_of("", parts).low;
}

dedup_index::dedup_index(duration keep, std::size_t entries_max)
    : keep_(keep), entries_max_(entries_max) {
  assert(entries_max >= 1 && entries_max <= number_mask);
}

dedup_index::verdict dedup_index::see(const fingerprint& key, std::uint64_t content, instant now) {
  while (!entries_.empty() && now - entries_.front().arrived > keep_) forget_oldest();
  const auto at = [this](std::uint32_t slot) -> const entry& {
    return entries_[(slot - oldest_) & number_mask];
  };
  const std::uint32_t known =
      slots_.find(key, [&](std::uint32_t slot) { return at(slot).key == key; });
  if (known != no_index) {
    return at(known).content == content ? verdict::duplicate : verdict::conflict;
  }
  if (entries_.size() == entries_max_) forget_oldest();
  const auto number =
      static_cast<std::uint32_t>((oldest_ + entries_.size()) & number_mask);
  slots_.insert(key, number);
  entries_.push_back({key, content, now});
  return verdict::fresh;
}

void dedup_index::forget_oldest() {
  slots_.erase(entries_.front().key, oldest_);
  entries_.pop_front();
  oldest_ = (oldest_ + 1) & number_mask;
}

}  // namespace tocsin
