// SPDX-License-Identifier: Apache-2.0
// Reads lookup tables from CSV and JSON files, strictly: what is wrong is an error with file and
// line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tocsin/enrichment.hpp"
#include "tocsin/lookup_table.hpp"
#include "tocsin/result.hpp"

namespace tocsin {

inline constexpr std::size_t lookup_file_bytes_max = std::size_t{64} * 1024 * 1024;
inline constexpr std::size_t lookup_rows_max = 1'000'000;

/// What tells one content of a file from another without reading it.
struct file_stamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;
  friend bool operator==(const file_stamp&, const file_stamp&) = default;
};

/// Nothing when there is no such file, or none that can be looked at.
[[nodiscard]] std::optional<file_stamp> stamp_of(const std::string& path);

/// A table and the content it was read from.
struct loaded_lookup {
  std::shared_ptr<const lookup_table> table;  ///< null after an error
  std::optional<file_stamp> stamp;            ///< nothing when there was no content to read
};

/// Reads the table that `wanted` asks for. An unreadable file is an error at the place of the
/// settings that names it.
[[nodiscard]] loaded_lookup load_lookup(const lookup_request& wanted, diagnostics& found);

/// The table in a text of CSV: the first record names the columns, an empty field is no value.
/// Errors: a column that is not there or named twice, a ragged record, an empty or repeated key,
/// broken quoting, more than lookup_rows_max rows. Null when there is one.
[[nodiscard]] std::shared_ptr<const lookup_table> parse_lookup_csv(std::string_view text,
                                                                   const lookup_spec& wanted,
                                                                   diagnostics& found);
/// The same of JSON: a list of objects, or an object of objects whose names are the keys. Members
/// that are null or absent are no value; those nobody asked for may be anything.
[[nodiscard]] std::shared_ptr<const lookup_table> parse_lookup_json(std::string_view text,
                                                                    const lookup_spec& wanted,
                                                                    diagnostics& found);

}  // namespace tocsin
