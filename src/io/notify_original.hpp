// SPDX-License-Identifier: Apache-2.0
// Writes the `notify` section as the configuration of an Alertmanager, without its secrets.
#pragma once

#include <string>

#include "io/yaml_reader.hpp"

namespace tocsin {

/// YAML that Alertmanager's own tools read: the fields of `notify`, a map or null, with `<secret>`
/// for credentials and for all of a webhook's address behind its host. Fields that came after
/// Alertmanager 0.25 (`timeout`, `url_file`) are left out or replaced. Where there is no route, a
/// route to a receiver `none` that tells nobody stands for it.
[[nodiscard]] std::string notify_original(const yaml_node& notify);

}  // namespace tocsin
