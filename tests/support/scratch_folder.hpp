// SPDX-License-Identifier: Apache-2.0
// A folder of a test's own for files, removed with what is in it.
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

  [[nodiscard]] std::string path() const { return folder_.string(); }
  /// The path of a file in it, which need not exist.
  [[nodiscard]] std::string file(std::string_view name) const {
    return (folder_ / std::string{name}).string();
  }
  /// Puts a file with that content into place at once; its path.
  std::string write(std::string_view name, std::string_view text) const {
    const std::string path = file(name);
    const std::string fresh = path + ".new";
    std::ofstream(fresh, std::ios::binary) << text;
    std::filesystem::rename(fresh, path);
    return path;
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace tocsin::testing
