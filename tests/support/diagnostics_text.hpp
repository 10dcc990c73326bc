// SPDX-License-Identifier: Apache-2.0
// The findings of a load as one text.
#pragma once

#include <string>

#include "tocsin/result.hpp"

namespace tocsin::testing {

/// A line each, as they are printed.
inline std::string texts(const diagnostics& found) {
  std::string all;
  for (const diagnostic& each : found) all += each.text() + "\n";
  return all;
}

}  // namespace tocsin::testing
