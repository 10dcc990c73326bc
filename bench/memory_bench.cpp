// SPDX-License-Identifier: Apache-2.0
// What a key costs in memory: resident pages and malloc's own count, for a whole rule that only
// counts and for the keys alone.
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/measured.hpp"
#include "core/key_store.hpp"
#include "tocsin/event_router.hpp"
#include "tocsin/window_engine.hpp"

namespace tocsin {
namespace {

/// Memory of this process, in bytes.
struct footprint {
  std::size_t resident;   ///< pages in memory
  std::size_t allocated;  ///< given out by malloc and not given back, as malloc counts
};

footprint footprint_now() {
  ::malloc_trim(0);
  std::ifstream statm("/proc/self/statm");
  std::size_t pages = 0;
  std::size_t resident_pages = 0;
  if (!(statm >> pages >> resident_pages)) throw std::runtime_error{"cannot read /proc/self/statm"};
  const struct mallinfo2 heap = ::mallinfo2();
  return {resident_pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)),
          heap.uordblks + heap.hblkhd};
}

void print_growth(const char* what, std::size_t keys, const footprint& before) {
  const footprint after = footprint_now();
  const auto a_key = [&](std::size_t now, std::size_t then) {
    return (static_cast<double>(now) - static_cast<double>(then)) / static_cast<double>(keys);
  };
  fmt::print("{:<34} {:>8} keys: {:6.1f} bytes a key resident, {:6.1f} allocated\n", what, keys,
             a_key(after.resident, before.resident), a_key(after.allocated, before.allocated));
}

/// Works through events of `keys` keys, whose names come in random order, in batches that are gone
/// afterwards.
template <class Take>
void each_batch(std::size_t keys, std::uint64_t seed, const Take& take) {
  std::vector<std::uint32_t> order(keys);
  for (std::size_t i = 0; i < keys; ++i) order[i] = static_cast<std::uint32_t>(i);
  std::mt19937_64 random{seed};
  std::shuffle(order.begin(), order.end(), random);
  for (std::size_t begin = 0; begin < keys; begin += 4096) {
    const std::size_t end = std::min(keys, begin + 4096);
    std::vector<std::string> names;
    names.reserve(end - begin);
    event_batch batch;
    for (std::size_t i = begin; i < end; ++i) {
      names.push_back(fmt::format("resource-{}", order[i]));
      event& one = batch.events.emplace_back();
      one.set_text(event_field::resource_id, names.back());
      one.value = 100;
    }
    take(batch);
  }
}

/// One rule that counts. Every key has an event in each of `panes` panes of a second.
void measure_rule(const char* what, const std::string& window, std::size_t keys, int panes) {
  const auto rules = bench::rules_of(
      "rules:\n- {name: r, where: true, group_by: [resource_id], window: " + window +
      ", select: {n: count()}, having: n >= 1000000000}\n");
  event_router router(rules, 1);
  const footprint before = footprint_now();
  window_engine engine(rules);
  std::vector<finding> found;
  std::uint64_t position = 0;
  for (int pane = 0; pane < panes; ++pane) {
    const instant clock = from_unix_ms(1'700'000'000'000 + 1000 * pane);
    each_batch(keys, static_cast<std::uint64_t>(pane), [&](event_batch& batch) {
      batch.clock = clock;
      batch.first_position = position;
      for (event& one : batch.events) one.time = one.arrived = clock;
      const auto slices = router.route(batch);
      engine.step(clock, &batch, slices.front(), found);
      position += batch.events.size();
    });
  }
  if (engine.totals().keys != keys || engine.totals().updates != position)
    throw std::runtime_error{"keys or events were lost"};
  print_growth(what, keys, before);
}

void measure_keys(std::size_t keys) {
  group by;
  by.fields.push_back({"resource_id", event_field::resource_id, ""});
  const footprint before = footprint_now();
  key_store store(by);
  each_batch(keys, 1, [&](const event_batch& batch) {
    for (const event& one : batch.events) {
      const key_part part{"resource_id", one.text(event_field::resource_id)};
      const std::uint32_t slot = store.add(fingerprint_of("", {&part, 1}), batch, one);
      store.attach(slot, 0, slot);
    }
  });
  if (store.size() != keys) throw std::runtime_error{"keys were lost"};
  print_growth("keys alone", keys, before);
  const key_memory own = store.bytes();
  const auto a_key = [&](std::size_t bytes) {
    return static_cast<double>(bytes) / static_cast<double>(keys);
  };
  fmt::print(
      "  its own account: table {:.1f}, slots {:.1f}, links {:.1f}, values {:.1f}, in all {:.1f}\n",
      a_key(own.table), a_key(own.slots), a_key(own.links), a_key(own.values), a_key(own.total()));
}

/// Measures in a process of its own: what one measurement left in the heap would hide in the next.
template <class Measure>
bool apart(const Measure& measure) {
  std::fflush(stdout);
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error{"cannot fork"};
  if (child == 0) {
    int code = 0;
    try {
      measure();
    } catch (const std::exception& failure) {
      fmt::print(stderr, "memory_bench: {}\n", failure.what());
      code = 1;
    }
    std::fflush(stdout);
    ::_exit(code);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool measure_all(std::size_t keys) {
  bool right = apart([&] { measure_keys(keys); });
  right &= apart([&] { measure_rule("count, fixed: 60s", "{fixed: 60s}", keys, 1); });
  right &= apart(
      [&] { measure_rule("count, sliding: 60s, 1 pane", "{sliding: 60s, every: 1s}", keys, 1); });
  right &= apart(
      [&] { measure_rule("count, sliding: 60s, 2 panes", "{sliding: 60s, every: 1s}", keys, 2); });
  right &= apart([&] { measure_rule("count, session: 60s", "{session: 60s}", keys, 1); });
  return right;
}

}  // namespace
}  // namespace tocsin

int main(int count, char** arguments) {
  std::size_t keys = 1'000'000;
  if (count > 2 || (count == 2 && (keys = std::strtoull(arguments[1], nullptr, 10)) == 0)) {
    fmt::print(stderr, "usage: memory_bench [KEYS]\n");
    return 2;
  }
  return tocsin::measure_all(keys) ? 0 : 1;
}
