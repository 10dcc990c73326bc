// SPDX-License-Identifier: Apache-2.0
// A folder of a test's own for ipc endpoints, removed with what is in it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace tocsin::testing {

class scratch_socket {
 public:
  scratch_socket() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tocsin-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp: " + pattern);
    folder_ = pattern;
  }
  ~scratch_socket() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  scratch_socket(const scratch_socket&) = delete;
  scratch_socket& operator=(const scratch_socket&) = delete;

  [[nodiscard]] std::string endpoint() const { return "ipc://" + (folder_ / "socket").string(); }

 private:
  std::filesystem::path folder_;
};

}  // namespace tocsin::testing
