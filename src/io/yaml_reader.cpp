// SPDX-License-Identifier: Apache-2.0
// Builds the tree from yaml-cpp's parser events, which still tell aliases, quotes and duplicates.
#include "io/yaml_reader.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <unordered_set>

#include "io/utf8.hpp"

namespace tocsin {
namespace {

constexpr std::size_t file_bytes_max = 16 * 1024 * 1024;

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (true) {
    const auto end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return lines;
    text.remove_prefix(end + 1);
  }
}

/// True when every line is text; otherwise reports the first one that is not.
bool check_bytes(std::string_view text, yaml_decoder& report) {
  int line = 0;
  for (const std::string_view one : lines_of(text)) {
    ++line;
    if (valid_utf8(one) && one.find('\0') == std::string_view::npos) continue;
    report.error(line, 0, "this line is not UTF-8 text");
    return false;
  }
  return true;
}

/// Takes the parser's events and keeps the open containers on a stack.
class tree_builder final : public YAML::EventHandler {
 public:
  tree_builder(std::string_view text, yaml_decoder& report)
      : lines_(lines_of(text)), report_(&report) {}

  void OnDocumentStart(const YAML::Mark& /*mark*/) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(node_at(mark, "", anchor, yaml_node::kind::null));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    report_->error(mark.line + 1, mark.column + 1,
                   "aliases (*name) are not supported: write the value out");
    add(node_at(mark, "", 0, yaml_node::kind::null));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    yaml_node node = node_at(mark, tag, anchor, yaml_node::kind::scalar);
    node.text = value;
    node.quoted = tag == "!";
    node.text_column = text_column(node);
    add(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open_.push_back({node_at(mark, tag, anchor, yaml_node::kind::list), {}, {}});
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open_.push_back({node_at(mark, tag, anchor, yaml_node::kind::map), {}, {}});
  }
  void OnMapEnd() override { close(); }

  yaml_node root;

 private:
  struct container {
    yaml_node node;
    std::optional<yaml_node> key;  ///< map: read, its value is next
    std::unordered_set<std::string> keys;
  };

  yaml_node node_at(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    yaml_node::kind type) {
    yaml_node node;
    node.type = type;
    node.line = mark.line + 1;
    node.column = mark.column + 1;
    if (anchor != 0) report_->error(node, "anchors (&name) are not supported");
    // yaml-cpp gives "?" to plain and "!" to quoted scalars.
    if (!tag.empty() && tag != "?" && tag != "!") {
      report_->error(node, fmt::format("tags ('{}') are not supported", tag));
    }
    return node;
  }

  int text_column(const yaml_node& node) const {
    const auto line = static_cast<std::size_t>(node.line - 1);
    auto column = static_cast<std::size_t>(node.column - 1);
    if (line >= lines_.size() || column >= lines_[line].size()) return 0;
    const char first = lines_[line][column];
    if (first == '"' || first == '\'') ++column;
    // Escapes, folding and block scalars make the text differ from what stands there.
    if (lines_[line].substr(column, node.text.size()) != node.text) return 0;
    return static_cast<int>(column) + 1;
  }

  void add(yaml_node node) {
    if (open_.empty()) {
      root = std::move(node);
      return;
    }
    container& parent = open_.back();
    if (parent.node.type == yaml_node::kind::list) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.key) {
      parent.key = std::move(node);
    } else {
      add_entry(parent, std::move(node));
    }
  }

  void add_entry(container& map, yaml_node value) {
    yaml_node key = std::move(*map.key);
    map.key.reset();
    if (key.type != yaml_node::kind::scalar) {
      report_->error(key, fmt::format("a key must be a text, this is {}", to_text(key.type)));
    } else if (key.text == "<<") {
      report_->error(key, "merge keys (<<) are not supported: write the fields out");
    } else if (!map.keys.insert(key.text).second) {
      report_->error(key, fmt::format("duplicate field '{}' (first at line {})", key.text,
                                      find(map.node, key.text)->key.line));
    } else {
      map.node.entries.push_back({std::move(key), std::move(value)});
    }
  }

  void close() {
    yaml_node node = std::move(open_.back().node);
    open_.pop_back();
    add(std::move(node));
  }

  std::vector<std::string_view> lines_;
  std::vector<container> open_;
  yaml_decoder* report_;
};

}  // namespace

std::string_view to_text(yaml_node::kind type) noexcept {
  switch (type) {
    case yaml_node::kind::null:
      return "an empty value";
    case yaml_node::kind::scalar:
      return "a text";
    case yaml_node::kind::list:
      return "a list";
    case yaml_node::kind::map:
      return "a map";
  }
  return "";
}

std::optional<yaml_node> read_yaml(std::string_view text, const std::string& file,
                                   diagnostics& found) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  yaml_decoder report(file, found);
  if (!check_bytes(text, report)) return std::nullopt;
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    tree_builder builder(text, report);
    if (!parser.HandleNextDocument(builder)) return yaml_node{};
    tree_builder rest(text, report);
    if (parser.HandleNextDocument(rest)) {
      report.error(rest.root, "a second document: one file is one document");
    }
    return std::move(builder.root);
  } catch (const YAML::Exception& broken) {
    const bool placed = !broken.mark.is_null();
    report.error(placed ? broken.mark.line + 1 : 0, placed ? broken.mark.column + 1 : 0,
                 fmt::format("not YAML: {}", broken.msg));
    return std::nullopt;
  }
}

void yaml_decoder::error(int line, int column, std::string message) {
  ++errors_;
  found_->push_back({diagnostic::grade::error, file_, line, column, std::move(message)});
}

bool yaml_decoder::check_map(const yaml_node& node, std::string_view what,
                             std::initializer_list<std::string_view> known) {
  const std::vector<std::string> words(known.begin(), known.end());
  if (node.type != yaml_node::kind::map) {
    error(node, fmt::format("{} must be a map of {}, this is {}", what, listed(words),
                            to_text(node.type)));
    return false;
  }
  for (const yaml_entry& entry : node.entries) {
    if (std::find(words.begin(), words.end(), entry.key.text) != words.end()) continue;
    const std::string near = nearest_word(entry.key.text, words);
    error(entry.key, near.empty() ? fmt::format("unknown field '{}' (known in {}: {})",
                                                entry.key.text, what, listed(words))
                                  : fmt::format("unknown field '{}' (did you mean '{}'?)",
                                                entry.key.text, near));
  }
  return true;
}

bool yaml_decoder::check(const yaml_entry& entry, yaml_node::kind type, std::string_view what) {
  if (entry.value.type == type) return true;
  // The place of an empty value is wherever the next token stands.
  const yaml_node& at = entry.value.type == yaml_node::kind::null ? entry.key : entry.value;
  error(at,
        fmt::format("{} must be {}, this is {}", what, to_text(type), to_text(entry.value.type)));
  return false;
}

std::optional<placed_text> yaml_decoder::text(const yaml_entry& entry) {
  if (!check(entry, yaml_node::kind::scalar, fmt::format("'{}'", entry.key.text))) {
    return std::nullopt;
  }
  return placed(entry.value);
}

std::optional<duration> yaml_decoder::length(const yaml_entry& entry, duration least) {
  const auto written = text(entry);
  if (!written) return std::nullopt;
  const auto parsed = parse_duration(written->text);
  if (!parsed) {
    error(entry.value, fmt::format("'{}': \"{}\" is not a duration (try 5m, 1h30m or 250ms)",
                                   entry.key.text, written->text));
  } else if (*parsed < least) {
    error(entry.value, fmt::format("'{}': {} is too short (at least {})", entry.key.text,
                                   written->text, format_duration(least)));
    return std::nullopt;
  }
  return parsed;
}

const yaml_entry* find(const yaml_node& map, std::string_view name) noexcept {
  for (const yaml_entry& entry : map.entries) {
    if (entry.key.text == name) return &entry;
  }
  return nullptr;
}

std::string listed(const std::vector<std::string>& words) {
  std::string list;
  for (const std::string& word : words) {
    if (!list.empty()) list += ", ";
    list += word;
  }
  return list;
}

placed_text placed(const yaml_node& scalar) {
  return {scalar.text, scalar.line, scalar.text_column};
}

result<std::string> read_file(const std::string& path) {
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  std::string bytes;
  if (in) {
    bytes.resize(file_bytes_max + 1);
    in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    bytes.resize(static_cast<std::size_t>(in.gcount()));
  }
  if (!in.eof() && bytes.size() <= file_bytes_max) {
    const std::string reason = errno != 0 ? std::strerror(errno) : "it is not a readable file";
    return error{"unreadable_file", fmt::format("cannot read '{}': {}", path, reason)};
  }
  if (bytes.size() > file_bytes_max) {
    return error{"file_too_large", fmt::format("'{}' is larger than 16 MiB", path)};
  }
  return bytes;
}

}  // namespace tocsin
