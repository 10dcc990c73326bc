// SPDX-License-Identifier: Apache-2.0
// Rows and errors of a lookup table on their way from the file into the table.
#include "io/lookup_rows.hpp"

#include <fmt/format.h>

#include "io/lookup_file.hpp"
#include "io/utf8.hpp"
#include "io/yaml_reader.hpp"

namespace tocsin {

void lookup_rows::error(int line, std::string message) {
  if (++errors_ > errors_shown_max) return;
  found_.push_back({diagnostic::grade::error, wanted_.path, line, 0, std::move(message)});
}

bool lookup_rows::add(int line, std::string_view key, std::span<const lookup_cell> cells) {
  if (builder_.rows() == lookup_rows_max) {
    error(line, fmt::format("more than {} rows", lookup_rows_max));
    return false;
  }
  if (key.empty()) {
    error(line, "the key is empty");
    return true;
  }
  builder_.add(key, cells);
  lines_.push_back(line);
  return true;
}

void lookup_rows::report_missing(int line, std::string_view name,
                                 const std::vector<std::string>& known, std::string_view what) {
  const std::string near = nearest_word(name, known);
  error(line, fmt::format("no {} '{}' ({})", what, printable(name, 100),
                          near.empty() ? "there are: " + printable(listed(known), 300)
                                       : fmt::format("did you mean '{}'?", printable(near, 100))));
}

std::shared_ptr<const lookup_table> lookup_rows::finish() {
  std::vector<duplicate_key> duplicates;
  auto table = builder_.build(duplicates);
  for (const duplicate_key& twice : duplicates) {
    error(lines_[twice.row],
          fmt::format("the key is one that the row at line {} has already", lines_[twice.first]));
  }
  if (errors_ == 0) return table;
  if (errors_ > errors_shown_max) {
    found_.push_back({diagnostic::grade::error, wanted_.path, 0, 0,
                      fmt::format("and {} more errors", errors_ - errors_shown_max)});
  }
  return nullptr;
}

}  // namespace tocsin
