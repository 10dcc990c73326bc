// SPDX-License-Identifier: Apache-2.0
// Reads the fields of one YAML map.
#include "io/yaml_fields.hpp"

#include <charconv>
#include <optional>

namespace tocsin {
namespace {

std::optional<std::uint64_t> parse_count(std::string_view text) {
  std::uint64_t count = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return count;
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
  std::uint64_t unit = 1;
  for (const std::string_view name : {"KiB", "MiB", "GiB"}) {
    if (!text.ends_with(name)) continue;
    unit = name == "KiB" ? 1ULL << 10U : name == "MiB" ? 1ULL << 20U : 1ULL << 30U;
    text.remove_suffix(name.size());
    while (text.ends_with(' ')) text.remove_suffix(1);
    break;
  }
  const auto count = parse_count(text);
  constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
  if (!count || *count > most / unit) return std::nullopt;
  return *count * unit;
}

}  // namespace

void yaml_fields::text(std::string_view name, placed_text& into) const {
  const yaml_entry* const found = entry(name);
  if (found == nullptr) return;
  if (auto read = decode_->text(*found)) into = std::move(*read);
}

void yaml_fields::required_text(std::string_view name, std::string_view hint,
                                placed_text& into) const {
  if (!has(name)) decode_->error(*map_, fmt::format("'{}' is missing ({})", name, hint));
  text(name, into);
}

void yaml_fields::length(std::string_view name, duration& into, duration least) const {
  const yaml_entry* const found = entry(name);
  if (found == nullptr) return;
  if (const auto read = decode_->length(*found, least)) into = *read;
}

void yaml_fields::count(std::string_view name, std::uint64_t& into, std::uint64_t least,
                        std::uint64_t most) const {
  placed_text written;
  text(name, written);
  if (written.line == 0) return;
  const auto read = parse_count(written.text);
  const yaml_node& at = entry(name)->value;
  if (!read) {
    decode_->error(at, fmt::format("'{}': \"{}\" is not a whole number", name, written.text));
  } else if (*read < least) {
    decode_->error(at, fmt::format("'{}': {} is too small (at least {})", name, *read, least));
  } else if (*read > most) {
    decode_->error(at, fmt::format("'{}': {} is too large (at most {})", name, *read, most));
  } else {
    into = *read;
  }
}

void yaml_fields::bytes(std::string_view name, std::uint64_t& into) const {
  placed_text written;
  text(name, written);
  if (written.line == 0) return;
  const auto read = parse_bytes(written.text);
  if (read && *read > 0) {
    into = *read;
    return;
  }
  decode_->error(entry(name)->value,
                 fmt::format("'{}': \"{}\" is no number of bytes (try 67108864 or 64MiB; units "
                             "KiB, MiB, GiB)",
                             name, written.text));
}

void yaml_fields::texts(std::string_view name,
                        std::vector<std::pair<std::string, placed_text>>& into) const {
  const yaml_entry* const found = entry(name);
  if (found == nullptr) return;
  if (!decode_->check(*found, yaml_node::kind::map, fmt::format("'{}'", name))) return;
  for (const yaml_entry& one : found->value.entries) {
    if (auto read = decode_->text(one)) into.emplace_back(one.key.text, std::move(*read));
  }
}

const std::vector<yaml_node>* yaml_fields::list(std::string_view name,
                                                std::string_view hint) const {
  const yaml_entry* const found = entry(name);
  if (found == nullptr) return nullptr;
  if (!decode_->check(*found, yaml_node::kind::list, fmt::format("'{}'", name))) return nullptr;
  if (!found->value.items.empty()) return &found->value.items;
  decode_->error(found->value, fmt::format("'{}' is empty ({})", name, hint));
  return nullptr;
}

void yaml_fields::refuse_word(const yaml_node& word, std::string_view field,
                              const std::vector<std::string>& known) const {
  const std::string near = nearest_word(word.text, known);
  decode_->error(word,
                 fmt::format("'{}': \"{}\" is not one of {}{}", field, word.text, listed(known),
                             near.empty() ? "" : fmt::format(" (did you mean '{}'?)", near)));
}

}  // namespace tocsin
