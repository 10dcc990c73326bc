// SPDX-License-Identifier: Apache-2.0
// Reads CSV as RFC 4180 has it: quotes, doubled quotes and line breaks inside them, CRLF or LF.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

/// Not thread-safe. Blank lines are passed over. White space belongs to the fields.
class csv_reader {
 public:
  /// `text` stays where it is while it is read. A byte order mark before it is passed over.
  explicit csv_reader(std::string_view text);

  /// Reads the next record; false at the end, and where the text is no CSV (see failure()): nothing
  /// can be read behind that.
  bool next();

  /// The record that was read; valid until the next call.
  [[nodiscard]] const std::vector<std::string>& fields() const noexcept { return fields_; }
  /// The line, from 1, on which the record begins; after a failure, the line of that.
  [[nodiscard]] int line() const noexcept { return line_; }
  /// Why nothing more can be read; nothing while all is well and at the end.
  [[nodiscard]] const std::optional<std::string>& failure() const noexcept { return failure_; }

 private:
  bool read_field(std::string& into);
  bool read_quoted(std::string& into);
  bool at_line_end() const noexcept;
  void pass_line_end();
  bool fail(int line, std::string message);

  std::string_view rest_;
  std::vector<std::string> fields_;
  std::optional<std::string> failure_;
  int line_ = 0;
  int next_line_ = 1;  ///< the line that rest_ begins in
};

}  // namespace tocsin
