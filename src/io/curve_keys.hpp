// SPDX-License-Identifier: Apache-2.0
// Keys of CURVE: made, read from files, written to files. Texts of keys are Z85 (ZeroMQ RFC 32).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "tocsin/result.hpp"

namespace tocsin {

/// Length of a key's text: 32 bytes in Z85.
inline constexpr std::size_t curve_key_length = 40;

/// A pair as texts. Only the public one may be shown.
struct curve_pair {
  std::string public_key;
  std::string secret_key;
};

/// Whether the text is a key: 40 characters of Z85 that stand for 32 bytes.
[[nodiscard]] bool is_curve_key(std::string_view text);
/// The text of 32 bytes.
[[nodiscard]] std::string curve_key_text(std::string_view bytes);

/// A new pair, neither of which begins with '#' (in files that begins a comment).
[[nodiscard]] curve_pair make_curve_pair();
/// The pair of a secret key. Errors: bad_key; the key itself is never told.
[[nodiscard]] result<curve_pair> pair_of_secret(const std::string& secret_key);

/// Reads a file with one secret key on a line of its own; lines that begin with '#' are comments.
/// Errors, with file and line: unreadable, insecure (others than owner and group may read or write
/// it), bad_key.
[[nodiscard]] result<curve_pair> read_secret_file(const std::string& path);
/// Reads the first public key of a file: a line begins with it, a name may follow.
[[nodiscard]] result<std::string> read_public_file(const std::string& path);
/// Writes a secret key for its owner alone (0600). Errors: exists (nothing is overwritten),
/// unwritable.
[[nodiscard]] std::optional<error> write_secret_file(const std::string& path,
                                                     const curve_pair& pair);

}  // namespace tocsin
