// SPDX-License-Identifier: Apache-2.0
// One pass, field by field; the strings of one record serve the next one too.
#include "io/csv_reader.hpp"

#include <algorithm>
#include <utility>

namespace tocsin {

csv_reader::csv_reader(std::string_view text) : rest_(text) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (rest_.starts_with(byte_order_mark)) rest_.remove_prefix(byte_order_mark.size());
}

bool csv_reader::next() {
  if (failure_) return false;
  while (!rest_.empty() && at_line_end()) pass_line_end();
  if (rest_.empty()) return false;
  line_ = next_line_;
  std::size_t count = 0;
  for (;; ++count) {
    if (count == fields_.size()) fields_.emplace_back();
    if (!read_field(fields_[count])) return false;
    if (rest_.empty() || at_line_end()) break;
    rest_.remove_prefix(1);  // the comma
  }
  pass_line_end();
  fields_.resize(count + 1);
  return true;
}

bool csv_reader::read_field(std::string& into) {
  if (rest_.starts_with('"')) return read_quoted(into);
  const auto end = std::min(rest_.find_first_of(",\r\n\""), rest_.size());
  into.assign(rest_.substr(0, end));
  rest_.remove_prefix(end);
  if (rest_.starts_with('"')) {
    return fail(next_line_,
                "a quote inside a field that does not begin with one (write \"...\" around the "
                "field and double the quotes in it)");
  }
  if (rest_.starts_with('\r') && !at_line_end()) {
    return fail(next_line_, "a carriage return inside a line (lines end with LF or CRLF)");
  }
  return true;
}

bool csv_reader::read_quoted(std::string& into) {
  into.clear();
  const int begin = next_line_;
  rest_.remove_prefix(1);
  for (;;) {
    const auto quote = rest_.find('"');
    if (quote == std::string_view::npos) {
      return fail(begin, "a quote that is not closed before the file ends");
    }
    const std::string_view piece = rest_.substr(0, quote);
    next_line_ += static_cast<int>(std::count(piece.begin(), piece.end(), '\n'));
    into.append(piece);
    rest_.remove_prefix(quote + 1);
    if (!rest_.starts_with('"')) break;
    into += '"';
    rest_.remove_prefix(1);
  }
  if (rest_.empty() || rest_.starts_with(',') || at_line_end()) return true;
  return fail(next_line_, "text behind a closing quote (a quote inside quotes is doubled: \"\")");
}

bool csv_reader::at_line_end() const noexcept {
  return rest_.starts_with('\n') || rest_.starts_with("\r\n");
}

void csv_reader::pass_line_end() {
  if (rest_.empty()) return;
  rest_.remove_prefix(rest_.starts_with('\n') ? 1 : 2);
  ++next_line_;
}

bool csv_reader::fail(int line, std::string message) {
  line_ = line;
  failure_ = std::move(message);
  return false;
}

}  // namespace tocsin
