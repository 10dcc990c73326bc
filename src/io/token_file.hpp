// SPDX-License-Identifier: Apache-2.0
// The file of bearer tokens: who may use HTTP, as what, known by hashes of their tokens alone.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/http_role.hpp"
#include "tocsin/result.hpp"

namespace tocsin {

/// SHA-256 of a token's text. A fast hash without salt is enough, because tokens are random: to
/// find one that has a known hash takes 2^255 tries on average, and equal tokens do not occur.
using token_hash = std::array<unsigned char, 32>;

struct bearer_token {
  http_role role = http_role::view;
  std::string name;  ///< who has it: stands in the history of what was done with it
  token_hash hash{};
};

inline constexpr std::size_t token_bytes_min = 32;
inline constexpr std::size_t token_bytes_max = 256;
inline constexpr std::size_t token_file_lines_max = 10'000;

[[nodiscard]] token_hash hash_of_token(std::string_view token);
/// "sha256:" and 64 hexadecimal digits.
[[nodiscard]] std::string to_text(const token_hash& hash);

/// "tocsin_" and 256 bits of the system's randomness in base64url, 50 characters. Errors:
/// no_randomness.
[[nodiscard]] result<std::string> new_token();
/// Why a text cannot be a token, or "": token_bytes_min to token_bytes_max characters of RFC 6750,
/// so that it goes through a header as it is. Does not repeat the text.
[[nodiscard]] std::string refuse_token(std::string_view token);
/// Why a text cannot be the name of a token's bearer, or "": 1 to 64 letters, digits, '.', '_',
/// '-', '@'; no word that stands for a part of tocsin, nothing that looks like a token. Does not
/// repeat the text.
[[nodiscard]] std::string refuse_token_name(std::string_view name);

/// "operator ann sha256:..."
[[nodiscard]] std::string token_line(const bearer_token& of);

/// One line a token: ROLE NAME sha256:HEX, `#` begins a comment. Names may come several times: a
/// token is replaced without a gap by adding the new one before the old one goes. Errors: a line
/// that is none, a token twice. What stands in the place of a hash is never repeated: somebody may
/// have put the token itself there.
[[nodiscard]] std::vector<bearer_token> parse_tokens(std::string_view text, const std::string& file,
                                                     diagnostics& found);

/// Adds a line to a file, which is made when it is missing, readable by its owner only. Errors:
/// unwritable_file.
[[nodiscard]] std::optional<error> append_token_line(const std::string& file,
                                                     std::string_view line);

}  // namespace tocsin
