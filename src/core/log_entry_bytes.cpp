// SPDX-License-Identifier: Apache-2.0
// What is rare when a log entry is read: long numbers, and what does not fit.
#include "core/log_entry_bytes.hpp"

#include <fmt/format.h>

namespace tocsin {

std::uint64_t entry_reader::long_number() {
  const char* const from = at_;
  std::uint64_t number = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (at_ == end_) return ended("the rest of a number");
    const auto seen = static_cast<unsigned char>(*at_++);
    const std::uint64_t bits = seen & 0x7fU;
    if ((bits << shift) >> shift != bits) break;
    number |= bits << shift;
    if (seen < 0x80) return number;
  }
  refuse(from, "a number of more than 64 bits", "at most 64");
  return 0;
}

std::uint64_t entry_reader::ended(std::string_view wanted) {
  refuse(at_, fmt::format("{} bytes that are left", left()), wanted);
  return 0;
}

void entry_reader::refuse(const char* from, std::string_view seen, std::string_view wanted) {
  if (why_.empty()) {
    why_ = fmt::format("log entry of {} bytes, byte {}: seen {}, wanted {}", size_, from - begin_,
                       seen, wanted);
  }
  at_ = end_;
}

}  // namespace tocsin
