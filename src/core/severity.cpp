// SPDX-License-Identifier: Apache-2.0
// Names and aliases of the four levels.
#include "tocsin/severity.hpp"

#include <array>
#include <cstddef>
#include <utility>

namespace tocsin {

namespace {

constexpr std::array<std::string_view, 4> level_names{"critical", "error", "warning", "info"};

constexpr std::array<std::pair<std::string_view, severity>, 21> level_words{{
    {"critical", severity::critical}, {"error", severity::error},
    {"warning", severity::warning},   {"info", severity::info},
    {"fatal", severity::critical},    {"emergency", severity::critical},
    {"p1", severity::critical},       {"high", severity::error},
    {"err", severity::error},         {"major", severity::error},
    {"p2", severity::error},          {"medium", severity::warning},
    {"warn", severity::warning},      {"minor", severity::warning},
    {"p3", severity::warning},        {"low", severity::info},
    {"remind", severity::info},       {"notice", severity::info},
    {"debug", severity::info},        {"ok", severity::info},
    {"p4", severity::info},
}};
constexpr std::size_t longest_word = 9;  // "emergency"

}  // namespace

std::string_view to_text(severity level) noexcept {
  return level_names[static_cast<std::size_t>(level) % level_names.size()];
}

std::optional<severity> parse_severity(std::string_view name) noexcept {
  if (name.size() > longest_word) return std::nullopt;
  std::array<char, longest_word> lower{};
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    lower[i] = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  const std::string_view wanted{lower.data(), name.size()};
  for (const auto& [word, level] : level_words) {
    if (word == wanted) return level;
  }
  return std::nullopt;
}

}  // namespace tocsin
