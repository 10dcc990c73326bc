// SPDX-License-Identifier: Apache-2.0
// The books of what came in: received = accepted + duplicate + rejected + shed, exactly, in all and
// per source.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

namespace tocsin {

struct ingest_counts {
  std::uint64_t received = 0;
  std::uint64_t accepted = 0;
  std::uint64_t duplicate = 0;
  std::uint64_t rejected = 0;
  std::uint64_t shed = 0;
  friend bool operator==(const ingest_counts&, const ingest_counts&) = default;
};

class ingest_ledger {
 public:
  /// Sources beyond this many are counted together under the name "__other__"; events with no
  /// source_id, or whose source could not be read, under "".
  static constexpr std::size_t sources_max = 10'000;
  static constexpr std::string_view other_sources = "__other__";

  ingest_ledger() = default;
  // A copy's shortcut to the last source would point into the original.
  ingest_ledger(const ingest_ledger&) = delete;
  ingest_ledger& operator=(const ingest_ledger&) = delete;

  void accept(std::string_view source);
  void duplicate(std::string_view source);
  void shed(std::string_view source);
  /// `code` is the rejection's code, a string literal.
  void reject(std::string_view source, std::string_view code);

  [[nodiscard]] const ingest_counts& total() const noexcept { return total_; }
  [[nodiscard]] const std::map<std::string, std::uint64_t, std::less<>>& rejected_by_code()
      const noexcept {
    return rejected_by_code_;
  }
  [[nodiscard]] std::map<std::string, ingest_counts> by_source() const;

 private:
  ingest_counts& of(std::string_view source);

  ingest_counts total_;
  std::map<std::string, std::uint64_t, std::less<>> rejected_by_code_;
  std::unordered_map<std::string, ingest_counts> by_source_;
  std::string last_source_;
  ingest_counts* last_ = nullptr;  ///< of last_source_: bursts mostly come from one source
};

}  // namespace tocsin
