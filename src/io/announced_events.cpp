// SPDX-License-Identifier: Apache-2.0
// Reads a batch's head, or counts commas.
#include "io/announced_events.hpp"

#include <algorithm>

namespace tocsin {

std::size_t announced_events(std::string_view message) noexcept {
  const auto first = message.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return 1;
  // What ends a message before its last event, or follows it, is one rejection more.
  if (message[first] == '[' || message[first] == '{') {
    return static_cast<std::size_t>(std::count(message.begin(), message.end(), ',')) + 2;
  }
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(message[at]); };
  const unsigned char lead = byte(0);
  std::size_t head = 0;
  std::size_t count = 0;
  if (lead >= 0x90 && lead <= 0x9f) {
    head = 1;
    count = lead & 0x0fU;
  } else if (lead == 0xdc) {
    head = 3;
  } else if (lead == 0xdd) {
    head = 5;
  }
  if (head == 0 || message.size() < head) return 2;
  for (std::size_t i = 1; i < head; ++i) count = count << 8 | byte(i);
  return std::min(count, message.size() - head) + 1;
}

}  // namespace tocsin
