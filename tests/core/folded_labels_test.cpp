// SPDX-License-Identifier: Apache-2.0
// Folding of labels by (time, log position), with removals, within its bounds.
#include "core/folded_labels.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tocsin {
namespace {

label text_label(std::string_view name, std::string_view text) {
  return {name, text, 0, label::kind::text};
}
label null_label(std::string_view name) {
  return {name, {}, 0, label::kind::null};
}

TEST(folded_labels, a_later_label_wins_whenever_it_comes) {
  folded_labels folded;
  EXPECT_EQ(folded.text(), "");
  folded.add(20, 1, std::vector{text_label("env", "new")});
  folded.add(10, 2, std::vector{text_label("env", "old"), text_label("team", "web")});
  EXPECT_EQ(folded.text(), "env=new, team=web");
  folded.add(20, 3, std::vector{text_label("env", "newer")});
  EXPECT_EQ(folded.text(), "env=newer, team=web");
}

TEST(folded_labels, a_removal_holds_against_earlier_events_that_come_later) {
  folded_labels folded;
  folded.add(20, 1, std::vector{null_label("env")});
  folded.add(10, 2, std::vector{text_label("env", "old")});
  EXPECT_EQ(folded.text(), "");
  folded.add(30, 3, std::vector{text_label("env", "back")});
  EXPECT_EQ(folded.text(), "env=back");
}

TEST(folded_labels, shows_the_lowest_64_names_whatever_order_they_came_in) {
  std::string wanted;
  for (int i = 0; i < 64; ++i) wanted += fmt::format("{}n{:03}=v", i == 0 ? "" : ", ", i);
  for (const bool rising : {true, false}) {
    folded_labels folded;
    for (int i = 0; i < 300; ++i) {
      const std::string name = fmt::format("n{:03}", rising ? i : 299 - i);
      folded.add(0, static_cast<std::uint64_t>(i), std::vector{text_label(name, "v")});
    }
    EXPECT_EQ(folded.text(), wanted);
    EXPECT_LE(folded.heap_bytes(), 256 * 96U);
  }
}

TEST(folded_labels, cuts_values_at_128_bytes) {
  folded_labels folded;
  const std::string longer(200, 'x');
  folded.add(0, 1, std::vector{text_label("a", longer)});
  EXPECT_EQ(folded.text(), "a=" + longer.substr(0, 128));
}

TEST(folded_labels, merges_and_is_saved_with_removals) {
  folded_labels earlier;
  earlier.add(10, 1, std::vector{text_label("env", "old"), text_label("team", "web")});
  folded_labels later;
  later.add(20, 2, std::vector{null_label("env"), text_label("zone", "a zone with a long name")});
  std::string bytes;
  state_writer to{bytes};
  later.save(to);
  state_reader from{bytes};
  folded_labels loaded;
  loaded.load(from);
  EXPECT_FALSE(from.failed());
  EXPECT_TRUE(from.at_end());
  folded_labels turned = earlier;
  turned.merge(loaded);
  loaded.merge(earlier);
  EXPECT_EQ(loaded.text(), "team=web, zone=a zone with a long name");
  EXPECT_EQ(turned.text(), loaded.text());
}

}  // namespace
}  // namespace tocsin
