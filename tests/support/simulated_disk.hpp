// SPDX-License-Identifier: Apache-2.0
// A file system in memory that fails when told to, and that shows what a power loss may leave.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "io/file_system.hpp"

namespace tocsin::testing {

/// What is not synced may or may not outlive a crash, sector by sector and name by name; nothing
/// else is promised: not the order of writes, nor that a file's size fits its bytes. A sync that
/// failed takes its bytes for written, as Linux does: a later sync does not write them.
class simulated_disk : public file_system {
 public:
  static constexpr std::uint64_t sector_bytes = 512;

  enum class fault {
    io,           ///< the call fails and has done nothing (a sync: no one knows what)
    no_space,     ///< the same
    short_write,  ///< an append writes a part and fails with no_space; other calls: io
    power_loss,   ///< this call and all behind it fail and do nothing
  };
  /// The `call`-th call from now on that may change the disk fails, 1 the next.
  void fail(std::uint64_t call, fault as, std::uint64_t seed = 0);
  /// Calls so far that may change the disk.
  [[nodiscard]] std::uint64_t calls() const noexcept { return calls_; }
  /// All files together hold at most so much.
  void set_capacity(std::uint64_t bytes) noexcept { capacity_ = bytes; }

  /// What a power loss at this moment may leave. The disk itself goes on.
  [[nodiscard]] std::shared_ptr<simulated_disk> crash(std::uint64_t seed) const;
  /// The same disk with the same contents, all of it synced.
  [[nodiscard]] std::shared_ptr<simulated_disk> copy() const;

  [[nodiscard]] bool exists(const std::string& path) const { return names_.contains(path); }
  [[nodiscard]] std::string bytes_of(const std::string& path) const;
  /// As if the medium had gone bad. Precondition: the file exists.
  void overwrite(const std::string& path, std::string bytes);
  void flip(const std::string& path, std::uint64_t byte, unsigned bit);
  [[nodiscard]] std::vector<std::string> paths() const;

  std::optional<error> make_folder(const std::string& path) override;
  [[nodiscard]] result<std::vector<std::string>> list(const std::string& folder) const override;
  [[nodiscard]] result<std::unique_ptr<appended_file>> open(const std::string& path) override;
  [[nodiscard]] result<contents> read(const std::string& path) const override;
  std::optional<error> rename(const std::string& from, const std::string& to) override;
  std::optional<error> remove(const std::string& path) override;
  std::optional<error> sync_folder(const std::string& folder) override;
  [[nodiscard]] std::string shown(const std::string& path) const override { return "disk/" + path; }

 private:
  friend class simulated_file;
  struct inode {
    std::string now;                ///< as programs see it
    std::string durable;            ///< as it is on the medium
    std::string cut;                ///< bytes that a truncate took away since the last sync
    std::set<std::uint64_t> dirty;  ///< sectors that the next sync writes
    std::set<std::uint64_t> sizes;  ///< that it has had since the last sync
    std::uint64_t reserved = 0;     ///< so large a crash may leave it, with zeros
    /// Bytes that no write has touched since they were synced.
    [[nodiscard]] std::uint64_t settled_bytes() const;
  };
  using inode_ptr = std::shared_ptr<inode>;
  using name_table = std::map<std::string, inode_ptr>;
  /// A change of names that no sync_folder has made durable yet.
  struct name_change {
    std::string folder;
    std::string removed;  ///< "": none
    std::string made;     ///< "": none
    inode_ptr file;       ///< of made
  };
  static void apply(const name_change& change, name_table& to);
  static inode_ptr after_crash(const inode& of, std::mt19937_64& random);
  [[nodiscard]] std::optional<error> counted(const std::string& path);
  [[nodiscard]] std::uint64_t bytes_held() const;

  name_table names_;
  name_table durable_names_;
  std::vector<name_change> changes_;
  std::set<std::string> folders_{""};
  std::set<std::string> durable_folders_{""};
  std::uint64_t capacity_ = UINT64_MAX;
  std::uint64_t calls_ = 0;
  std::uint64_t failing_call_ = 0;  ///< 0: none
  fault fault_ = fault::io;
  std::mt19937_64 random_{1};
};

}  // namespace tocsin::testing
