// SPDX-License-Identifier: Apache-2.0
// Locks a file for one holder.
#include "io/sqlite_store_claim.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace tocsin {
namespace {

/// What the holder wrote, up to the end of its line.
std::string holder_of(int descriptor) {
  std::array<char, 32> read{};
  const ssize_t count = ::pread(descriptor, read.data(), read.size(), 0);
  const std::string_view seen{read.data(), count > 0 ? static_cast<std::size_t>(count) : 0};
  return std::string{seen.substr(0, seen.find('\n'))};
}

}  // namespace

result<file_claim> file_claim::take(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (descriptor < 0)
    return error{"store_failed", fmt::format("{}: {}", path, std::strerror(errno))};
  file_claim claim{descriptor};
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK)
      return error{"store_failed", fmt::format("{}: {}", path, std::strerror(errno))};
    const std::string holder = holder_of(descriptor);
    return error{"store_failed", fmt::format("{}: in use by another process{}", path,
                                             holder.empty() ? "" : fmt::format(" ({})", holder))};
  }
  // For people only: that it cannot be written changes nothing about the lock.
  const std::string self = fmt::format("{}\n", ::getpid());
  if (::ftruncate(descriptor, 0) == 0) [[maybe_unused]]
    const ssize_t written = ::pwrite(descriptor, self.data(), self.size(), 0);
  return claim;
}

file_claim::~file_claim() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace tocsin
