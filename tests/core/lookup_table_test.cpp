// SPDX-License-Identifier: Apache-2.0
// Lookup tables: what is put in under a key is found under it.
#include "tocsin/lookup_table.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace tocsin {
namespace {

lookup_cell text_cell(std::string_view text) {
  return {label::kind::text, text, 0};
}

TEST(lookup_table, a_row_is_found_by_its_key_with_the_types_of_its_cells) {
  lookup_table_builder builder(4);
  builder.add("a", std::array{text_cell("x"), lookup_cell{label::kind::number, {}, 2.5},
                              lookup_cell{label::kind::boolean, {}, 1}, lookup_cell{}});
  builder.add("b", std::array{text_cell(""), lookup_cell{}, lookup_cell{}, text_cell("y")});
  std::vector<duplicate_key> duplicates;
  const auto table = builder.build(duplicates);
  EXPECT_TRUE(duplicates.empty());
  EXPECT_EQ(table->rows(), 2U);
  EXPECT_EQ(table->columns(), 4U);
  const auto a = table->find("a");
  const auto b = table->find("b");
  ASSERT_TRUE(a && b);
  EXPECT_EQ(table->at(*a, 0).text, "x");
  EXPECT_EQ(table->at(*a, 1).number, 2.5);
  EXPECT_EQ(table->at(*a, 2).type, label::kind::boolean);
  EXPECT_EQ(table->at(*a, 3).type, label::kind::null);
  EXPECT_EQ(table->at(*b, 0).type, label::kind::text) << "an empty text is a value";
  EXPECT_EQ(table->at(*b, 3).text, "y");
  EXPECT_FALSE(table->find("c"));
  EXPECT_FALSE(table->find(""));
}

TEST(lookup_table, many_rows_keep_apart) {
  lookup_table_builder builder(1);
  for (int i = 0; i < 10'000; ++i) {
    builder.add("key" + std::to_string(i), std::array{text_cell("value" + std::to_string(i))});
  }
  std::vector<duplicate_key> duplicates;
  const auto table = builder.build(duplicates);
  for (int i = 0; i < 10'000; ++i) {
    const auto row = table->find("key" + std::to_string(i));
    ASSERT_TRUE(row) << i;
    EXPECT_EQ(table->at(*row, 0).text, "value" + std::to_string(i));
  }
}

TEST(lookup_table, keys_that_come_again_are_reported_with_the_first) {
  lookup_table_builder builder(0);
  for (const char* key : {"a", "b", "a", "a"}) builder.add(key, {});
  std::vector<duplicate_key> duplicates;
  const auto table = builder.build(duplicates);
  ASSERT_EQ(duplicates.size(), 2U);
  EXPECT_EQ(duplicates[0].row, 2U);
  EXPECT_EQ(duplicates[0].first, 0U);
  EXPECT_EQ(duplicates[1].row, 3U);
  EXPECT_EQ(table->rows(), 2U);
}

TEST(lookup_table, a_slot_gives_what_was_put_last) {
  lookup_slot slot;
  EXPECT_EQ(slot.get(), nullptr);
  std::vector<duplicate_key> duplicates;
  const auto table = lookup_table_builder(0).build(duplicates);
  slot.put(table);
  EXPECT_EQ(slot.get(), table);
}

}  // namespace
}  // namespace tocsin
