// SPDX-License-Identifier: Apache-2.0
// What `tocsin test` says of tests that ran, for people and for programs.
#pragma once

#include <string>
#include <vector>

#include "programs/test_run.hpp"

namespace tocsin {

struct test_outcome {
  std::string path;
  int line = 0;
  std::string name;
  std::vector<test_failure> failures;  ///< empty: it passed

  [[nodiscard]] bool passed() const noexcept { return failures.empty(); }
};

/// Where the test failed and a diff for each place: wanted lines begin with -, seen ones with +.
[[nodiscard]] std::string describe_outcome(const test_outcome& of, bool coloured);

/// "12 tests passed" or "2 of 12 tests failed".
[[nodiscard]] std::string tally(const std::vector<test_outcome>& all);

/// One line of JSON: {ok, passed, failed, diagnostics, tests} (docs/testing-rules.md).
[[nodiscard]] std::string outcomes_as_json(const diagnostics& found,
                                           const std::vector<test_outcome>& all);

}  // namespace tocsin
