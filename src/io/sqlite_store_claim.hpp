// SPDX-License-Identifier: Apache-2.0
// A file that says that a folder is in use, for as long as its holder lives.
#pragma once

#include <string>
#include <utility>

#include "tocsin/result.hpp"

namespace tocsin {

/// An exclusive lock (flock) on a file. The system lifts it when the process ends, however it does.
class file_claim {
 public:
  /// Makes the file when there is none. Errors: store_failed: somebody else holds it (with the
  /// process id that they wrote into it); the system's reason.
  [[nodiscard]] static result<file_claim> take(const std::string& path);
  file_claim(file_claim&& from) noexcept : descriptor_(std::exchange(from.descriptor_, -1)) {}
  file_claim& operator=(file_claim&& from) noexcept {
    std::swap(descriptor_, from.descriptor_);
    return *this;
  }
  ~file_claim();

 private:
  explicit file_claim(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

}  // namespace tocsin
