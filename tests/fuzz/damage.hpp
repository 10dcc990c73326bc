// SPDX-License-Identifier: Apache-2.0
// Damages bytes that were right as a script says, so that what reads them back is tried near what
// it was made for.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace tocsin::fuzzing {

/// Reads numbers off the front of a fuzzer's input; 0 behind its end.
class script {
 public:
  explicit script(std::string_view bytes) : rest_(bytes) {}

  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }
  [[nodiscard]] std::uint8_t byte() noexcept {
    if (rest_.empty()) return 0;
    const auto first = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return first;
  }
  /// From 0 to `bound` - 1; 0 when there is no such number.
  [[nodiscard]] std::size_t below(std::size_t bound) noexcept {
    const std::size_t low = byte();
    const std::size_t number = low | static_cast<std::size_t>(byte()) << 8U;
    return bound == 0 ? 0 : number % bound;
  }

 private:
  std::string_view rest_;
};

/// One change: a byte set, a bit turned, a number overwritten by one at the edge of its range,
/// bytes left out, repeated, moved or cut off.
inline void damage_once(std::string& bytes, script& by) {
  static constexpr std::array<std::uint64_t, 10> edges{0,
                                                       1,
                                                       0x7f,
                                                       0xff,
                                                       0x7fffffff,
                                                       0xffffffff,
                                                       0x7fffffffffffffff,
                                                       0x8000000000000000,
                                                       0xfffffffffffffffe,
                                                       0xffffffffffffffff};
  const std::uint8_t kind = by.byte();
  const std::size_t at = by.below(bytes.size());
  if (bytes.empty()) return;
  switch (kind % 8) {
    case 0:
    case 1:
      bytes[at] = static_cast<char>(by.byte());
      break;
    case 2:
      bytes[at] = static_cast<char>(static_cast<std::uint8_t>(bytes[at]) ^ (1U << (by.byte() % 8)));
      break;
    case 3:
    case 4: {
      const std::uint64_t edge = edges[by.byte() % edges.size()];
      std::memcpy(bytes.data() + at, &edge, std::min(kind % 8 == 3 ? 8UL : 4UL, bytes.size() - at));
      break;
    }
    case 5:
      bytes.erase(at, 1U + by.byte() % 32);
      break;
    case 6:
      bytes.insert(by.below(bytes.size()), bytes.substr(at, 1U + by.byte() % 32));
      break;
    default:
      if (by.byte() % 4 == 0) bytes.resize(at);
      break;
  }
}

/// All changes that the script has left, at most 16.
inline void damage(std::string& bytes, script& by) {
  for (int changes = 0; changes < 16 && !by.at_end(); ++changes) damage_once(bytes, by);
}

}  // namespace tocsin::fuzzing
