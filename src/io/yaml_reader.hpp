// SPDX-License-Identifier: Apache-2.0
// Strict YAML: a tree of texts with places, in which nothing was guessed, merged or overwritten.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/result.hpp"
#include "tocsin/rule.hpp"

namespace tocsin {

struct yaml_entry;

/// One node. Scalars stay the texts they were written as: `0777` is not 511 and `no` is not false.
struct yaml_node {
  enum class kind { null, scalar, list, map };
  kind type = kind::null;
  int line = 0;    ///< from 1
  int column = 0;  ///< from 1, in bytes
  int text_column =
      0;             ///< scalar: where its text begins, when it stands on one line as it is; or 0
  std::string text;  ///< scalar
  bool quoted = false;              ///< scalar: it stood in quotes or in a block
  std::vector<yaml_node> items;     ///< list
  std::vector<yaml_entry> entries;  ///< map, in the order of the file; keys differ
};

struct yaml_entry {
  yaml_node key;  ///< a scalar
  yaml_node value;
};

/// "an empty value", "a text", "a list" or "a map".
[[nodiscard]] std::string_view to_text(yaml_node::kind type) noexcept;

/// The tree of a text with one document; a null node when it is empty. Refused, with places: bytes
/// that are not UTF-8, broken syntax, a second document, duplicate keys, keys that are no plain
/// texts, anchors, aliases, merge keys and tags. Nothing when the text could not be read to its
/// end.
[[nodiscard]] std::optional<yaml_node> read_yaml(std::string_view text, const std::string& file,
                                                 diagnostics& found);

/// Turns nodes into what the caller wants and reports where they are something else.
class yaml_decoder {
 public:
  yaml_decoder(std::string file, diagnostics& found) : file_(std::move(file)), found_(&found) {}

  void error(int line, int column, std::string message);
  void error(const yaml_node& at, std::string message) {
    error(at.line, at.column, std::move(message));
  }

  /// True when `node` is a map; otherwise reports `what` and false. Fields beside `known` are
  /// reported one by one, with a suggestion or the list of what is known.
  bool check_map(const yaml_node& node, std::string_view what,
                 std::initializer_list<std::string_view> known);
  /// Reports a node that is not of `type`; `what` names it.
  bool check(const yaml_entry& entry, yaml_node::kind type, std::string_view what);

  /// The text of a scalar, with its place. Reports anything else.
  [[nodiscard]] std::optional<placed_text> text(const yaml_entry& entry);
  /// A duration's text, at least `least`.
  [[nodiscard]] std::optional<duration> length(const yaml_entry& entry, duration least);

  /// Errors reported so far through this decoder.
  [[nodiscard]] std::size_t errors() const noexcept { return errors_; }

 private:
  std::string file_;
  diagnostics* found_;
  std::size_t errors_ = 0;
};

/// The entry of that name, or null.
[[nodiscard]] const yaml_entry* find(const yaml_node& map, std::string_view name) noexcept;
/// "a, b, c". (fmt::join warns with g++ 12's -O3.)
[[nodiscard]] std::string listed(const std::vector<std::string>& words);
/// A scalar's text with its place.
[[nodiscard]] placed_text placed(const yaml_node& scalar);
/// The bytes of a file of at most 16 MiB. Errors: the file and the reason.
[[nodiscard]] result<std::string> read_file(const std::string& path);

}  // namespace tocsin
