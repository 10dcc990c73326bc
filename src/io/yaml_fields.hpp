// SPDX-License-Identifier: Apache-2.0
// Reads the fields of one YAML map into typed values.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "io/yaml_reader.hpp"

namespace tocsin {

/// The fields of a map. Each reader leaves its target alone when the field is not there or is
/// wrong, which is then reported.
class yaml_fields {
 public:
  /// Both must outlive it.
  yaml_fields(const yaml_node& map, yaml_decoder& decode) : map_(&map), decode_(&decode) {}

  [[nodiscard]] const yaml_node& map() const noexcept { return *map_; }
  [[nodiscard]] yaml_decoder& decode() const noexcept { return *decode_; }
  [[nodiscard]] const yaml_entry* entry(std::string_view name) const { return find(*map_, name); }
  [[nodiscard]] bool has(std::string_view name) const { return entry(name) != nullptr; }

  void text(std::string_view name, placed_text& into) const;
  /// The same of a field that must be there; `hint` says what it is for.
  void required_text(std::string_view name, std::string_view hint, placed_text& into) const;
  void length(std::string_view name, duration& into, duration least = duration{0}) const;
  /// A whole number.
  void count(std::string_view name, std::uint64_t& into, std::uint64_t least,
             std::uint64_t most = std::numeric_limits<std::int64_t>::max()) const;
  /// A number of bytes, plain or in KiB, MiB, GiB.
  void bytes(std::string_view name, std::uint64_t& into) const;
  /// A map of names to texts.
  void texts(std::string_view name, std::vector<std::pair<std::string, placed_text>>& into) const;
  /// A list that is not empty; null when it is not there or is wrong. `hint` is for an empty one.
  [[nodiscard]] const std::vector<yaml_node>* list(std::string_view name,
                                                   std::string_view hint) const;

  template <class Choice>
  void choose(std::string_view name, Choice& into,
              std::initializer_list<std::pair<std::string_view, Choice>> choices) const {
    placed_text word;
    text(name, word);
    if (word.line == 0) return;
    std::vector<std::string> words;
    for (const auto& [known, choice] : choices) {
      if (known == word.text) {
        into = choice;
        return;
      }
      words.emplace_back(known);
    }
    refuse_word(entry(name)->value, name, words);
  }

  /// Reports a word that is none of `known`.
  void refuse_word(const yaml_node& word, std::string_view field,
                   const std::vector<std::string>& known) const;

 private:
  const yaml_node* map_;
  yaml_decoder* decode_;
};

}  // namespace tocsin
