// SPDX-License-Identifier: Apache-2.0
// The four levels of events and alerts; the lower number is the worse.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tocsin {

enum class severity : std::uint8_t { critical = 0, error = 1, warning = 2, info = 3 };

/// "critical", "error", "warning" or "info".
[[nodiscard]] std::string_view to_text(severity level) noexcept;

/// Reads a level's name or built-in alias, in any case: fatal, emergency, p1 -> critical; high,
/// err, major, p2 -> error; medium, warn, minor, p3 -> warning; low, remind, notice, debug, ok, p4
/// -> info.
[[nodiscard]] std::optional<severity> parse_severity(std::string_view name) noexcept;

}  // namespace tocsin
