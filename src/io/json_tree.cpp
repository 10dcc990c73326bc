// SPDX-License-Identifier: Apache-2.0
// Reads with nlohmann's parser and hides it.
#include "io/json_tree.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace tocsin {

struct json_tree::parsed {
  nlohmann::json root;
};

namespace {

const nlohmann::json& node(const void* here) {
  static const nlohmann::json null;
  return here == nullptr ? null : *static_cast<const nlohmann::json*>(here);
}

}  // namespace

result<json_tree> json_tree::parse(std::string_view text) {
  auto whole = std::make_shared<parsed>();
  try {
    whole->root = nlohmann::json::parse(text);
  } catch (const nlohmann::json::exception& failure) {
    return error{"malformed", fmt::format("not JSON: {}", failure.what())};
  }
  json_tree made;
  made.here_ = &whole->root;
  made.whole_ = std::move(whole);
  return made;
}

bool json_tree::is_null() const noexcept {
  return node(here_).is_null();
}

json_tree json_tree::at(std::string_view key) const {
  json_tree part;
  const nlohmann::json& here = node(here_);
  if (!here.is_object()) return part;
  const auto found = here.find(std::string{key});
  if (found == here.end()) return part;
  part.whole_ = whole_;
  part.here_ = &*found;
  return part;
}

std::vector<json_tree> json_tree::items() const {
  std::vector<json_tree> all;
  const nlohmann::json& here = node(here_);
  if (!here.is_array()) return all;
  all.reserve(here.size());
  for (const nlohmann::json& each : here) {
    json_tree part;
    part.whole_ = whole_;
    part.here_ = &each;
    all.push_back(std::move(part));
  }
  return all;
}

std::vector<std::pair<std::string, json_tree>> json_tree::entries() const {
  std::vector<std::pair<std::string, json_tree>> all;
  const nlohmann::json& here = node(here_);
  if (!here.is_object()) return all;
  for (const auto& [key, value] : here.items()) all.emplace_back(key, at(key));
  return all;
}

std::string json_tree::text() const {
  const nlohmann::json& here = node(here_);
  if (here.is_null()) return "";
  if (here.is_string()) return here.get<std::string>();
  return json();
}

std::optional<double> json_tree::number() const noexcept {
  const nlohmann::json& here = node(here_);
  if (!here.is_number()) return std::nullopt;
  return here.get<double>();
}

bool json_tree::is_true() const noexcept {
  const nlohmann::json& here = node(here_);
  return here.is_boolean() && here.get<bool>();
}

std::string json_tree::json() const {
  return node(here_).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace tocsin
