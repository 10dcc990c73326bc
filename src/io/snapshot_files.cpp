// SPDX-License-Identifier: Apache-2.0
// Writes, finds, checks and forgets snapshots.
#include "io/snapshot_files.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <utility>

#include "io/little_endian.hpp"
#include "io/numbered_name.hpp"

namespace tocsin {
namespace {

constexpr const char* snapshot_folder = "snapshots";
constexpr std::string_view snapshot_suffix = ".snapshot";
constexpr std::string_view unfinished_suffix = ".new";
constexpr std::string_view snapshot_magic = "tocsinSN";
constexpr std::uint64_t snapshot_version = 1;
constexpr std::size_t snapshot_header_bytes = 56;
constexpr std::size_t part_header_bytes = 24;
/// Of other snapshots than the one just written.
constexpr std::size_t others_kept = 1;

std::string path_of(std::uint64_t step) {
  return fmt::format("{}/{}", snapshot_folder, numbered_name(step, snapshot_suffix));
}

std::string encode_header(const pipeline_snapshot& of) {
  std::string bytes{snapshot_magic};
  put_number(bytes, snapshot_version);
  put_number(bytes, of.step);
  put_number(bytes, static_cast<std::uint64_t>(to_unix_ms(of.clock)));
  put_number(bytes, of.next_position);
  put_number(bytes, of.shards.size() + 1);
  put_number(bytes, XXH3_64bits(bytes.data(), bytes.size()));
  return bytes;
}

/// Differs for every part of every snapshot.
std::uint64_t seed_of(std::uint64_t step, std::uint64_t part) {
  return (step << 16U) + part;
}

std::string encode_part_header(std::string_view part, std::uint64_t seed) {
  std::string bytes;
  put_number(bytes, part.size());
  put_number(bytes, XXH3_64bits_withSeed(part.data(), part.size(), seed));
  put_number(bytes, XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed));
  return bytes;
}

std::optional<error> write_snapshot(const pipeline_snapshot& of, appended_file& to) {
  if (to.size() > 0) {
    if (auto failed = to.truncate(0)) return failed;
  }
  if (auto failed = to.append(encode_header(of))) return failed;
  for (std::size_t i = 0; i <= of.shards.size(); ++i) {
    const std::string& part = i == 0 ? of.ingest : of.shards[i - 1];
    if (auto failed = to.append(encode_part_header(part, seed_of(of.step, i)))) return failed;
    if (auto failed = to.append(part)) return failed;
  }
  return to.sync();
}

/// Reads a snapshot's bytes from begin to end.
class snapshot_reading {
 public:
  snapshot_reading(std::string_view bytes, std::string file, std::uint64_t step)
      : bytes_(bytes), file_(std::move(file)), step_(step) {}

  [[nodiscard]] result<pipeline_snapshot> run() {
    if (bytes_.size() < snapshot_header_bytes) {
      return damaged(bytes_.size(), fmt::format("seen the end of the file, wanted a header of {} "
                                                "bytes",
                                                snapshot_header_bytes));
    }
    if (bytes_.substr(0, snapshot_magic.size()) != snapshot_magic)
      return damaged(0, "seen another kind of file, wanted a snapshot");
    if (auto failed = check(0, snapshot_header_bytes, 0)) return *std::move(failed);
    if (const auto version = number_at(bytes_, 8); version > snapshot_version) {
      return error{"snapshot_newer",
                   fmt::format("{}: byte 8: seen format version {}, wanted at most {}: a later "
                               "version of tocsin wrote it",
                               file_, version, snapshot_version)};
    }
    pipeline_snapshot read;
    read.step = number_at(bytes_, 16);
    read.clock = from_unix_ms(static_cast<long long>(number_at(bytes_, 24)));
    read.next_position = number_at(bytes_, 32);
    const std::uint64_t parts = number_at(bytes_, 40);
    if (read.step != step_) {
      return damaged(
          16, fmt::format("seen step {}, wanted step {}, as its name says", read.step, step_));
    }
    at_ = snapshot_header_bytes;
    for (std::uint64_t i = 0; i < parts; ++i) {
      auto part = next_part(i);
      if (!part) return part.failure();
      if (i == 0) {
        read.ingest = *part;
      } else {
        read.shards.emplace_back(*part);
      }
    }
    if (at_ != bytes_.size())
      return damaged(at_, fmt::format("seen {} bytes more, wanted the end", bytes_.size() - at_));
    return read;
  }

 private:
  result<std::string_view> next_part(std::uint64_t index) {
    const std::uint64_t seed = seed_of(step_, index);
    if (bytes_.size() - at_ < part_header_bytes) {
      return damaged(bytes_.size(), fmt::format("seen the end of the file, wanted part {}", index));
    }
    if (auto failed = check(at_, part_header_bytes, seed)) return *std::move(failed);
    const std::uint64_t length = number_at(bytes_, at_);
    const std::uint64_t wanted = number_at(bytes_, at_ + 8);
    at_ += part_header_bytes;
    if (length > bytes_.size() - at_) {
      return damaged(bytes_.size(), fmt::format("seen the end of the file, wanted {} bytes of part "
                                                "{}",
                                                length, index));
    }
    const std::string_view part = bytes_.substr(at_, length);
    const std::uint64_t seen = XXH3_64bits_withSeed(part.data(), part.size(), seed);
    if (seen != wanted) {
      return damaged(at_, fmt::format("seen part {} with the checksum {:016x}, wanted {:016x}",
                                      index, seen, wanted));
    }
    at_ += length;
    return part;
  }

  /// A header whose last 8 bytes are the checksum of those before.
  [[nodiscard]] std::optional<error> check(std::size_t at, std::size_t bytes,
                                           std::uint64_t seed) const {
    const std::uint64_t seen = number_at(bytes_, at + bytes - 8);
    const std::uint64_t wanted = XXH3_64bits_withSeed(bytes_.data() + at, bytes - 8, seed);
    if (seen == wanted) return std::nullopt;
    return damaged(
        at, fmt::format("seen a header with the checksum {:016x}, wanted {:016x}", seen, wanted));
  }
  [[nodiscard]] error damaged(std::size_t at, const std::string& seen_and_wanted) const {
    return {"snapshot_damaged", fmt::format("{}: byte {}: {}", file_, at, seen_and_wanted)};
  }

  std::string_view bytes_;
  std::string file_;
  std::uint64_t step_;
  std::size_t at_ = 0;
};

class snapshot_files : public snapshot_store {
 public:
  explicit snapshot_files(std::shared_ptr<file_system> files) : files_(std::move(files)) {}

  std::optional<error> put(const pipeline_snapshot& made) override {
    const std::string path = path_of(made.step);
    const std::string beside = path + std::string{unfinished_suffix};
    auto file = files_->open(beside);
    if (!file) return failed(file.failure());
    auto problem = write_snapshot(made, **file);
    if (!problem) problem = files_->rename(beside, path);
    if (problem) {
      // What stays of it when this fails is removed at the next start.
      [[maybe_unused]] const auto left = files_->remove(beside);
      return failed(*problem);
    }
    if (const auto unsynced = files_->sync_folder(snapshot_folder)) return failed(*unsynced);
    forget(made.step);
    return std::nullopt;
  }

  [[nodiscard]] std::vector<std::uint64_t> steps() const override {
    std::vector<std::uint64_t> found;
    const auto names = files_->list(snapshot_folder);
    if (!names) return found;
    for (const std::string& each : *names) {
      if (const auto step = number_in_name(each, snapshot_suffix)) found.push_back(*step);
    }
    std::sort(found.rbegin(), found.rend());
    return found;
  }

  [[nodiscard]] result<pipeline_snapshot> get(std::uint64_t step) const override {
    const std::string path = path_of(step);
    const auto held = files_->read(path);
    if (!held) return error{"snapshot_damaged", held.failure().message};
    return snapshot_reading(held->bytes, files_->shown(path), step).run();
  }

 private:
  [[nodiscard]] static error failed(const error& why) { return {"snapshot_failed", why.message}; }

  void forget(std::uint64_t but) {
    std::size_t others = 0;
    for (const std::uint64_t each : steps()) {
      if (each == but || ++others <= others_kept) continue;
      // The snapshot is kept in any case; one too many goes at the next time.
      [[maybe_unused]] const auto left = files_->remove(path_of(each));
    }
  }

  std::shared_ptr<file_system> files_;
};

}  // namespace

result<std::unique_ptr<snapshot_store>> open_snapshot_files(std::shared_ptr<file_system> files) {
  if (auto failed = files->make_folder(snapshot_folder)) return *std::move(failed);
  if (auto failed = files->sync_folder("")) return *std::move(failed);
  const auto names = files->list(snapshot_folder);
  if (!names) return names.failure();
  for (const std::string& each : *names) {
    if (!each.ends_with(unfinished_suffix)) continue;
    if (auto failed = files->remove(std::string{snapshot_folder} + "/" + each))
      return *std::move(failed);
  }
  // Names that a put() before this start has left unsynced.
  if (auto failed = files->sync_folder(snapshot_folder)) return *std::move(failed);
  return std::unique_ptr<snapshot_store>(std::make_unique<snapshot_files>(std::move(files)));
}

}  // namespace tocsin
