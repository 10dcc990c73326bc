// SPDX-License-Identifier: Apache-2.0
// The few things that the event log and the snapshots ask of a file system, so that tests can put a
// failing disk in its place.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/result.hpp"

namespace tocsin {

/// A file that is written at its end. Errors everywhere: the system's code and reason; `code` is
/// "no_space" for ENOSPC and EDQUOT, "io" for all else.
class appended_file {
 public:
  virtual ~appended_file() = default;
  /// All bytes, or an error; then it is not known how many of them are in the file.
  [[nodiscard]] virtual std::optional<error> append(std::string_view bytes) = 0;
  /// Cuts the file behind `bytes`.
  [[nodiscard]] virtual std::optional<error> truncate(std::uint64_t bytes) = 0;
  /// fdatasync.
  [[nodiscard]] virtual std::optional<error> sync() = 0;
  /// Bytes that were appended.
  [[nodiscard]] virtual std::uint64_t size() const = 0;
  /// From now on the disk's room is taken so many bytes at a time, which makes a sync behind each
  /// append cheaper: it has no size and few extents to write. Until the file is closed, and after a
  /// crash, zeros may stand behind what was appended. Where there is no such room it does nothing.
  virtual void reserve_ahead(std::uint64_t bytes) = 0;
};

/// Paths are relative to the folder that the file system was made for; "/" separates.
class file_system {
 public:
  virtual ~file_system() = default;
  [[nodiscard]] virtual std::optional<error> make_folder(const std::string& path) = 0;
  /// Names of files in a folder, sorted.
  [[nodiscard]] virtual result<std::vector<std::string>> list(const std::string& folder) const = 0;
  /// Opens for appending; makes the file when there is none.
  [[nodiscard]] virtual result<std::unique_ptr<appended_file>> open(const std::string& path) = 0;
  /// The bytes of a file as they are now (mapped where the system can); `owner` keeps them.
  struct contents {
    std::string_view bytes;
    std::shared_ptr<const void> owner;
  };
  [[nodiscard]] virtual result<contents> read(const std::string& path) const = 0;
  [[nodiscard]] virtual std::optional<error> rename(const std::string& from,
                                                    const std::string& to) = 0;
  [[nodiscard]] virtual std::optional<error> remove(const std::string& path) = 0;
  /// Names in the folder are on stable storage when it returns nothing.
  [[nodiscard]] virtual std::optional<error> sync_folder(const std::string& folder) = 0;
  /// For messages: the path as a user knows it.
  [[nodiscard]] virtual std::string shown(const std::string& path) const = 0;
};

/// The machine's. The folder must exist.
[[nodiscard]] std::shared_ptr<file_system> files_of(const std::string& folder);

}  // namespace tocsin
