// SPDX-License-Identifier: Apache-2.0
// Keeps all texts of a table in one string and its cells in one vector.
#include "tocsin/lookup_table.hpp"

#include <cassert>
#include <cstring>
#include <limits>
#include <utility>

namespace tocsin {

std::optional<std::uint32_t> lookup_table::find(std::string_view key) const {
  const auto found = rows_.find(key);
  if (found == rows_.end()) return std::nullopt;
  return found->second;
}

lookup_cell lookup_table::at(std::uint32_t row, std::size_t column) const noexcept {
  const packed_cell& packed = cells_[row * columns_ + column];
  lookup_cell cell;
  cell.type = packed.type;
  switch (packed.type) {
    case label::kind::null:
      break;
    case label::kind::text:
      cell.text = text(packed.at);
      break;
    case label::kind::number:
    case label::kind::boolean:
      std::memcpy(&cell.number, text(packed.at).data(), sizeof cell.number);
      break;
  }
  return cell;
}

lookup_table_builder::lookup_table_builder(std::size_t columns) : table_(new lookup_table) {
  table_->columns_ = columns;
}

lookup_table::place lookup_table_builder::keep(std::string_view bytes) {
  const std::size_t begin = table_->bytes_.size();
  assert(begin + bytes.size() <= std::numeric_limits<std::uint32_t>::max());
  table_->bytes_.append(bytes);
  return {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(bytes.size())};
}

void lookup_table_builder::add(std::string_view key, std::span<const lookup_cell> cells) {
  assert(cells.size() == table_->columns_);
  table_->keys_.push_back(keep(key));
  for (const lookup_cell& cell : cells) {
    lookup_table::packed_cell packed;
    packed.type = cell.type;
    if (cell.type == label::kind::text) {
      packed.at = keep(cell.text);
    } else if (cell.type != label::kind::null) {
      std::array<char, sizeof cell.number> bytes{};
      std::memcpy(bytes.data(), &cell.number, bytes.size());
      packed.at = keep({bytes.data(), bytes.size()});
    }
    table_->cells_.push_back(packed);
  }
}

std::shared_ptr<const lookup_table> lookup_table_builder::build(
    std::vector<duplicate_key>& duplicates) {
  lookup_table& table = *table_;
  table.bytes_.shrink_to_fit();
  table.cells_.shrink_to_fit();
  table.rows_.reserve(table.keys_.size());
  for (std::uint32_t row = 0; row < table.keys_.size(); ++row) {
    const auto [first, fresh] = table.rows_.emplace(table.text(table.keys_[row]), row);
    if (!fresh) duplicates.push_back({row, first->second});
  }
  table.keys_ = {};
  return std::exchange(table_, nullptr);
}

}  // namespace tocsin
