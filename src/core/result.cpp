// SPDX-License-Identifier: Apache-2.0
// Texts of findings, and the "did you mean" search.
#include "tocsin/result.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace tocsin {

namespace {

/// Longer words are never slips of a known name, and the search is quadratic in the length.
constexpr std::size_t longest_slip = 64;

/// Edit distance where swapping two neighbours counts once (optimal string alignment).
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replace});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before.swap(above);
    above.swap(row);
  }
  return above[b.size()];
}

}  // namespace

std::string diagnostic::text() const {
  std::string place;
  if (!file.empty()) place += file + ":";
  // A column without its line would read as a line.
  if (line > 0) place += fmt::format("{}:", line);
  if (line > 0 && column > 0) place += fmt::format("{}:", column);
  if (!place.empty()) place += ' ';
  return fmt::format("{}{}: {}", place, kind == grade::error ? "error" : "warning", message);
}

bool has_errors(const diagnostics& found) noexcept {
  return std::any_of(found.begin(), found.end(),
                     [](const diagnostic& one) { return one.kind == diagnostic::grade::error; });
}

std::string nearest_word(std::string_view seen, const std::vector<std::string>& candidates) {
  if (seen.size() < 2 || seen.size() > longest_slip) return {};
  // One slip in a short word, one for every three letters of a longer one.
  std::size_t best = std::max<std::size_t>(1, seen.size() / 3) + 1;
  const std::string* nearest = nullptr;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > longest_slip) continue;
    // Each letter that one has beyond the other is an edit.
    const std::size_t longer = std::max(seen.size(), candidate.size());
    if (longer - std::min(seen.size(), candidate.size()) >= best) continue;
    const std::size_t distance = edit_distance(seen, candidate);
    if (distance < best) {
      best = distance;
      nearest = &candidate;
    }
  }
  return nearest == nullptr ? std::string{} : *nearest;
}

}  // namespace tocsin
