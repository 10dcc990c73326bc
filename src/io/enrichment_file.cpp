// SPDX-License-Identifier: Apache-2.0
// Decodes the `enrich` list; what fields, patterns and templates mean is the compiler's business.
#include "io/enrichment_file.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <utility>

namespace tocsin {
namespace {

class enrichment_decoder {
 public:
  enrichment_decoder(const std::string& file, yaml_decoder& decode)
      : file_(file), folder_(std::filesystem::path(file).parent_path()), decode_(decode) {}

  std::optional<enrichment_step> decode_step(const yaml_node& node) {
    const std::size_t before = decode_.errors();
    enrichment_step step;
    step.file = file_;
    step.line = node.line;
    if (!decode_.check_map(node, "a step",
                           {"extract", "lookup", "rename", "set", "drop", "where"})) {
      return std::nullopt;
    }
    const yaml_entry* what = nullptr;
    for (const yaml_entry& entry : node.entries) {
      if (entry.key.text == "where") {
        take_where(entry, step.where);
      } else if (what == nullptr) {
        what = &entry;
      } else {
        decode_.error(entry.key,
                      fmt::format("a step does one thing, and this one does '{}' already: make "
                                  "'{}' a step of its own",
                                  what->key.text, entry.key.text));
      }
    }
    if (what != nullptr) {
      decode_what(*what, step);
    } else if (decode_.errors() == before) {
      decode_.error(node, "a step that does nothing (wanted extract, lookup, rename, set or drop)");
    }
    if (decode_.errors() != before) return std::nullopt;
    return step;
  }

 private:
  void decode_what(const yaml_entry& entry, enrichment_step& step) {
    const std::string& kind = entry.key.text;
    if (kind == "extract") {
      step.what = decode_extract(entry.value, step.where);
    } else if (kind == "lookup") {
      step.what = decode_lookup(entry.value, step.where);
    } else if (kind == "rename") {
      step.what = rename_spec{decode_pairs(entry)};
    } else if (kind == "set") {
      step.what = set_spec{decode_pairs(entry)};
    } else if (kind == "drop") {
      step.what = decode_drop(entry);
    }
  }

  extract_spec decode_extract(const yaml_node& map, placed_text& where) {
    extract_spec spec;
    if (!decode_.check_map(map, "'extract'", {"field", "pattern", "where"})) return spec;
    require(map, "extract", "field", spec.field);
    require(map, "extract", "pattern", spec.pattern);
    if (const yaml_entry* entry = find(map, "where")) take_where(*entry, where);
    return spec;
  }

  lookup_spec decode_lookup(const yaml_node& map, placed_text& where) {
    lookup_spec spec;
    if (!decode_.check_map(map, "'lookup'", {"file", "on", "key", "labels", "where"})) return spec;
    require(map, "lookup", "file", spec.file);
    require(map, "lookup", "on", spec.on);
    if (find(map, "key") != nullptr) require(map, "lookup", "key", spec.key);
    if (const yaml_entry* entry = find(map, "labels")) {
      spec.labels = decode_columns(*entry);
    } else {
      decode_.error(map, "lookup: 'labels' is missing (the columns that become labels)");
    }
    if (const yaml_entry* entry = find(map, "where")) take_where(*entry, where);
    spec.path = (folder_ / spec.file.text).string();
    if (!spec.file.text.empty() && !spec.path.ends_with(".csv") && !spec.path.ends_with(".json")) {
      decode_.error(
          find(map, "file")->value,
          fmt::format("'file': \"{}\" is neither a .csv nor a .json file", spec.file.text));
    }
    return spec;
  }

  /// Names of columns, or a map from columns to labels.
  std::vector<std::pair<placed_text, placed_text>> decode_columns(const yaml_entry& entry) {
    if (entry.value.type == yaml_node::kind::map) return decode_pairs(entry);
    std::vector<std::pair<placed_text, placed_text>> columns;
    for (placed_text& name : decode_names(entry)) columns.emplace_back(name, name);
    return columns;
  }

  drop_spec decode_drop(const yaml_entry& entry) { return {decode_names(entry)}; }

  std::vector<placed_text> decode_names(const yaml_entry& entry) {
    std::vector<placed_text> names;
    if (!decode_.check(entry, yaml_node::kind::list, fmt::format("'{}'", entry.key.text))) {
      return names;
    }
    for (const yaml_node& item : entry.value.items) {
      if (auto name = decode_.text({entry.key, item})) names.push_back(std::move(*name));
    }
    return names;
  }

  std::vector<std::pair<placed_text, placed_text>> decode_pairs(const yaml_entry& entry) {
    std::vector<std::pair<placed_text, placed_text>> pairs;
    if (!decode_.check(entry, yaml_node::kind::map, fmt::format("'{}'", entry.key.text))) {
      return pairs;
    }
    for (const yaml_entry& pair : entry.value.entries) {
      if (auto text = decode_.text(pair)) pairs.emplace_back(placed(pair.key), std::move(*text));
    }
    return pairs;
  }

  /// A text that must be there and say something.
  void require(const yaml_node& map, std::string_view step, std::string_view name,
               placed_text& into) {
    const yaml_entry* entry = find(map, name);
    if (entry == nullptr) {
      decode_.error(map, fmt::format("{}: '{}' is missing", step, name));
    } else if (auto text = decode_.text(*entry)) {
      into = std::move(*text);
      if (into.text.empty()) decode_.error(entry->value, fmt::format("'{}' is empty", name));
    }
  }

  void take_where(const yaml_entry& entry, placed_text& into) {
    if (!into.text.empty()) {
      decode_.error(entry.key,
                    fmt::format("a second 'where' (the other one is at line {})", into.line));
    } else if (auto text = decode_.text(entry)) {
      into = std::move(*text);
      if (into.text.empty()) {
        decode_.error(entry.value, "'where' is empty (leave it out to take every event)");
      }
    }
  }

  const std::string& file_;
  std::filesystem::path folder_;
  yaml_decoder& decode_;
};

}  // namespace

std::vector<enrichment_step> decode_enrichment(const yaml_entry& enrich, const std::string& file,
                                               yaml_decoder& decode) {
  std::vector<enrichment_step> steps;
  if (!decode.check(enrich, yaml_node::kind::list, "'enrich'")) return steps;
  enrichment_decoder one(file, decode);
  for (const yaml_node& node : enrich.value.items) {
    if (auto step = one.decode_step(node)) steps.push_back(std::move(*step));
  }
  return steps;
}

loaded_enrichment load_enrichment(std::vector<enrichment_step> steps, const event_limits& limits,
                                  diagnostics& found) {
  if (steps.empty()) return {};
  loaded_enrichment made;
  made.steps = enrichment::compile(std::move(steps), limits, found);
  if (!made.steps) return {};
  made.tables = lookup_watcher::load(made.steps, found);
  return made.tables ? made : loaded_enrichment{};
}

}  // namespace tocsin
