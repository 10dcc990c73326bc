// SPDX-License-Identifier: Apache-2.0
// Reads Alertmanager's receivers.
#pragma once

#include <string>
#include <vector>

#include "io/yaml_reader.hpp"
#include "tocsin/notify_policy.hpp"

namespace tocsin {

/// The receivers of the list `receivers` in the settings file `file`, to whose folder `url_file`
/// and `credentials_file` are relative: these are read here. No error shows a secret.
[[nodiscard]] std::vector<notify_receiver> decode_receivers(const yaml_entry& receivers,
                                                            const std::string& file,
                                                            yaml_decoder& decode);

}  // namespace tocsin
