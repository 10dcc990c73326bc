// SPDX-License-Identifier: Apache-2.0
// The fixture of tests that ask tocsin's own HTTP interface, over a real book and store.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/alert_api_scene.hpp"
#include "support/route_caller.hpp"

namespace tocsin::testing {

class tocsin_api_fixture : public ::testing::Test {
 protected:
  tocsin_api_fixture();

  struct answer {
    unsigned status = 0;
    nlohmann::json body;
  };
  /// `rest`: behind /api/tocsin/v1.
  answer get(const std::string& rest) { return ask("GET", rest, ""); }
  answer post(const std::string& rest, const nlohmann::json& body) {
    return ask("POST", rest, body.dump());
  }
  answer ask(const std::string& method, const std::string& rest, const std::string& body,
             const std::string& type = "application/json");
  /// "400 bad_field by"
  static std::string told(const answer& of);

  using texts = std::vector<std::string>;
  /// The titles of a list of alerts, in its order.
  static texts titles(const nlohmann::json& alerts);
  [[nodiscard]] long long now_ms() { return to_unix_ms(scene.backend().now()); }

  alert_api_scene scene;
  std::string caller;  ///< whose token comes with what is asked; "": nobody is asked for one
  route_caller routes;
};

}  // namespace tocsin::testing
