// SPDX-License-Identifier: Apache-2.0
// Routes are called at once, answers read as JSON.
#include "support/tocsin_api_fixture.hpp"

#include <fmt/format.h>

#include "io/tocsin_api.hpp"

namespace tocsin::testing {

using nlohmann::json;

tocsin_api_fixture::tocsin_api_fixture() : routes(tocsin_routes(scene.backend())) {}

tocsin_api_fixture::answer tocsin_api_fixture::ask(const std::string& method,
                                                   const std::string& rest, const std::string& body,
                                                   const std::string& type) {
  const auto called = routes.call(method, "/api/tocsin/v1" + rest, body, type, caller);
  EXPECT_EQ(called.response.content_type, "application/json");
  return {called.response.status, json::parse(called.response.body)};
}

std::string tocsin_api_fixture::told(const answer& of) {
  return fmt::format("{} {}{}", of.status, of.body.value("code", "?"),
                     of.body.contains("field") ? " " + of.body.value("field", "") : "");
}

tocsin_api_fixture::texts tocsin_api_fixture::titles(const json& alerts) {
  texts all;
  for (const json& each : alerts) all.push_back(each.at("title"));
  return all;
}

}  // namespace tocsin::testing
