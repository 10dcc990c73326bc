// SPDX-License-Identifier: Apache-2.0
// Reads Alertmanager's tree of routes.
#pragma once

#include <string>
#include <vector>

#include "io/yaml_reader.hpp"
#include "tocsin/notify_policy.hpp"

namespace tocsin {

/// What routes name.
struct route_names {
  const std::vector<std::string>& receivers;
  const std::vector<std::string>& intervals;
};

/// The tree below `route`, each node with what it inherits filled in. Errors are reported.
[[nodiscard]] notify_route decode_routes(const yaml_node& route, const route_names& names,
                                         yaml_decoder& decode);

}  // namespace tocsin
