// SPDX-License-Identifier: Apache-2.0
// The baseline: the best simple program one would write by hand for "N failures in 60 s per
// resource and item". One thread: PULL -> decode -> count per key in one-second panes -> PUB. No
// bounds, no checks, no life cycle.
//
// usage: hand_written_loop PULL_ENDPOINT PUB_ENDPOINT THRESHOLD [RULES]
// With RULES > 1, rule r wants value >= r and keeps counts of its own, as separate rules do.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <xxhash.h>
#include <zmq.hpp>

namespace {

struct cursor {
  const unsigned char* at;

  std::uint64_t big_endian(int bytes) {
    std::uint64_t number = 0;
    while (bytes-- > 0) number = number << 8 | *at++;
    return number;
  }
  std::size_t array_or_map() {
    const unsigned char head = *at++;
    if (head < 0xa0) return head & 0x0f;
    return big_endian(head == 0xdc || head == 0xde ? 2 : 4);
  }
  [[nodiscard]] bool is_map() const { return (*at & 0xf0) == 0x80 || *at == 0xde || *at == 0xdf; }
  std::string_view text() {
    const unsigned char head = *at++;
    if (head == 0xc0) return {};
    const std::size_t bytes = (head & 0xe0) == 0xa0 ? head & 0x1f
                              : head == 0xd9        ? big_endian(1)
                              : head == 0xda        ? big_endian(2)
                                                    : big_endian(4);
    const std::string_view seen{reinterpret_cast<const char*>(at), bytes};
    at += bytes;
    return seen;
  }
  double number() {
    const unsigned char head = *at++;
    if (head < 0x80) return head;
    if (head >= 0xe0) return static_cast<signed char>(head);
    if (head == 0xcb) {
      const std::uint64_t bits = big_endian(8);
      double real;
      std::memcpy(&real, &bits, 8);
      return real;
    }
    if (head == 0xc0) return 0;
    if (head >= 0xcc && head <= 0xcf) return static_cast<double>(big_endian(1 << (head - 0xcc)));
    const int bytes = 1 << (head - 0xd0);
    const int unused_bits = 64 - 8 * bytes;
    return static_cast<double>(static_cast<std::int64_t>(big_endian(bytes) << unused_bits) >>
                               unused_bits);
  }
  void skip() {
    const unsigned char head = *at;
    if (head < 0x80 || head >= 0xe0 || head == 0xc0 || head == 0xc2 || head == 0xc3 ||
        head == 0xcb || (head >= 0xcc && head <= 0xd3)) {
      if (head == 0xc2 || head == 0xc3)
        ++at;
      else
        number();
    } else if ((head & 0xe0) == 0xa0 || (head >= 0xd9 && head <= 0xdb)) {
      text();
    } else {
      std::size_t parts = is_map() ? 2 : 1;
      parts *= array_or_map();
      while (parts-- > 0) skip();
    }
  }
};

struct failure {
  std::string_view resource, item;
  double value = 0;
  std::int64_t second = 0;
};

failure decode(cursor& from) {
  failure seen;
  if (!from.is_map()) {
    std::size_t fields = from.array_or_map();
    for (std::size_t i = 0; i < fields; ++i) {
      if (i == 2)
        seen.second = static_cast<std::int64_t>(from.number()) / 1000;
      else if (i == 3)
        seen.resource = from.text();
      else if (i == 6)
        seen.item = from.text();
      else if (i == 8)
        seen.value = from.number();
      else
        from.skip();
    }
    return seen;
  }
  for (std::size_t fields = from.array_or_map(); fields > 0; --fields) {
    const std::string_view key = from.text();
    if (key == "resource_id")
      seen.resource = from.text();
    else if (key == "item")
      seen.item = from.text();
    else if (key == "value")
      seen.value = from.number();
    else if (key == "time")
      seen.second = static_cast<std::int64_t>(from.number()) / 1000;
    else
      from.skip();
  }
  return seen;
}

constexpr std::int64_t window_seconds = 60;

struct key_counts {
  std::uint32_t panes[window_seconds] = {};
  std::uint64_t total = 0;
  std::int64_t second = 0;
  bool fired = false;

  std::uint64_t add(std::int64_t now) {
    if (now - second >= window_seconds) {
      std::memset(panes, 0, sizeof panes);
      total = 0;
    } else {
      for (std::int64_t s = second + 1; s <= now; ++s) {
        total -= panes[s % window_seconds];
        panes[s % window_seconds] = 0;
      }
    }
    if (now > second) second = now;
    ++panes[now % window_seconds];
    return ++total;
  }
};

struct same_hash {
  std::size_t operator()(std::uint64_t hash) const { return hash; }
};

}  // namespace

int main(int count, char** words) {
  if (count < 4) return 2;
  const std::uint64_t threshold = std::strtoull(words[3], nullptr, 10);
  const std::size_t rules = count > 4 ? std::strtoull(words[4], nullptr, 10) : 1;
  zmq::context_t context{1};
  zmq::socket_t pull{context, zmq::socket_type::pull};
  zmq::socket_t pub{context, zmq::socket_type::pub};
  pull.bind(words[1]);
  pub.bind(words[2]);

  std::vector<absl::flat_hash_map<std::uint64_t, key_counts, same_hash>> keys(rules);
  zmq::message_t message;
  for (;;) {
    if (!pull.recv(message)) continue;
    cursor from{static_cast<const unsigned char*>(message.data())};
    std::size_t events = from.is_map() ? 1 : from.array_or_map();
    for (; events > 0; --events) {
      const failure seen = decode(from);
      const std::uint64_t hash =
          XXH3_64bits_withSeed(seen.item.data(), seen.item.size(),
                               XXH3_64bits(seen.resource.data(), seen.resource.size()));
      for (std::size_t rule = 0; rule < rules; ++rule) {
        if (seen.value < static_cast<double>(rule + 1)) continue;
        key_counts& counts = keys[rule][hash];
        const std::uint64_t total = counts.add(seen.second);
        if (total < threshold) {
          counts.fired = false;
        } else if (!counts.fired) {
          counts.fired = true;
          const std::string alert = "alert.error.rule-" + std::to_string(rule) + " " +
                                    std::string{seen.resource} + " " + std::to_string(total);
          pub.send(zmq::buffer(alert), zmq::send_flags::none);
        }
      }
    }
  }
}
