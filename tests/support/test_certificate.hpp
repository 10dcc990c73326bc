// SPDX-License-Identifier: Apache-2.0
// A key and the certificate that it signs itself, for 127.0.0.1 and localhost.
#pragma once

#include <string>

namespace tocsin::testing {

struct test_certificate {
  std::string certificate;  ///< PEM; leads to itself
  std::string key;          ///< PEM
};

/// Another key with each call. Valid for a day.
[[nodiscard]] test_certificate make_test_certificate();

}  // namespace tocsin::testing
