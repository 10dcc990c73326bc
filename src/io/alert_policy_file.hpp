// SPDX-License-Identifier: Apache-2.0
// Reads the sections of the settings that say what becomes of alerts after they fire.
#pragma once

#include <memory>
#include <string>

#include "io/yaml_reader.hpp"
#include "tocsin/alert_policy.hpp"
#include "tocsin/rule_set.hpp"

namespace tocsin {

/// The sections `notify`, `escalation`, `incidents`, `assignment` and `flapping` of the settings
/// file `file`, whose map is `root`. Errors are reported; never null.
[[nodiscard]] std::shared_ptr<const alert_policy> decode_alert_policy(const yaml_node& root,
                                                                      const std::string& file,
                                                                      yaml_decoder& decode);

/// What it is without any of these sections.
[[nodiscard]] std::shared_ptr<const alert_policy> default_alert_policy();

/// Reports incidents that are named like a rule: alerts are known by these names. `file` is the
/// settings'.
void check_incident_names(const alert_policy& policy, const rule_set& rules,
                          const std::string& file, diagnostics& found);

}  // namespace tocsin
