// SPDX-License-Identifier: Apache-2.0
// The machine's file system, relative to one folder.
#include "io/file_system.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace tocsin {
namespace {

/// Reads errno.
error failure_of(std::string_view doing, const std::string& shown) {
  const int why = errno;
  return {why == ENOSPC || why == EDQUOT ? "no_space" : "io",
          fmt::format("{}: {}: {}", shown, doing, std::strerror(why))};
}

/// A call again as long as signals interrupt it.
template <class Call>
auto uninterrupted(const Call& call) {
  for (;;) {
    const auto answer = call();
    if (answer >= 0 || errno != EINTR) return answer;
  }
}

class descriptor {
 public:
  explicit descriptor(int of) noexcept : of_(of) {}
  descriptor(descriptor&& from) noexcept : of_(std::exchange(from.of_, -1)) {}
  descriptor& operator=(descriptor&&) = delete;
  ~descriptor() {
    if (of_ >= 0) ::close(of_);
  }
  [[nodiscard]] int get() const noexcept { return of_; }
  [[nodiscard]] bool open() const noexcept { return of_ >= 0; }
  [[nodiscard]] int release() noexcept { return std::exchange(of_, -1); }

 private:
  int of_;
};

class posix_file : public appended_file {
 public:
  posix_file(descriptor file, std::string shown, std::uint64_t size)
      : file_(std::move(file)), shown_(std::move(shown)), size_(size) {}

  posix_file(const posix_file&) = delete;
  posix_file& operator=(const posix_file&) = delete;
  ~posix_file() override {
    // What stays of it when this fails is zeros, which are no records.
    if (reserved_ > size_) (void)!::ftruncate(file_.get(), static_cast<off_t>(size_));
  }

  std::optional<error> append(std::string_view bytes) override {
    reserve(size_ + bytes.size());
    while (!bytes.empty()) {
      const ssize_t written = uninterrupted([&] {
        return ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(size_));
      });
      if (written < 0) return failure_of("write", shown_);
      size_ += static_cast<std::uint64_t>(written);
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return std::nullopt;
  }
  std::optional<error> truncate(std::uint64_t bytes) override {
    if (uninterrupted([&] { return ::ftruncate(file_.get(), static_cast<off_t>(bytes)); }) != 0)
      return failure_of("truncate", shown_);
    size_ = reserved_ = bytes;
    return std::nullopt;
  }
  std::optional<error> sync() override {
    // Not again after EINTR either: what the first call has reported, a second one would not.
    if (::fdatasync(file_.get()) != 0) return failure_of("fdatasync", shown_);
    return std::nullopt;
  }
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  void reserve_ahead(std::uint64_t bytes) override { ahead_ = bytes; }

 private:
  void reserve(std::uint64_t wanted) {
    if (ahead_ == 0 || wanted <= reserved_) return;
    const std::uint64_t end = wanted + ahead_;
    if (::fallocate(file_.get(), 0, static_cast<off_t>(size_), static_cast<off_t>(end - size_)) ==
        0) {
      reserved_ = end;
    } else {
      ahead_ = 0;  // not this file system, or no room: what is appended will say so
    }
  }

  descriptor file_;
  std::string shown_;
  std::uint64_t size_;
  std::uint64_t reserved_ = 0;  ///< how large the file is, if larger than size_
  std::uint64_t ahead_ = 0;
};

/// A mapped file, read-only.
class mapping {
 public:
  mapping(void* begin, std::size_t bytes) noexcept : begin_(begin), bytes_(bytes) {}
  mapping(const mapping&) = delete;
  mapping& operator=(const mapping&) = delete;
  ~mapping() { ::munmap(begin_, bytes_); }

 private:
  void* begin_;
  std::size_t bytes_;
};

class posix_file_system : public file_system {
 public:
  explicit posix_file_system(std::string folder)
      : folder_(std::move(folder)),
        root_(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (!root_.open()) root_failure_ = errno;
  }

  std::optional<error> make_folder(const std::string& path) override {
    if (::mkdirat(root(), path.c_str(), 0750) != 0 && errno != EEXIST)
      return failed("make the folder", path);
    return std::nullopt;
  }

  [[nodiscard]] result<std::vector<std::string>> list(const std::string& folder) const override {
    descriptor opened{open_folder(folder)};
    if (!opened.open()) return failed("open", folder);
    DIR* const entries = ::fdopendir(opened.get());
    if (entries == nullptr) return failed("list", folder);
    const int handle = opened.release();
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* each = ::readdir(entries)) {
      struct stat of {};
      if (::fstatat(handle, each->d_name, &of, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(of.st_mode))
        names.emplace_back(each->d_name);
      errno = 0;
    }
    const int why = errno;
    ::closedir(entries);
    errno = why;
    if (why != 0) return failed("list", folder);
    std::sort(names.begin(), names.end());
    return names;
  }

  [[nodiscard]] result<std::unique_ptr<appended_file>> open(const std::string& path) override {
    descriptor opened{uninterrupted(
        [&] { return ::openat(root(), path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0640); })};
    if (!opened.open()) return failed("open", path);
    struct stat of {};
    if (::fstat(opened.get(), &of) != 0) return failed("open", path);
    return std::unique_ptr<appended_file>(std::make_unique<posix_file>(
        std::move(opened), shown(path), static_cast<std::uint64_t>(of.st_size)));
  }

  [[nodiscard]] result<contents> read(const std::string& path) const override {
    const descriptor opened{
        uninterrupted([&] { return ::openat(root(), path.c_str(), O_RDONLY | O_CLOEXEC); })};
    if (!opened.open()) return failed("open", path);
    struct stat of {};
    if (::fstat(opened.get(), &of) != 0) return failed("read", path);
    if (!S_ISREG(of.st_mode)) {
      errno = EINVAL;
      return failed("read", path);
    }
    if (of.st_size == 0) return contents{};
    const auto bytes = static_cast<std::size_t>(of.st_size);
    void* const begin = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, opened.get(), 0);
    if (begin == MAP_FAILED) return failed("map", path);
    auto owner = std::make_shared<const mapping>(begin, bytes);
    // Advice only: a kernel that does not take it reads a little slower.
    ::madvise(begin, bytes, MADV_SEQUENTIAL);
    return contents{{static_cast<const char*>(begin), bytes}, std::move(owner)};
  }

  std::optional<error> rename(const std::string& from, const std::string& to) override {
    if (::renameat(root(), from.c_str(), root(), to.c_str()) != 0)
      return failed(fmt::format("rename to {}", shown(to)), from);
    return std::nullopt;
  }
  std::optional<error> remove(const std::string& path) override {
    if (::unlinkat(root(), path.c_str(), 0) != 0) return failed("remove", path);
    return std::nullopt;
  }
  std::optional<error> sync_folder(const std::string& folder) override {
    const descriptor opened{open_folder(folder)};
    if (!opened.open()) return failed("open", folder);
    if (::fsync(opened.get()) != 0) return failed("fsync", folder);
    return std::nullopt;
  }
  [[nodiscard]] std::string shown(const std::string& path) const override {
    return path.empty() ? folder_ : folder_ + "/" + path;
  }

 private:
  /// Every call with a folder that could not be opened fails with the reason of that.
  [[nodiscard]] int root() const {
    if (!root_.open()) errno = root_failure_;
    return root_.get();
  }
  [[nodiscard]] int open_folder(const std::string& path) const {
    return uninterrupted([&] {
      return ::openat(root(), path.empty() ? "." : path.c_str(),
                      O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    });
  }
  [[nodiscard]] error failed(std::string_view doing, const std::string& path) const {
    if (!root_.open()) {
      errno = root_failure_;
      return failure_of("open", folder_);
    }
    return failure_of(doing, shown(path));
  }

  std::string folder_;
  descriptor root_;
  int root_failure_ = 0;
};

}  // namespace

std::shared_ptr<file_system> files_of(const std::string& folder) {
  return std::make_shared<posix_file_system>(folder);
}

}  // namespace tocsin
