// SPDX-License-Identifier: Apache-2.0
// The document as one JSON value, walked by schemas.
#include "support/openapi_check.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <set>
#include <stdexcept>

namespace tocsin::testing {

namespace {

using nlohmann::json;
using faults_found = std::vector<std::string>;

constexpr std::array<std::string_view, 5> methods{"get", "post", "put", "delete", "patch"};

json scalar_of(const YAML::Node& node) {
  const std::string text = node.Scalar();
  if (node.Tag() == "!") return text;  // it stood in quotes
  if (text == "true") return true;
  if (text == "false") return false;
  if (text.empty() || text == "null" || text == "~") return nullptr;
  const json read = json::parse(text, nullptr, false);
  return read.is_number() ? read : json(text);
}

json json_of(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Map: {
      json made = json::object();
      for (const auto& pair : node) made[pair.first.as<std::string>()] = json_of(pair.second);
      return made;
    }
    case YAML::NodeType::Sequence: {
      json made = json::array();
      for (const auto& item : node) made.push_back(json_of(item));
      return made;
    }
    case YAML::NodeType::Scalar:
      return scalar_of(node);
    default:
      return nullptr;
  }
}

bool has_type(const json& value, const std::string& type) {
  if (type == "string") return value.is_string();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  if (type == "boolean") return value.is_boolean();
  if (type == "array") return value.is_array();
  if (type == "object") return value.is_object();
  return false;
}

std::string upper(std::string_view text) {
  std::string made{text};
  for (char& c : made) c = static_cast<char>(c - 'a' + 'A');
  return made;
}

std::string lower(std::string_view text) {
  std::string made{text};
  for (char& c : made) c = static_cast<char>(c - 'A' + 'a');
  return made;
}

/// The names in a path's braces.
std::set<std::string> captures_of(std::string_view path) {
  std::set<std::string> names;
  for (auto open = path.find('{'); open != std::string_view::npos;
       open = path.find('{', open + 1)) {
    names.emplace(path.substr(open + 1, path.find('}', open) - open - 1));
  }
  return names;
}

/// A content type without its parameters.
std::string_view media_type(std::string_view content_type) {
  return content_type.substr(0, content_type.find(';'));
}

}  // namespace

openapi_check openapi_check::of_file(const std::string& file) {
  return openapi_check{json_of(YAML::LoadFile(file))};
}

openapi_check openapi_check::of_text(const std::string& yaml) {
  return openapi_check{json_of(YAML::Load(yaml))};
}

const json& openapi_check::resolved(const json& node) const {
  const json* at = &node;
  while (at->is_object() && at->contains("$ref")) {
    const auto& to = (*at)["$ref"].get_ref<const std::string&>();
    at = &document_.at(json::json_pointer{to.substr(1)});
  }
  return *at;
}

std::vector<openapi_check::operation> openapi_check::operations() const {
  std::vector<operation> all;
  for (const auto& [path, item] : document_.at("paths").items()) {
    for (const auto& [method, what] : item.items()) {
      const bool known = std::find(methods.begin(), methods.end(), method) != methods.end();
      if (known) all.push_back({upper(method), path});
    }
  }
  return all;
}

const json* openapi_check::find(const operation& of) const {
  const json& paths = document_.at("paths");
  const auto path = paths.find(of.path);
  if (path == paths.end()) return nullptr;
  const auto method = path->find(lower(of.method));
  return method == path->end() ? nullptr : &*method;
}

std::string openapi_check::extension(const operation& of, const std::string& name) const {
  const json* const what = find(of);
  return what ? what->value(name, "") : "";
}

std::vector<json> openapi_check::parameters_of(const operation& of, std::string_view in) const {
  std::vector<json> all;
  const json* const what = find(of);
  if (!what) return all;
  for (const json* owner : {&document_.at("paths").at(of.path), what}) {
    for (const json& each : owner->value("parameters", json::array())) {
      if (resolved(each).at("in") == in) all.push_back(resolved(each));
    }
  }
  return all;
}

std::vector<openapi_check::example_parameter> openapi_check::query_examples(
    const operation& of) const {
  std::vector<example_parameter> all;
  for (const json& each : parameters_of(of, "query")) {
    if (!each.contains("example")) continue;
    const json& value = each["example"];
    all.push_back({each.at("name"), value.is_string() ? value.get<std::string>() : value.dump()});
  }
  return all;
}

std::vector<std::string> openapi_check::query_parameters(const operation& of) const {
  std::vector<std::string> names;
  for (const json& each : parameters_of(of, "query")) names.push_back(each.at("name"));
  return names;
}

void openapi_check::check_object(const json& schema, const json& value, const std::string& place,
                                 faults_found& wrong) const {
  const json properties = schema.value("properties", json::object());
  for (const json& name : schema.value("required", json::array())) {
    if (!value.contains(name.get<std::string>())) {
      wrong.push_back(fmt::format("{}: {} is missing", place, name.get<std::string>()));
    }
  }
  const json others = schema.value("additionalProperties", json(true));
  for (const auto& [name, part] : value.items()) {
    const std::string at = fmt::format("{}.{}", place, name);
    if (const auto known = properties.find(name); known != properties.end()) {
      check(*known, part, at, wrong);
    } else if (others.is_object()) {
      check(others, part, at, wrong);
    } else if (others == false) {
      wrong.push_back(fmt::format("{}: there is no such property", at));
    }
  }
}

void openapi_check::check(const json& given, const json& value, const std::string& place,
                          faults_found& wrong) const {
  const json& schema = resolved(given);
  if (value.is_null() && schema.value("nullable", false)) return;
  if (schema.contains("type") && !has_type(value, schema["type"])) {
    wrong.push_back(fmt::format("{}: {} is not of type {}", place, value.dump(),
                                schema["type"].get<std::string>()));
    return;
  }
  if (schema.contains("enum")) {
    const json& words = schema["enum"];
    if (std::find(words.begin(), words.end(), value) == words.end()) {
      wrong.push_back(fmt::format("{}: {} is none of {}", place, value.dump(), words.dump()));
    }
  }
  if (value.is_number() && value < schema.value("minimum", value)) {
    wrong.push_back(
        fmt::format("{}: {} is below {}", place, value.dump(), schema["minimum"].dump()));
  }
  if (value.is_number() && value > schema.value("maximum", value)) {
    wrong.push_back(
        fmt::format("{}: {} is above {}", place, value.dump(), schema["maximum"].dump()));
  }
  if (schema.contains("anyOf")) {
    const json& choices = schema["anyOf"];
    faults_found all;
    const bool fits = std::any_of(choices.begin(), choices.end(), [&](const json& each) {
      faults_found here;
      check(each, value, place, here);
      all.insert(all.end(), here.begin(), here.end());
      return here.empty();
    });
    if (!fits) wrong.insert(wrong.end(), all.begin(), all.end());
  }
  if (value.is_object()) check_object(schema, value, place, wrong);
  if (value.is_array() && schema.contains("items")) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      check(schema["items"], value[i], fmt::format("{}[{}]", place, i), wrong);
    }
  }
}

void openapi_check::check_schema(const json& schema, const std::string& place,
                                 faults_found& wrong) const {
  static const std::set<std::string, std::less<>> known{
      "type",        "nullable", "properties", "required", "additionalProperties",
      "items",       "enum",     "minimum",    "maximum",  "anyOf",
      "description", "example",  "default",    "format",   "$ref"};
  if (!schema.is_object()) return;
  for (const auto& [word, value] : schema.items()) {
    if (!known.contains(word)) {
      wrong.push_back(fmt::format("{}: the word {} is not known", place, word));
    }
  }
  if (schema.contains("$ref")) return;
  for (const json& name : schema.value("required", json::array())) {
    if (!schema.value("properties", json::object()).contains(name.get<std::string>())) {
      wrong.push_back(fmt::format("{}: {} is required and no property", place, name.dump()));
    }
  }
  if (schema.contains("example")) check(schema, schema["example"], place + " example", wrong);
  const json properties = schema.value("properties", json::object());
  for (const auto& [name, part] : properties.items()) {
    check_schema(part, place + "." + name, wrong);
  }
  check_schema(schema.value("additionalProperties", json()), place + ".*", wrong);
  check_schema(schema.value("items", json()), place + "[]", wrong);
  for (const json& each : schema.value("anyOf", json::array())) check_schema(each, place, wrong);
}

void openapi_check::check_references(const json& node, const std::string& place,
                                     faults_found& wrong) const {
  if (node.is_object() && node.contains("$ref")) {
    const auto& to = node["$ref"].get_ref<const std::string&>();
    const bool local = to.starts_with("#/");
    if (!local || !document_.contains(json::json_pointer{to.substr(1)})) {
      wrong.push_back(fmt::format("{}: {} leads nowhere", place, to));
    }
  }
  if (!node.is_structured()) return;
  for (const auto& [name, part] : node.items()) {
    check_references(part, place + "/" + name, wrong);
    if (name == "schema") check_schema(part, place, wrong);
  }
}

void openapi_check::check_operation(const operation& of, faults_found& wrong) const {
  const std::string place = of.method + " " + of.path;
  std::set<std::string> declared;
  for (const json& each : parameters_of(of, "path")) declared.insert(each.at("name"));
  if (declared != captures_of(of.path)) {
    wrong.push_back(place + ": the path's parts and its parameters differ");
  }
  if (find(of)->value("responses", json::object()).empty()) {
    wrong.push_back(place + ": has no answers");
  }
  for (const json& each : parameters_of(of, "query")) {
    if (!each.contains("example")) continue;
    const json& schema = resolved(each.at("schema"));
    const json& one = schema.value("type", "") == "array" ? schema.at("items") : schema;
    check(one, each["example"], place + " " + each.at("name").get<std::string>(), wrong);
  }
}

std::vector<std::string> openapi_check::faults() const {
  faults_found wrong;
  check_references(document_, "", wrong);
  if (!wrong.empty()) return wrong;  // what follows goes along the references
  const json schemas = document_.value("/components/schemas"_json_pointer, json::object());
  for (const auto& [name, schema] : schemas.items()) {
    check_schema(schema, name, wrong);
  }
  for (const operation& each : operations()) check_operation(each, wrong);
  return wrong;
}

std::vector<std::string> openapi_check::check_request(const operation& of,
                                                      const std::string& body) const {
  const std::string place = of.method + " " + of.path;
  const json* const what = find(of);
  if (!what) return {place + ": is not in the document"};
  if (!what->contains("requestBody")) {
    return body.empty() ? faults_found{} : faults_found{place + ": has no body in the document"};
  }
  const json& content = resolved((*what)["requestBody"]).at("content").at("application/json");
  const json read = json::parse(body, nullptr, false);
  if (read.is_discarded()) return {place + ": the body is not JSON"};
  faults_found wrong;
  check(content.at("schema"), read, place + " body", wrong);
  return wrong;
}

std::vector<std::string> openapi_check::check_answer(const operation& of, unsigned status,
                                                     std::string_view content_type,
                                                     const std::string& body) const {
  const std::string place = fmt::format("{} {} {}", of.method, of.path, status);
  const json* const what = find(of);
  if (!what) return {place + ": is not in the document"};
  const json& answers = what->at("responses");
  const auto known = answers.find(std::to_string(status));
  if (known == answers.end()) return {place + ": the status is not in the document: " + body};
  const json content = resolved(*known).value("content", json::object());
  if (content.empty()) {
    return body.empty() ? faults_found{} : faults_found{place + ": wanted no body: " + body};
  }
  const auto type = content.find(std::string{media_type(content_type)});
  if (type == content.end()) {
    return {fmt::format("{}: the content type {} is not in the document", place, content_type)};
  }
  if (type.key() != "application/json") return {};
  const json read = json::parse(body, nullptr, false);
  if (read.is_discarded()) return {place + ": the body is not JSON: " + body};
  faults_found wrong;
  check(type->at("schema"), read, place, wrong);
  return wrong;
}

}  // namespace tocsin::testing
