// SPDX-License-Identifier: Apache-2.0
// Runs one rule test through a pipeline whose clock the test turns.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/rule_test_check.hpp"
#include "io/rule_test_file.hpp"
#include "tocsin/result.hpp"
#include "tocsin/rule_set.hpp"

namespace tocsin {

/// A place at which a test saw something else than it wanted.
struct test_failure {
  std::string what;  ///< "at 5m: the active alerts differ"
  int line = 0;
  alert_diff lines;
};

/// Empty: it passed. At each time that the test looks at, all transitions up to and at that
/// instant have happened, and none after it. Errors: the pipeline failed.
[[nodiscard]] result<std::vector<test_failure>> run_test(const rule_test& test,
                                                         std::shared_ptr<const rule_set> rules);

}  // namespace tocsin
