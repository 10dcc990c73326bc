// SPDX-License-Identifier: Apache-2.0
// Who is allowed in: the daemon's own key and a list of public keys for each role.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "io/curve_keys.hpp"
#include "io/lookup_file.hpp"
#include "io/security_file.hpp"
#include "tocsin/result.hpp"

namespace tocsin {

/// Longest name of a key.
inline constexpr std::size_t curve_name_bytes_max = 100;

/// Names by public key (Z85).
using allow_list = std::map<std::string, std::string, std::less<>>;

/// Reads "KEY NAME" a line; `#` begins a comment, also behind a name. Names are 1 to 100 of
/// `A-Z a-z 0-9 _ . : @ / -`; one name may have several keys. All errors are found, with file and
/// line: what is no key, a key without a name, a key twice.
[[nodiscard]] allow_list parse_allow_list(std::string_view text, const std::string& file,
                                          diagnostics& found);

/// A list as its file was when it was read.
struct loaded_allow_list {
  std::string path;  ///< "": there is none, and nobody has the role
  allow_list keys;
  std::optional<file_stamp> stamp;
};
[[nodiscard]] loaded_allow_list load_allow_list(const std::string& path, diagnostics& found);

struct curve_access {
  curve_pair server;
  std::array<loaded_allow_list, all_roles.size()> lists;  ///< by curve_role

  /// The user that a key belongs to in a list whose role may use the surface; nothing when there is
  /// none.
  [[nodiscard]] std::optional<std::string> user(surface which, std::string_view public_key) const;
  /// Whether some list has the key.
  [[nodiscard]] bool knows(std::string_view public_key) const;
};

/// Reads the files that the settings name; nothing without CURVE. Every finding is reported.
[[nodiscard]] std::optional<curve_access> load_curve_access(const security_settings& from,
                                                            diagnostics& found);

}  // namespace tocsin
