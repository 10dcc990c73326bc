// SPDX-License-Identifier: Apache-2.0
// What a client proves itself with to a daemon that asks for keys.
#pragma once

#include <optional>
#include <string>

#include "io/curve_keys.hpp"

namespace tocsin {

struct curve_identity {
  std::string server_key;  ///< the daemon's public key: who has another one is not spoken to
  curve_pair own;
};

/// No identity: no CURVE.
using optional_identity = std::optional<curve_identity>;

}  // namespace tocsin
