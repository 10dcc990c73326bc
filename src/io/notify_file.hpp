// SPDX-License-Identifier: Apache-2.0
// Reads the `notify` section of the settings: an Alertmanager's configuration.
#pragma once

#include <string>

#include "io/yaml_reader.hpp"
#include "tocsin/notify_policy.hpp"

namespace tocsin {

/// `notify` as it is written for Alertmanager; null where there is none. `file` is the settings
/// file, to whose folder files of secrets are relative. Errors are reported. `escalations` stay
/// empty: they are a section of their own.
[[nodiscard]] notify_policy decode_notify(const yaml_entry* notify, const std::string& file,
                                          yaml_decoder& decode);

}  // namespace tocsin
