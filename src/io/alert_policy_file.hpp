// SPDX-License-Identifier: Apache-2.0
// Reads the sections of the settings that say what becomes of alerts after they fire.
#pragma once

#include <memory>
#include <string>

#include "io/yaml_reader.hpp"
#include "tocsin/alert_policy.hpp"

namespace tocsin {

/// The sections `notify`, `escalation`, `incidents`, `assignment` and `flapping` of the settings
/// file `file`, whose map is `root`. Errors are reported; never null.
[[nodiscard]] std::shared_ptr<const alert_policy> decode_alert_policy(const yaml_node& root,
                                                                      const std::string& file,
                                                                      yaml_decoder& decode);

/// What it is without any of these sections.
[[nodiscard]] std::shared_ptr<const alert_policy> default_alert_policy();

}  // namespace tocsin
