// SPDX-License-Identifier: Apache-2.0
// Keeps what programs see apart from what is on the medium.
#include "support/simulated_disk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace tocsin::testing {
namespace {

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

bool one_in(std::mt19937_64& random, unsigned n) {
  return random() % n == 0;
}

}  // namespace

/// An open file of a simulated disk.
class simulated_file : public appended_file {
 public:
  using inode = simulated_disk::inode;
  simulated_file(simulated_disk& disk, simulated_disk::inode_ptr file, std::string path)
      : disk_(disk), file_(std::move(file)), path_(std::move(path)) {}

  std::optional<error> append(std::string_view bytes) override {
    auto failed = disk_.counted(path_);
    if (failed && disk_.fault_ == simulated_disk::fault::short_write) {
      write(bytes.substr(0, bytes.empty() ? 0 : disk_.random_() % bytes.size()));
      return error{"no_space", failed->message};
    }
    if (failed) return failed;
    const std::uint64_t held = disk_.bytes_held();
    const std::uint64_t room = disk_.capacity_ > held ? disk_.capacity_ - held : 0;
    write(bytes.substr(0, room));
    if (bytes.size() > room) return error{"no_space", path_ + ": the simulated disk is full"};
    return std::nullopt;
  }
  std::optional<error> truncate(std::uint64_t bytes) override {
    if (auto failed = disk_.counted(path_)) return failed;
    assert(bytes <= file_->now.size());
    file_->sizes.insert(file_->now.size());
    if (file_->cut.size() < file_->now.size()) file_->cut.resize(file_->now.size());
    std::copy(file_->now.begin() + static_cast<std::ptrdiff_t>(bytes), file_->now.end(),
              file_->cut.begin() + static_cast<std::ptrdiff_t>(bytes));
    mark(bytes, file_->now.size());
    file_->now.resize(bytes);
    file_->sizes.insert(bytes);
    return std::nullopt;
  }
  std::optional<error> sync() override {
    auto failed = disk_.counted(path_);
    if (failed && disk_.fault_ == simulated_disk::fault::power_loss) return failed;
    inode& file = *file_;
    file.durable.resize(file.now.size());
    for (const std::uint64_t sector : file.dirty) {
      const std::uint64_t begin = sector * simulated_disk::sector_bytes;
      if (begin >= file.now.size() || (failed && one_in(disk_.random_, 2))) continue;
      const auto count =
          std::min<std::uint64_t>(simulated_disk::sector_bytes, file.now.size() - begin);
      file.durable.replace(begin, count, file.now, begin, count);
    }
    file.dirty.clear();
    file.sizes.clear();
    file.cut.clear();
    file.reserved = file.now.size() + ahead_;
    return failed;
  }
  [[nodiscard]] std::uint64_t size() const override { return file_->now.size(); }
  void reserve_ahead(std::uint64_t bytes) override { ahead_ = bytes; }

 private:
  void write(std::string_view bytes) {
    file_->sizes.insert(file_->now.size());
    mark(file_->now.size(), file_->now.size() + bytes.size());
    file_->now += bytes;
    file_->sizes.insert(file_->now.size());
    file_->reserved = std::max(file_->reserved, file_->now.size() + ahead_);
  }
  void mark(std::uint64_t begin, std::uint64_t end) {
    for (auto at = begin; at < end;
         at = (at / simulated_disk::sector_bytes + 1) * simulated_disk::sector_bytes)
      file_->dirty.insert(at / simulated_disk::sector_bytes);
  }

  simulated_disk& disk_;
  simulated_disk::inode_ptr file_;
  std::string path_;
  std::uint64_t ahead_ = 0;
};

std::uint64_t simulated_disk::inode::settled_bytes() const {
  std::uint64_t settled = std::min(now.size(), durable.size());
  if (!sizes.empty()) settled = std::min(settled, *sizes.begin());
  return settled;
}

void simulated_disk::fail(std::uint64_t call, fault as, std::uint64_t seed) {
  failing_call_ = calls_ + call;
  fault_ = as;
  random_.seed(seed);
}

std::optional<error> simulated_disk::counted(const std::string& path) {
  ++calls_;
  const bool is_off = fault_ == fault::power_loss && failing_call_ != 0 && calls_ >= failing_call_;
  if (!is_off && calls_ != failing_call_) return std::nullopt;
  return error{fault_ == fault::no_space ? "no_space" : "io",
               fmt::format("{}: the simulated disk fails call {}", path, calls_)};
}

std::uint64_t simulated_disk::bytes_held() const {
  std::uint64_t sum = 0;
  for (const auto& [path, file] : names_) sum += file->now.size();
  return sum;
}

void simulated_disk::apply(const name_change& change, name_table& to) {
  if (!change.removed.empty()) to.erase(change.removed);
  if (!change.made.empty()) to[change.made] = change.file;
}

simulated_disk::inode_ptr simulated_disk::after_crash(const inode& of, std::mt19937_64& random) {
  auto left = std::make_shared<inode>();
  const std::uint64_t settled = of.settled_bytes();
  // The size is one of those it has had, or one on the way of growing.
  std::vector<std::uint64_t> sizes(of.sizes.begin(), of.sizes.end());
  sizes.push_back(of.durable.size());
  std::uint64_t size = sizes[random() % sizes.size()];
  if (const auto most = *std::max_element(sizes.begin(), sizes.end()); one_in(random, 3))
    size = settled + random() % (most - settled + 1);
  if (of.reserved > size && one_in(random, 2)) size = of.reserved;
  left->now = of.durable;
  left->now.resize(size);
  const bool drop_all = one_in(random, 6);
  const bool keep_all = !drop_all && one_in(random, 6);
  for (const std::uint64_t sector : of.dirty) {
    const std::uint64_t begin = std::max(sector * sector_bytes, settled);
    const std::uint64_t end = std::min<std::uint64_t>((sector + 1) * sector_bytes, size);
    if (drop_all || begin >= end) continue;
    const auto choice = keep_all ? 0 : random() % 8;
    const std::string* const from = choice < 4 ? &of.now : choice == 4 ? &of.cut : nullptr;
    for (std::uint64_t at = begin; at < end; ++at) {
      if (from != nullptr && at < from->size()) left->now[at] = (*from)[at];
      if (choice == 5) left->now[at] = '\0';
      if (choice == 6) left->now[at] = static_cast<char>(random());
    }
  }
  left->durable = left->now;
  return left;
}

std::shared_ptr<simulated_disk> simulated_disk::crash(std::uint64_t seed) const {
  std::mt19937_64 random{seed};
  auto left = std::make_shared<simulated_disk>();
  name_table names = durable_names_;
  const bool drop_all = one_in(random, 6);
  for (const name_change& each : changes_) {
    if (!drop_all && one_in(random, 2)) apply(each, names);
  }
  for (const std::string& each : folders_) {
    if (durable_folders_.contains(each) || one_in(random, 2)) left->folders_.insert(each);
  }
  left->durable_folders_ = left->folders_;
  for (const auto& [path, file] : names) {
    if (left->folders_.contains(folder_of(path))) left->names_[path] = after_crash(*file, random);
  }
  left->durable_names_ = left->names_;
  left->random_.seed(seed);
  return left;
}

std::shared_ptr<simulated_disk> simulated_disk::copy() const {
  auto same = std::make_shared<simulated_disk>();
  for (const auto& [path, file] : names_) {
    auto copied = std::make_shared<inode>();
    copied->now = copied->durable = file->now;
    same->names_[path] = copied;
  }
  same->durable_names_ = same->names_;
  same->folders_ = same->durable_folders_ = folders_;
  return same;
}

std::string simulated_disk::bytes_of(const std::string& path) const {
  return names_.at(path)->now;
}

void simulated_disk::overwrite(const std::string& path, std::string bytes) {
  inode& file = *names_.at(path);
  file = inode{};
  file.now = file.durable = std::move(bytes);
}

void simulated_disk::flip(const std::string& path, std::uint64_t byte, unsigned bit) {
  std::string bytes = bytes_of(path);
  bytes.at(byte) = static_cast<char>(static_cast<unsigned char>(bytes[byte]) ^ (1U << bit));
  overwrite(path, std::move(bytes));
}

std::vector<std::string> simulated_disk::paths() const {
  std::vector<std::string> all;
  for (const auto& [path, file] : names_) all.push_back(path);
  return all;
}

std::optional<error> simulated_disk::make_folder(const std::string& path) {
  if (auto failed = counted(path)) return failed;
  folders_.insert(path);
  return std::nullopt;
}

result<std::vector<std::string>> simulated_disk::list(const std::string& folder) const {
  if (!folders_.contains(folder)) return error{"io", shown(folder) + ": no such folder"};
  std::vector<std::string> names;
  for (const auto& [path, file] : names_) {
    if (folder_of(path) == folder) names.push_back(path.substr(folder.size() + 1));
  }
  return names;
}

result<std::unique_ptr<appended_file>> simulated_disk::open(const std::string& path) {
  if (auto failed = counted(path)) return *std::move(failed);
  if (!folders_.contains(folder_of(path))) return error{"io", shown(path) + ": no such folder"};
  auto& file = names_[path];
  if (!file) {
    file = std::make_shared<inode>();
    changes_.push_back({folder_of(path), "", path, file});
  }
  return std::unique_ptr<appended_file>(std::make_unique<simulated_file>(*this, file, path));
}

result<file_system::contents> simulated_disk::read(const std::string& path) const {
  const auto found = names_.find(path);
  if (found == names_.end()) return error{"io", shown(path) + ": no such file"};
  auto bytes = std::make_shared<const std::string>(found->second->now);
  return contents{*bytes, bytes};
}

std::optional<error> simulated_disk::rename(const std::string& from, const std::string& to) {
  if (auto failed = counted(from)) return failed;
  const auto found = names_.find(from);
  if (found == names_.end()) return error{"io", shown(from) + ": no such file"};
  changes_.push_back({folder_of(to), from, to, found->second});
  apply(changes_.back(), names_);
  return std::nullopt;
}

std::optional<error> simulated_disk::remove(const std::string& path) {
  if (auto failed = counted(path)) return failed;
  if (names_.erase(path) == 0) return error{"io", shown(path) + ": no such file"};
  changes_.push_back({folder_of(path), path, "", nullptr});
  return std::nullopt;
}

std::optional<error> simulated_disk::sync_folder(const std::string& folder) {
  if (auto failed = counted(folder)) return failed;
  if (!folders_.contains(folder)) return error{"io", shown(folder) + ": no such folder"};
  std::vector<name_change> left;
  for (const name_change& each : changes_) {
    if (each.folder == folder) {
      apply(each, durable_names_);
    } else {
      left.push_back(each);
    }
  }
  changes_ = std::move(left);
  for (const std::string& each : folders_) {
    if (!each.empty() && folder_of(each) == folder) durable_folders_.insert(each);
  }
  return std::nullopt;
}

}  // namespace tocsin::testing
