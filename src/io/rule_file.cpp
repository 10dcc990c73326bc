// SPDX-License-Identifier: Apache-2.0
// Finds rule files and reads their rules.
#include "tocsin/rule_file.hpp"

#include <glob.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "io/rule_decoder.hpp"
#include "io/yaml_reader.hpp"

namespace tocsin {
namespace {

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
  return decode_rules(*root, file, found);
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
