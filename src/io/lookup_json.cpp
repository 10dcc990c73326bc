// SPDX-License-Identifier: Apache-2.0
// Reads JSON tables with nlohmann's SAX parser, fed through an iterator that counts lines.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_map>

#include "io/lookup_file.hpp"
#include "io/lookup_rows.hpp"
#include "io/utf8.hpp"
#include "tocsin/expression.hpp"

namespace tocsin {
namespace {

/// Reads characters and counts the lines passed; the parser's copies share the count.
struct line_counting_iterator {
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  const char* at = nullptr;
  int* line = nullptr;

  reference operator*() const noexcept { return *at; }
  line_counting_iterator& operator++() noexcept {
    if (*at == '\n') ++*line;
    ++at;
    return *this;
  }
  line_counting_iterator operator++(int) noexcept {
    auto before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const line_counting_iterator& left,
                         const line_counting_iterator& right) noexcept {
    return left.at == right.at;
  }
};

/// The members are named by nlohmann's SAX interface; each returns whether to go on.
class table_reader {
 public:
  table_reader(const lookup_spec& wanted, const int& line, lookup_rows& rows)
      : wanted_(wanted), line_(line), rows_(rows), texts_(wanted.labels.size()) {
    for (const auto& [member, label] : wanted.labels)
      columns_.emplace(member.text, columns_.size());
    cells_.resize(texts_.size());
  }

  bool null() { return scalar({}, ""); }
  bool boolean(bool seen) {
    return scalar({label::kind::boolean, {}, seen ? 1.0 : 0.0}, seen ? "true" : "false");
  }
  bool number_integer(std::int64_t seen) { return integer(seen); }
  bool number_unsigned(std::uint64_t seen) { return integer(seen); }
  bool number_float(double seen, const std::string& /*written*/) { return number(seen); }
  bool string(std::string& seen) { return scalar({label::kind::text, seen, 0}, seen); }
  bool binary(const nlohmann::json::binary_t& /*seen*/) { return false; }  // JSON has none

  bool start_object(std::size_t /*size*/) {
    if (depth_ == 0) {
      keyed_by_name_ = wanted_.key.text.empty();
    } else if (depth_ == 1) {
      begin_row();
    } else if (depth_ == 2) {
      nested();
    }
    ++depth_;
    return true;
  }
  bool end_object() {
    --depth_;
    return depth_ != 1 || end_row();
  }
  bool start_array(std::size_t /*size*/) {
    if (depth_ == 0 && wanted_.key.text.empty()) {
      rows_.error(line_, "a list of objects: which member is the key? (lookup: key: MEMBER)");
      return false;
    }
    if (depth_ == 1) return refuse_row("a list");
    if (depth_ == 2) nested();
    ++depth_;
    return true;
  }
  bool end_array() {
    --depth_;
    return true;
  }
  bool key(std::string& seen) {
    if (depth_ == 1) {
      name_ = seen;
    } else if (depth_ == 2) {
      member_ = seen;
      known_.insert(seen);
      // Members beyond a table's usual few are not worth a suggestion.
      if (known_.size() > known_max) known_.erase(known_.begin());
    }
    return true;
  }
  bool parse_error(std::size_t /*position*/, const std::string& /*token*/,
                   const nlohmann::json::exception& seen) {
    // What went wrong stands behind the library's own words for the place.
    std::string_view why = seen.what();
    if (const auto at = why.find(": "); at != std::string_view::npos) why.remove_prefix(at + 2);
    rows_.error(line_, fmt::format("not JSON: {}", printable(why, 300)));
    return false;
  }

  /// Reports the members that no row has.
  void report_missing() {
    if (rows_.rows() == 0) return;
    for (const auto& [member, label] : wanted_.labels) {
      if (found_.contains(member.text)) continue;
      rows_.report_missing(0, member.text, {known_.begin(), known_.end()}, "row has the member");
    }
  }

 private:
  static constexpr std::size_t known_max = 100;

  void begin_row() {
    row_line_ = line_;
    row_key_.reset();
    if (keyed_by_name_) row_key_ = name_;
    std::fill(cells_.begin(), cells_.end(), lookup_cell{});
    seen_.clear();
  }

  bool end_row() {
    if (!row_key_) {
      rows_.error(row_line_, fmt::format("this row has no member '{}', which is to be its key",
                                         wanted_.key.text));
      return true;
    }
    return rows_.add(row_line_, *row_key_, cells_);
  }

  template <class Integer>
  bool integer(Integer seen) {
    // As a key, a number is what a label of that number is; beyond the integers that a double holds
    // there is no such label, and a text names it digit by digit.
    constexpr double exact_max = 9007199254740992.0;
    const auto real = static_cast<double>(seen);
    if (std::abs(real) <= exact_max) return number(real);
    return scalar({label::kind::number, {}, real}, std::to_string(seen));
  }

  bool number(double seen) {
    return scalar({label::kind::number, {}, seen}, value::of(seen).to_text());
  }

  /// `text` is what the value is as a key; "" of null.
  bool scalar(const lookup_cell& cell, const std::string& text) {
    if (depth_ == 0) {
      rows_.error(line_, "a single value (wanted a list of objects or an object of objects)");
      return false;
    }
    if (depth_ == 1) return refuse_row("a single value");
    if (depth_ > 2) return true;
    const bool is_key = !keyed_by_name_ && member_ == wanted_.key.text;
    const auto column = columns_.find(member_);
    if (!is_key && column == columns_.end()) return true;
    if (!seen_.insert(member_).second) {
      rows_.error(line_,
                  fmt::format("this row has the member '{}' twice", printable(member_, 100)));
    }
    if (is_key && cell.type != label::kind::null) row_key_ = text;
    if (column == columns_.end()) return true;
    found_.insert(member_);
    lookup_cell& into = cells_[column->second];
    into = cell;
    if (cell.type != label::kind::text) return true;
    texts_[column->second] = text;
    into.text = texts_[column->second];
    return true;
  }

  void nested() {
    const bool is_key = !keyed_by_name_ && member_ == wanted_.key.text;
    if (!is_key && !columns_.contains(member_)) return;
    found_.insert(member_);
    rows_.error(line_, fmt::format("'{}' is a list or an object (wanted a text, a number, true or "
                                   "false)",
                                   printable(member_, 100)));
  }

  bool refuse_row(std::string_view seen) {
    rows_.error(line_, fmt::format("{} in the place of a row (wanted an object)", seen));
    return false;
  }

  const lookup_spec& wanted_;
  const int& line_;
  lookup_rows& rows_;
  std::unordered_map<std::string, std::size_t> columns_;  ///< by member
  std::set<std::string> known_;                           ///< members seen, for suggestions
  std::set<std::string> found_;                           ///< members wanted and seen
  bool keyed_by_name_ = false;  ///< an object of objects, and no member is the key
  std::size_t depth_ = 0;
  std::string name_;    ///< of the row, in an object of objects
  std::string member_;  ///< of the row

  // The row at hand.
  int row_line_ = 0;
  std::optional<std::string> row_key_;
  std::set<std::string> seen_;      ///< wanted members
  std::vector<std::string> texts_;  ///< what cells_ point into
  std::vector<lookup_cell> cells_;
};

}  // namespace

std::shared_ptr<const lookup_table> parse_lookup_json(std::string_view text,
                                                      const lookup_spec& wanted,
                                                      diagnostics& found) {
  lookup_rows rows(wanted, found);
  int line = 1;
  table_reader reader(wanted, line, rows);
  const line_counting_iterator begin{text.data(), &line};
  const line_counting_iterator end{text.data() + text.size(), &line};
  if (nlohmann::json::sax_parse(begin, end, &reader)) reader.report_missing();
  return rows.finish();
}

}  // namespace tocsin
