// SPDX-License-Identifier: Apache-2.0
// A table that events are joined with: rows found by their key, immutable once built, and the place
// where a newer one takes over.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tocsin/event.hpp"

namespace tocsin {

/// One cell. Of kind null where the row has no value.
struct lookup_cell {
  label::kind type = label::kind::null;
  std::string_view text;  ///< for kind::text
  double number = 0;      ///< for kind::number, finite; 0 or 1 for kind::boolean
};

/// Rows of cells, found by key. Safe to read from any thread.
class lookup_table {
 public:
  /// The row of that key, or nothing.
  [[nodiscard]] std::optional<std::uint32_t> find(std::string_view key) const;
  /// Views into this table. Precondition: there are such a row and column.
  [[nodiscard]] lookup_cell at(std::uint32_t row, std::size_t column) const noexcept;
  [[nodiscard]] std::size_t rows() const noexcept { return rows_.size(); }
  [[nodiscard]] std::size_t columns() const noexcept { return columns_; }

 private:
  friend class lookup_table_builder;
  /// Where a text stands in bytes_; of a number, where its 8 bytes do.
  struct place {
    std::uint32_t begin = 0;
    std::uint32_t bytes = 0;
  };
  struct packed_cell {
    place at;
    label::kind type = label::kind::null;
  };

  lookup_table() = default;
  [[nodiscard]] std::string_view text(place at) const noexcept {
    return std::string_view{bytes_}.substr(at.begin, at.bytes);
  }

  std::size_t columns_ = 0;
  std::string bytes_;
  std::vector<place> keys_;
  std::vector<packed_cell> cells_;                            ///< row after row
  std::unordered_map<std::string_view, std::uint32_t> rows_;  ///< views into bytes_
};

/// A row whose key an earlier row has.
struct duplicate_key {
  std::uint32_t row = 0;
  std::uint32_t first = 0;
};

/// Collects rows; builds once.
class lookup_table_builder {
 public:
  explicit lookup_table_builder(std::size_t columns);

  /// Adds a copy of a row with as many cells as columns. All texts together: at most 4 GiB.
  void add(std::string_view key, std::span<const lookup_cell> cells);
  [[nodiscard]] std::size_t rows() const noexcept { return table_->keys_.size(); }
  /// The table of all rows added; the builder is spent. Of rows with the same key the first one
  /// counts, the others are appended to `duplicates`.
  [[nodiscard]] std::shared_ptr<const lookup_table> build(std::vector<duplicate_key>& duplicates);

 private:
  [[nodiscard]] lookup_table::place keep(std::string_view bytes);
  std::shared_ptr<lookup_table> table_;
};

/// Holds the table in use; a newer one may be put in from any thread at any time. Who has taken a
/// table keeps it.
class lookup_slot {
 public:
  /// Null until the first put().
  [[nodiscard]] std::shared_ptr<const lookup_table> get() const { return table_.load(); }
  void put(std::shared_ptr<const lookup_table> newer) { table_.store(std::move(newer)); }

 private:
  std::atomic<std::shared_ptr<const lookup_table>> table_;
};

}  // namespace tocsin
