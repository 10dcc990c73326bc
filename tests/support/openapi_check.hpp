// SPDX-License-Identifier: Apache-2.0
// Holds requests and answers against an OpenAPI 3.0 document.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::testing {

/// Knows of schemas: type, nullable, properties, required, additionalProperties, items, enum,
/// minimum, maximum, anyOf and $ref. Formats and texts are not looked at; a schema with any other
/// word is a fault of the document, so that nothing passes because it is not understood.
class openapi_check {
 public:
  /// Throws std::runtime_error when the file is not there or is not YAML.
  [[nodiscard]] static openapi_check of_file(const std::string& file);
  [[nodiscard]] static openapi_check of_text(const std::string& yaml);

  struct operation {
    std::string method;  ///< "GET"
    std::string path;    ///< "/alerts/{alert_id}"
    friend auto operator<=>(const operation&, const operation&) = default;
  };
  /// By path and method.
  [[nodiscard]] std::vector<operation> operations() const;

  /// Parameters of a query with an example.
  struct example_parameter {
    std::string name;
    std::string value;
  };
  [[nodiscard]] std::vector<example_parameter> query_examples(const operation& of) const;
  /// Names of the parameters of a query, with an example or without.
  [[nodiscard]] std::vector<std::string> query_parameters(const operation& of) const;

  /// A text of an operation under a name that begins with "x-"; "" when it is not there.
  [[nodiscard]] std::string extension(const operation& of, const std::string& name) const;

  /// What is wrong with the document itself: references that lead nowhere, words of schemas that
  /// are not known, examples that their schema refuses, `{name}` parts of paths without a parameter
  /// and parameters without a part, operations without answers.
  [[nodiscard]] std::vector<std::string> faults() const;

  /// What is wrong with a request's body; empty: nothing.
  [[nodiscard]] std::vector<std::string> check_request(const operation& of,
                                                       const std::string& body) const;
  /// What is wrong with an answer: the status or the content type is not in the document, the body
  /// is not JSON or not what the schema says.
  [[nodiscard]] std::vector<std::string> check_answer(const operation& of, unsigned status,
                                                      std::string_view content_type,
                                                      const std::string& body) const;

 private:
  explicit openapi_check(nlohmann::json document) : document_(std::move(document)) {}

  [[nodiscard]] const nlohmann::json& resolved(const nlohmann::json& node) const;
  [[nodiscard]] const nlohmann::json* find(const operation& of) const;
  [[nodiscard]] std::vector<nlohmann::json> parameters_of(const operation& of,
                                                          std::string_view in) const;
  void check(const nlohmann::json& schema, const nlohmann::json& value, const std::string& place,
             std::vector<std::string>& wrong) const;
  void check_object(const nlohmann::json& schema, const nlohmann::json& value,
                    const std::string& place, std::vector<std::string>& wrong) const;
  void check_schema(const nlohmann::json& schema, const std::string& place,
                    std::vector<std::string>& wrong) const;
  void check_references(const nlohmann::json& node, const std::string& place,
                        std::vector<std::string>& wrong) const;
  void check_operation(const operation& of, std::vector<std::string>& wrong) const;

  nlohmann::json document_;
};

}  // namespace tocsin::testing
