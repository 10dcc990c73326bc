// SPDX-License-Identifier: Apache-2.0
// A folder of a test's own, removed with what is in it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace tocsin::testing {

class scratch_folder {
 public:
  scratch_folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tocsin-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp: " + pattern);
    folder_ = pattern;
  }
  ~scratch_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;

  [[nodiscard]] std::string path(const std::string& name) const { return folder_ / name; }
  /// Puts a file in the place of what is there; gives its path.
  std::string write(const std::string& name, std::string_view text) const {
    std::ofstream{folder_ / name, std::ios::binary | std::ios::trunc} << text;
    return path(name);
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace tocsin::testing
