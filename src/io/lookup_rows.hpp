// SPDX-License-Identifier: Apache-2.0
// What CSV and JSON tables have in common: rows with lines, keys that differ, errors that end
// somewhere.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/enrichment.hpp"
#include "tocsin/lookup_table.hpp"
#include "tocsin/result.hpp"

namespace tocsin {

/// Collects the rows of one file and what is wrong with them.
class lookup_rows {
 public:
  lookup_rows(const lookup_spec& wanted, diagnostics& found)
      : wanted_(wanted), found_(found), builder_(wanted.labels.size()) {}

  /// Beyond a score of errors they are only counted.
  void error(int line, std::string message);
  /// False when the file has too many rows: the rest need not be read.
  bool add(int line, std::string_view key, std::span<const lookup_cell> cells);
  /// Reports names, of columns or members, that nothing in the file bears.
  void report_missing(int line, std::string_view name, const std::vector<std::string>& known,
                      std::string_view what);
  /// The table; null when there was an error.
  [[nodiscard]] std::shared_ptr<const lookup_table> finish();

  [[nodiscard]] std::size_t rows() const noexcept { return builder_.rows(); }
  [[nodiscard]] std::size_t errors() const noexcept { return errors_; }

 private:
  static constexpr std::size_t errors_shown_max = 20;

  const lookup_spec& wanted_;
  diagnostics& found_;
  lookup_table_builder builder_;
  std::vector<int> lines_;  ///< by row
  std::size_t errors_ = 0;
};

}  // namespace tocsin
