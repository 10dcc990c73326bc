// SPDX-License-Identifier: Apache-2.0
// Texts with ${expression} places.
#include <gtest/gtest.h>

#include "support/expression_scopes.hpp"
#include "tocsin/expression.hpp"

namespace tocsin {
namespace {

std::string rendered(std::string_view text, const testing::one_event& seen) {
  const auto made = text_template::compile(text, schema::of_event());
  return made ? made->render(seen.scope()) : made.failure().message;
}

TEST(text_template, places_are_filled_with_values) {
  const auto seen = testing::one_event{}
                        .text(event_field::resource_name, "web-1")
                        .value(2.5)
                        .level(severity::error)
                        .label("env", "prod")
                        .flag("live", true);
  EXPECT_EQ(rendered("${resource_name}: ${value} in ${labels.env}!", seen), "web-1: 2.5 in prod!");
  EXPECT_EQ(rendered("${value * 2}${level}", seen), "51");
  EXPECT_EQ(rendered("${5m30s * 2} ${value > 2} ${labels.live}", seen), "11m true true");
  EXPECT_EQ(rendered("no place", seen), "no place");
  EXPECT_EQ(rendered("", seen), "");
}

TEST(text_template, missing_values_render_as_nothing) {
  EXPECT_EQ(rendered("<${value}${item}${labels.x}${null}>", {}), "<>");
  EXPECT_EQ(rendered("${value}", testing::one_event{}.value(0)), "0");
}

TEST(text_template, dollars_and_braces_that_open_no_place_stay) {
  EXPECT_EQ(rendered("$5 {x} $${item} $$ } $", {}), "$5 {x} ${item} $$ } $");
}

TEST(text_template, braces_inside_texts_do_not_close_a_place) {
  EXPECT_EQ(rendered(R"(<${"}"}${'\'}'}${r'\}'}>)", {}), R"(<}'}\}>)");
}

TEST(text_template, errors_name_the_column_in_the_template) {
  EXPECT_EQ(rendered("a ${item} b ${ valeu }", {}),
            "column 16: unknown name 'valeu' (did you mean 'value'?)");
  EXPECT_EQ(rendered("ab${item", {}),
            "column 3: '${' is not closed by '}' (a plain '${' is written '$${')");
  EXPECT_EQ(rendered("ab${}", {}), "column 5: an expression wanted, not nothing");
}

}  // namespace
}  // namespace tocsin
