// SPDX-License-Identifier: Apache-2.0
// Keys of a group: found by hash, holding their values in place, going with their last state.
#include "core/key_store.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace tocsin {
namespace {

fingerprint print_of(std::uint64_t number) {
  return {number * 0x9e3779b97f4a7c15 ^ number << 40, number * 0xbf58476d1ce4e5b9};
}

std::string packed(std::initializer_list<std::string_view> values) {
  return pack_key(std::vector<std::string_view>(values));
}

TEST(packed_key, null_and_the_empty_text_are_two_values) {
  const std::string both = packed({std::string_view{}, std::string_view{""}});
  const auto values = unpack_key(both);
  ASSERT_EQ(values.size(), 2U);
  EXPECT_EQ(values[0].data(), nullptr);
  EXPECT_NE(values[1].data(), nullptr);
  EXPECT_EQ(values[1], "");
}

TEST(packed_key, texts_of_any_length_come_back_and_short_ones_cost_one_byte_more) {
  EXPECT_EQ(packed({"resource-1"}).size(), 11U);
  const std::string long_text(70'000, 'x');
  const std::string middle(126, 'y');
  const std::string over(127, 'z');
  const std::string all = packed({long_text, middle, over, std::string_view{"\0\xff", 2}});
  const auto values = unpack_key(all);
  ASSERT_EQ(values.size(), 4U);
  EXPECT_EQ(values[0], long_text);
  EXPECT_EQ(values[1], middle);
  EXPECT_EQ(values[2], over);
  EXPECT_EQ(values[3], (std::string_view{"\0\xff", 2}));
}

TEST(packed_key, what_is_cut_short_gives_what_is_there) {
  const std::string whole = packed({"abc", std::string(300, 'd')});
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
    std::size_t read = 0;
    for (const std::string_view text : unpack_key(std::string_view{whole}.substr(0, bytes)))
      read += text.size();
    EXPECT_LE(read, bytes);
  }
}

TEST(packed_key, a_key_is_packed_from_an_event_in_the_order_of_its_group) {
  group by;
  by.fields = {{"item", event_field::item, ""}, {"labels.env", std::nullopt, "env"}};
  event_batch batch;
  event& one = batch.events.emplace_back();
  one.set_text(event_field::item, "cpu");
  batch.labels.push_back({"env", {}, 2.5, label::kind::number});
  one.labels_count = 1;
  EXPECT_EQ(pack_key(by, batch, one), packed({"cpu", "2.5"}));
  std::string into = "what was there";
  pack_key(by, batch, one, into);
  EXPECT_EQ(into, packed({"cpu", "2.5"}));
}

TEST(value_pool, values_keep_their_place_and_bytes_while_others_come_and_go) {
  std::mt19937_64 random{3};
  value_pool pool;
  struct kept {
    std::string bytes;
    const char* place;
  };
  std::map<std::uint32_t, kept> living;
  std::size_t bytes_at_most = 0;
  for (int i = 0; i < 20'000; ++i) {
    if (random() % 5 < 2 && !living.empty()) {
      auto gone = living.lower_bound(static_cast<std::uint32_t>(random() % 5000));
      if (gone == living.end()) gone = living.begin();
      pool.drop(gone->first);
      living.erase(gone);
    } else {
      const std::size_t length = random() % 20 == 0 ? random() % 3000 : random() % 90;
      std::string bytes(length, static_cast<char>(random()));
      const std::uint32_t handle = pool.add(bytes);
      ASSERT_NE(handle, no_index);
      ASSERT_TRUE(living.emplace(handle, kept{bytes, pool.at(handle).data()}).second);
    }
  }
  for (const auto& [handle, one] : living) {
    EXPECT_EQ(pool.at(handle), one.bytes);
    EXPECT_EQ(pool.at(handle).data(), one.place);
    bytes_at_most += one.bytes.size() + 2 + 4;
  }
  EXPECT_LE(pool.used_bytes(), bytes_at_most);
  for (const auto& [handle, one] : living) pool.drop(handle);
  EXPECT_EQ(pool.used_bytes(), 0U);
}

TEST(value_pool, a_block_is_used_again_for_a_value_of_its_size) {
  value_pool pool;
  const std::uint32_t first = pool.add("resource-1");
  const std::uint32_t longer = pool.add(std::string(1000, 'x'));
  pool.drop(first);
  pool.drop(longer);
  EXPECT_EQ(pool.add("resource-2"), first);
  EXPECT_EQ(pool.add(std::string(2000, 'y')), longer);
  EXPECT_EQ(pool.at(longer), std::string(2000, 'y'));
}

TEST(slab, blocks_never_share_memory_and_are_counted_while_in_use) {
  slab blocks(12);
  std::set<std::uint32_t> indexes;
  std::vector<std::uint32_t> order;
  for (std::uint32_t i = 0; i < 3000; ++i) {
    const std::uint32_t index = blocks.take();
    ASSERT_TRUE(indexes.insert(index).second);
    order.push_back(index);
    for (int word = 0; word < 3; ++word) static_cast<std::uint32_t*>(blocks.at(index))[word] = i;
  }
  EXPECT_EQ(blocks.used_bytes(), 3000U * 12);
  for (std::uint32_t i = 0; i < 3000; ++i)
    for (int word = 0; word < 3; ++word)
      EXPECT_EQ(static_cast<std::uint32_t*>(blocks.at(order[i]))[word], i);
  std::vector<std::uint32_t> seen;
  blocks.each_ever_taken([&](std::uint32_t index) { seen.push_back(index); });
  EXPECT_EQ(seen, std::vector<std::uint32_t>(indexes.begin(), indexes.end()));
  blocks.give_back(order[7]);
  EXPECT_EQ(blocks.used_bytes(), 2999U * 12);
  EXPECT_EQ(blocks.take(), order[7]);
}

TEST(key_table, equals_a_map_also_where_tags_collide) {
  std::mt19937_64 random{11};
  for (const std::uint64_t tags : {std::uint64_t{3}, std::uint64_t{1} << 32}) {
    key_table table;
    std::map<std::uint64_t, std::uint32_t> twin;  // by key.low, which is unique here
    std::map<std::uint32_t, fingerprint> keys;
    std::uint32_t next_slot = 0;
    const auto holds = [&](const fingerprint& key) {
      return [&](std::uint32_t slot) { return keys.at(slot) == key; };
    };
    for (int i = 0; i < 6000; ++i) {
      const std::uint64_t low = random() % 700;
      // The last tags: entries run over the end of the cells to their beginning.
      const fingerprint key{0xffffffff - low * 0x9e3779b9 % tags, low};
      const auto known = twin.find(low);
      const std::uint32_t found = table.find(key, holds(key));
      ASSERT_EQ(found, known == twin.end() ? no_index : known->second);
      if (known == twin.end()) {
        keys[next_slot] = key;
        table.insert(key, next_slot);
        twin[low] = next_slot++;
      } else if (random() % 2 == 0) {
        table.erase(key, known->second);
        twin.erase(known);
      }
      ASSERT_EQ(table.size(), twin.size());
    }
  }
}

TEST(key_table, loses_no_key_when_it_grows_into_addresses_ahead) {
  constexpr std::uint32_t keys = 500'000;
  key_table table;
  const auto slot_of = [&](std::uint32_t number) {
    return table.find(print_of(number), [&](std::uint32_t slot) { return slot == number; });
  };
  for (std::uint32_t i = 0; i < keys; ++i) table.insert(print_of(i), i);
  for (std::uint32_t i = 0; i < keys; ++i) ASSERT_EQ(slot_of(i), i);
  for (std::uint32_t i = 0; i < keys; i += 2) table.erase(print_of(i), i);
  for (std::uint32_t i = 0; i < keys; ++i) ASSERT_EQ(slot_of(i), i % 2 == 0 ? no_index : i);
}

TEST(key_table, takes_at_most_13_bytes_a_key_when_it_is_full) {
  key_table table;
  for (std::uint32_t i = 0; i < 100'000; ++i) table.insert(print_of(i), i);
  EXPECT_LE(table.bytes(), 100'000U * 64 / 5);
}

/// A store and its naive twin.
class key_store_twin : public testing::Test {
 protected:
  struct twin_key {
    std::uint32_t slot;
    std::string values;
    const char* place;
    std::map<std::uint32_t, std::uint32_t> states;  // by unit
  };

  void attach(std::uint64_t number, std::uint32_t unit, std::uint32_t state) {
    const fingerprint key = print_of(number);
    std::uint32_t slot = store.find(key);
    if (slot == no_index) {
      const std::string values = packed({fmt::format("{:0{}}", number, number % 40)});
      slot = store.add(key, values);
      twin[number] = {slot, values, store.values(slot).data(), {}};
    }
    store.attach(slot, unit, state);
    twin.at(number).states[unit] = state;
  }
  void detach(std::uint64_t number, std::uint32_t unit) {
    twin_key& known = twin.at(number);
    store.detach(known.slot, unit);
    known.states.erase(unit);
    if (known.states.empty()) twin.erase(number);
  }
  void compare() const {
    ASSERT_EQ(store.size(), twin.size());
    for (const auto& [number, known] : twin) {
      ASSERT_EQ(store.find(print_of(number)), known.slot);
      ASSERT_EQ(store.values(known.slot), known.values);
      ASSERT_EQ(store.values(known.slot).data(), known.place);
      key_store::cursor place;
      for (std::uint32_t unit = 0; unit < 12; ++unit) {
        const auto state = known.states.find(unit);
        ASSERT_EQ(store.state_at(known.slot, unit, place),
                  state == known.states.end() ? no_index : state->second);
      }
    }
    std::size_t visited = 0;
    store.each([&](std::uint32_t slot, const fingerprint& key, std::string_view values) {
      ++visited;
      EXPECT_EQ(store.find(key), slot);
      EXPECT_EQ(store.values(slot), values);
    });
    EXPECT_EQ(visited, twin.size());
  }

  group by;
  key_store store{by};
  std::map<std::uint64_t, twin_key> twin;
};

TEST_F(key_store_twin, keys_and_states_come_and_go_as_in_a_map) {
  std::mt19937_64 random{5};
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t number = random() % 900;
    const auto known = twin.find(number);
    const auto unit = static_cast<std::uint32_t>(random() % 12);
    if (known == twin.end() || known->second.states.count(unit) == 0) {
      attach(number, unit, static_cast<std::uint32_t>(random()));
    } else {
      detach(number, unit);
    }
    if (i % 1000 != 999) continue;
    ASSERT_NO_FATAL_FAILURE(compare());
  }
}

TEST_F(key_store_twin, memory_in_use_is_that_of_the_living_keys) {
  for (std::uint64_t i = 0; i < 10; ++i) {
    attach(i, 0, 1);
    attach(i, 1, 1);
  }
  const key_memory grown = store.bytes();
  EXPECT_EQ(grown.table, 10U * 64 / 5);
  EXPECT_EQ(grown.slots, 10U * 32);
  EXPECT_EQ(grown.links, 10U * 12);
  EXPECT_GE(grown.values, 10U * 4);
  EXPECT_EQ(grown.total(), grown.table + grown.slots + grown.links + grown.values);
  for (std::uint64_t i = 0; i < 10; ++i) {
    detach(i, 0);
    detach(i, 1);
  }
  EXPECT_EQ(store.bytes().total(), 0U);
}

TEST(key_store, a_key_that_no_unit_wanted_goes_again) {
  const group by;
  key_store store(by);
  const std::uint32_t slot = store.add(print_of(1), packed({"a"}));
  store.drop_if_unused(slot);
  EXPECT_EQ(store.find(print_of(1)), no_index);
  EXPECT_EQ(store.size(), 0U);
}

TEST(key_store, a_guess_is_right_or_found_out) {
  const group by;
  key_store store(by);
  const fingerprint key = print_of(1);
  const fingerprint other = print_of(2);
  EXPECT_EQ(store.guess(key), no_index);
  const std::uint32_t slot = store.add(key, packed({"a"}));
  store.attach(slot, 0, 0);
  EXPECT_EQ(store.find(key, no_index), slot);
  const std::uint32_t guess = store.guess(key);
  EXPECT_EQ(guess, slot);
  EXPECT_EQ(store.find(key, guess), slot);
  store.detach(slot, 0);
  EXPECT_EQ(store.find(key, guess), no_index);
  const std::uint32_t taken = store.add(other, packed({"b"}));
  ASSERT_EQ(taken, slot) << "slots are used again";
  EXPECT_EQ(store.find(key, guess), no_index);
  EXPECT_EQ(store.find(other, guess), slot);
}

}  // namespace
}  // namespace tocsin
