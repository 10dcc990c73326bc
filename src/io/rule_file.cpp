// SPDX-License-Identifier: Apache-2.0
// Decodes the rules of YAML files into rule_specs; what the texts mean is the compiler's business.
#include "tocsin/rule_file.hpp"

#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <map>

#include "io/yaml_reader.hpp"

namespace tocsin {
namespace {

constexpr auto shortest = duration{1};

class rule_decoder {
 public:
  rule_decoder(const std::string& file, diagnostics& found) : file_(file), decode_(file, found) {}

  std::vector<rule_spec> decode_file(const yaml_node& root) {
    std::vector<rule_spec> specs;
    if (root.type == yaml_node::kind::null) {
      decode_.error(0, 0, "the file is empty (wanted 'rules:' and a list)");
      return specs;
    }
    if (!decode_.check_map(root, "a rule file", {"rules"})) return specs;
    const yaml_entry* rules = find(root, "rules");
    if (rules == nullptr) {
      decode_.error(root, "'rules' is missing");
      return specs;
    }
    if (!decode_.check(*rules, yaml_node::kind::list, "'rules'")) return specs;
    for (const yaml_node& node : rules->value.items) {
      const std::size_t before = decode_.errors();
      rule_spec spec = decode_rule(node);
      if (decode_.errors() == before) specs.push_back(std::move(spec));
    }
    return specs;
  }

 private:
  rule_spec decode_rule(const yaml_node& node) {
    rule_spec spec;
    spec.file = file_;
    spec.line = node.line;
    if (!decode_.check_map(node, "a rule",
                           {"name", "where", "group_by", "window", "select", "having", "severity",
                            "title", "description", "for", "keep_firing_for", "lateness", "clock",
                            "fire", "labels", "annotations"})) {
      return spec;
    }
    require(node, "name", "every rule has one", spec.name);
    require(node, "where", "write 'where: true' to take every event", spec.where);
    decode_group_by(node, spec);
    if (const yaml_entry* window = find(node, "window")) {
      decode_window(*window, spec.window);
    } else {
      decode_.error(node, "'window' is missing (try window: {sliding: 5m})");
    }
    decode_map(node, "select", spec.select);
    take(node, "having", spec.having);
    take(node, "severity", spec.severity);
    take(node, "title", spec.title);
    take(node, "description", spec.description);
    take_length(node, "for", spec.pending_for);
    take_length(node, "keep_firing_for", spec.keep_firing_for);
    if (find(node, "lateness") != nullptr) take_length(node, "lateness", spec.lateness.emplace());
    spec.clock = choose(node, "clock", rule_clock::event,
                        {{"event", rule_clock::event}, {"arrival", rule_clock::arrival}});
    spec.fire = choose(node, "fire", fire_mode::automatic,
                       {{"early", fire_mode::early}, {"close", fire_mode::close}});
    decode_map(node, "labels", spec.labels);
    decode_map(node, "annotations", spec.annotations);
    return spec;
  }

  void take(const yaml_node& rule, std::string_view name, placed_text& into) {
    const yaml_entry* entry = find(rule, name);
    if (entry == nullptr) return;
    if (auto text = decode_.text(*entry)) into = std::move(*text);
  }

  void require(const yaml_node& rule, std::string_view name, std::string_view hint,
               placed_text& into) {
    if (find(rule, name) == nullptr) {
      decode_.error(rule, fmt::format("'{}' is missing ({})", name, hint));
    }
    take(rule, name, into);
  }

  void take_length(const yaml_node& map, std::string_view name, duration& into,
                   duration least = duration{0}) {
    const yaml_entry* entry = find(map, name);
    if (entry == nullptr) return;
    if (auto length = decode_.length(*entry, least)) into = *length;
  }

  template <class Choice>
  Choice choose(const yaml_node& rule, std::string_view name, Choice otherwise,
                std::initializer_list<std::pair<std::string_view, Choice>> choices) {
    const yaml_entry* entry = find(rule, name);
    if (entry == nullptr) return otherwise;
    const auto text = decode_.text(*entry);
    if (!text) return otherwise;
    std::vector<std::string> words;
    for (const auto& [word, choice] : choices) {
      if (word == text->text) return choice;
      words.emplace_back(word);
    }
    decode_.error(entry->value,
                  fmt::format("'{}': \"{}\" is not one of {}", name, text->text, listed(words)));
    return otherwise;
  }

  void decode_group_by(const yaml_node& rule, rule_spec& spec) {
    const yaml_entry* entry = find(rule, "group_by");
    if (entry == nullptr) return;
    if (!decode_.check(*entry, yaml_node::kind::list, "'group_by'")) return;
    if (entry->value.items.empty()) {
      decode_.error(entry->value, "'group_by' is empty (name at least one field)");
    }
    for (const yaml_node& field : entry->value.items) {
      if (auto text = decode_.text({entry->key, field})) spec.group_by.push_back(std::move(*text));
    }
  }

  void decode_map(const yaml_node& rule, std::string_view name,
                  std::vector<std::pair<std::string, placed_text>>& into) {
    const yaml_entry* map = find(rule, name);
    if (map == nullptr) return;
    if (!decode_.check(*map, yaml_node::kind::map, fmt::format("'{}'", name))) return;
    for (const yaml_entry& entry : map->value.entries) {
      if (auto text = decode_.text(entry)) into.emplace_back(entry.key.text, std::move(*text));
    }
  }

  void decode_window(const yaml_entry& entry, window_spec& window) {
    if (!decode_.check(entry, yaml_node::kind::map, "'window'")) return;
    const yaml_node& map = entry.value;
    static constexpr std::string_view kinds[] = {"sliding", "fixed", "session"};
    const auto given =
        std::count_if(std::begin(kinds), std::end(kinds),
                      [&](std::string_view kind) { return find(map, kind) != nullptr; });
    if (given != 1) {
      // Naming the fields first turns a misspelt kind into a suggestion.
      decode_.check_map(map, "a window", {"sliding", "every", "fixed", "offset", "session"});
      decode_.error(map, fmt::format("'window' must have exactly one of sliding, fixed, session; "
                                     "this has {}",
                                     given));
      return;
    }
    if (find(map, "sliding") != nullptr) {
      decode_.check_map(map, "a sliding window", {"sliding", "every"});
      window.kind = window_kind::sliding;
      take_length(map, "sliding", window.size, shortest);
      take_length(map, "every", window.every, shortest);
    } else if (find(map, "fixed") != nullptr) {
      decode_.check_map(map, "a fixed window", {"fixed", "offset"});
      window.kind = window_kind::fixed;
      take_length(map, "fixed", window.size, shortest);
      take_length(map, "offset", window.offset);
      window.every = window.size;
    } else {
      decode_.check_map(map, "a session window", {"session"});
      window.kind = window_kind::session;
      take_length(map, "session", window.size, shortest);
    }
  }

  std::string file_;
  yaml_decoder decode_;
};

/// The files that match one glob, by their canonical path so that each is read once.
void add_matches(const std::string& pattern, std::map<std::string, std::string>& files,
                 diagnostics& found) {
  glob_t matches{};
  const int outcome = ::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &matches);
  for (std::size_t i = 0; outcome == 0 && i < matches.gl_pathc; ++i) {
    const std::string path = matches.gl_pathv[i];
    std::error_code unresolvable;
    const auto canonical = std::filesystem::weakly_canonical(path, unresolvable).string();
    files.emplace(unresolvable ? path : canonical, path);
  }
  ::globfree(&matches);
  if (outcome == 0) return;
  if (outcome != GLOB_NOMATCH) {
    found.push_back({diagnostic::grade::error, pattern, 0, 0, "the folder cannot be read"});
  } else if (pattern.find_first_of("*?[") != std::string::npos) {
    found.push_back({diagnostic::grade::warning, pattern, 0, 0, "no rule file matches"});
  } else {
    found.push_back({diagnostic::grade::error, pattern, 0, 0, "there is no such rule file"});
  }
}

}  // namespace

std::vector<rule_spec> parse_rules(std::string_view yaml, const std::string& file,
                                   diagnostics& found) {
  const auto root = read_yaml(yaml, file, found);
  if (!root) return {};
  return rule_decoder(file, found).decode_file(*root);
}

std::vector<rule_spec> load_rules(const std::vector<std::string>& globs, diagnostics& found) {
  std::map<std::string, std::string> files;
  for (const std::string& pattern : globs) add_matches(pattern, files, found);
  std::vector<std::string> paths;
  for (auto& [canonical, path] : files) paths.push_back(std::move(path));
  std::sort(paths.begin(), paths.end());

  std::vector<rule_spec> specs;
  for (const std::string& path : paths) {
    const auto bytes = read_file(path);
    if (!bytes) {
      found.push_back({diagnostic::grade::error, path, 0, 0, bytes.failure().message});
      continue;
    }
    auto of_file = parse_rules(*bytes, path, found);
    std::move(of_file.begin(), of_file.end(), std::back_inserter(specs));
  }
  return specs;
}

}  // namespace tocsin
