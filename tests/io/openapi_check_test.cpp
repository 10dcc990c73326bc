// SPDX-License-Identifier: Apache-2.0
// The checker that holds the HTTP interfaces to docs/openapi.yaml finds what is wrong.
#include "support/openapi_check.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

namespace tocsin::testing {
namespace {

/// A document with one operation, GET /it, whose 200 has this schema.
openapi_check with_schema(std::string_view schema) {
  return openapi_check::of_text(fmt::format(R"(
openapi: 3.0.3
paths:
  /it:
    get:
      responses:
        "200":
          description: it
          content: {{application/json: {{schema: {}}}}}
        "204": {{description: nothing}}
components:
  schemas:
    name: {{type: string}}
)",
                                            schema));
}

const openapi_check::operation it{"GET", "/it"};

bool takes(std::string_view schema, const std::string& body) {
  return with_schema(schema).check_answer(it, 200, "application/json", body).empty();
}

TEST(openapi_check, types_are_told_apart) {
  EXPECT_TRUE(takes("{type: string}", "\"a\""));
  EXPECT_FALSE(takes("{type: string}", "1"));
  EXPECT_TRUE(takes("{type: integer}", "1"));
  EXPECT_FALSE(takes("{type: integer}", "1.5"));
  EXPECT_TRUE(takes("{type: number}", "1.5"));
  EXPECT_FALSE(takes("{type: boolean}", "0"));
  EXPECT_FALSE(takes("{type: array, items: {}}", "{}"));
  EXPECT_FALSE(takes("{type: object}", "[]"));
}

TEST(openapi_check, null_needs_nullable) {
  EXPECT_TRUE(takes("{type: string, nullable: true}", "null"));
  EXPECT_FALSE(takes("{type: string}", "null"));
}

TEST(openapi_check, properties_that_are_required_must_be_there_and_others_may_not) {
  constexpr std::string_view schema =
      "{type: object, required: [a], additionalProperties: false, properties: {a: {type: integer}, "
      "b: {type: integer}}}";
  EXPECT_TRUE(takes(schema, R"({"a":1})"));
  EXPECT_TRUE(takes(schema, R"({"a":1,"b":2})"));
  EXPECT_FALSE(takes(schema, R"({"b":2})"));
  EXPECT_FALSE(takes(schema, R"({"a":1,"c":2})"));
  EXPECT_FALSE(takes(schema, R"({"a":"1"})"));
}

TEST(openapi_check, further_properties_and_items_have_their_schema) {
  constexpr std::string_view map = "{type: object, additionalProperties: {type: string}}";
  EXPECT_TRUE(takes(map, R"({"x":"y"})"));
  EXPECT_FALSE(takes(map, R"({"x":1})"));
  EXPECT_TRUE(takes("{type: array, items: {type: integer}}", "[1,2]"));
  EXPECT_FALSE(takes("{type: array, items: {type: integer}}", "[1,\"2\"]"));
}

TEST(openapi_check, enums_bounds_and_choices_are_looked_at) {
  EXPECT_TRUE(takes("{type: string, enum: [a, b]}", "\"b\""));
  EXPECT_FALSE(takes("{type: string, enum: [a, b]}", "\"c\""));
  EXPECT_TRUE(takes("{type: integer, minimum: 1, maximum: 3}", "3"));
  EXPECT_FALSE(takes("{type: integer, minimum: 1, maximum: 3}", "0"));
  EXPECT_FALSE(takes("{type: integer, minimum: 1, maximum: 3}", "4"));
  EXPECT_TRUE(takes("{anyOf: [{type: string}, {type: integer}]}", "1"));
  EXPECT_FALSE(takes("{anyOf: [{type: string}, {type: integer}]}", "true"));
}

TEST(openapi_check, references_are_followed) {
  EXPECT_TRUE(takes("{$ref: \"#/components/schemas/name\"}", "\"a\""));
  EXPECT_FALSE(takes("{$ref: \"#/components/schemas/name\"}", "1"));
}

TEST(openapi_check, an_answer_must_be_in_the_document) {
  const auto document = with_schema("{type: string}");
  EXPECT_FALSE(document.check_answer(it, 404, "application/json", "\"a\"").empty());
  EXPECT_FALSE(document.check_answer(it, 200, "text/plain", "\"a\"").empty());
  EXPECT_FALSE(document.check_answer(it, 200, "application/json", "a").empty());
  EXPECT_FALSE(document.check_answer({"POST", "/it"}, 200, "application/json", "\"a\"").empty());
  EXPECT_TRUE(document.check_answer(it, 204, "", "").empty());
  EXPECT_FALSE(document.check_answer(it, 204, "application/json", "\"a\"").empty());
}

TEST(openapi_check, faults_of_the_document_are_found) {
  EXPECT_TRUE(with_schema("{type: string}").faults().empty());
  EXPECT_FALSE(with_schema("{$ref: \"#/components/schemas/nobody\"}").faults().empty());
  EXPECT_FALSE(with_schema("{type: string, pattern: a}").faults().empty());
  EXPECT_FALSE(with_schema("{type: string, example: 1}").faults().empty());
  EXPECT_FALSE(with_schema("{type: object, required: [a]}").faults().empty());
}

TEST(openapi_check, parts_of_a_path_and_its_parameters_must_agree) {
  const auto document = [](std::string_view path, std::string_view parameters) {
    return openapi_check::of_text(fmt::format(
        "{{openapi: 3.0.3, paths: {{\"{}\": {{get: {{parameters: [{}], responses: {{\"200\": "
        "{{description: it}}}}}}}}}}}}",
        path, parameters));
  };
  EXPECT_TRUE(document("/a/{b}", "{name: b, in: path, schema: {type: string}}").faults().empty());
  EXPECT_FALSE(document("/a/{b}", "").faults().empty());
  EXPECT_FALSE(document("/a", "{name: b, in: path, schema: {type: string}}").faults().empty());
}

TEST(openapi_check, texts_in_quotes_stay_texts) {
  EXPECT_TRUE(takes("{type: string, enum: [\"1\", \"true\"]}", "\"true\""));
  EXPECT_FALSE(takes("{type: string, enum: [\"1\"]}", "1"));
}

}  // namespace
}  // namespace tocsin::testing
