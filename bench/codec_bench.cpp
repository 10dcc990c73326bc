// SPDX-License-Identifier: Apache-2.0
// What decoding an event costs: msgpack-c's objects, msgpack-c's visitor and our cursor, the latter
// with all validation; each checks what it decoded.
#include <benchmark/benchmark.h>

#include <msgpack.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "io/event_decoder.hpp"
#include "support/event_builder.hpp"
#include "support/reference_decoder.hpp"

namespace tocsin {
namespace {

constexpr instant arrived = from_unix_ms(1'770'000'000'000);

enum class form { map, positional, json };

/// A message of `events` events; the positional form is always in a batch.
std::string message_of(form shape, std::size_t events) {
  std::vector<std::string> encoded;
  for (std::size_t i = 0; i < events; ++i) {
    const auto one = testing::sample_event(i, arrived);
    encoded.push_back(shape == form::map    ? one.map()
                      : shape == form::json ? one.json()
                                            : one.positional());
  }
  if (shape == form::json) return testing::json_batch_of(encoded);
  return events == 1 && shape == form::map ? encoded.front() : testing::batch_of(encoded);
}

void report(benchmark::State& state, std::size_t events, const std::string& message) {
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(events));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(message.size()));
  state.counters["s/event"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * static_cast<double>(events),
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["bytes/event"] = static_cast<double>(message.size()) / static_cast<double>(events);
}

/// The scalars of a message, counted: what the two uses of msgpack-c must agree on.
struct tally {
  std::size_t texts = 0;
  std::size_t text_bytes = 0;
  double numbers = 0;
  friend bool operator==(const tally&, const tally&) = default;
};

void add(tally& into, const msgpack::object& seen) {
  switch (seen.type) {
    case msgpack::type::STR:
      ++into.texts;
      into.text_bytes += seen.via.str.size;
      break;
    case msgpack::type::POSITIVE_INTEGER:
      into.numbers += static_cast<double>(seen.via.u64);
      break;
    case msgpack::type::FLOAT64:
      into.numbers += seen.via.f64;
      break;
    case msgpack::type::ARRAY:
      for (const auto& child : seen.via.array) add(into, child);
      break;
    case msgpack::type::MAP:
      for (const auto& [key, value] : seen.via.map) {
        add(into, key);
        add(into, value);
      }
      break;
    default:
      break;
  }
}

struct tally_visitor : msgpack::null_visitor {
  tally seen;
  bool visit_str(const char*, std::uint32_t size) {
    ++seen.texts;
    seen.text_bytes += size;
    return true;
  }
  bool visit_positive_integer(std::uint64_t number) {
    seen.numbers += static_cast<double>(number);
    return true;
  }
  bool visit_float64(double number) {
    seen.numbers += number;
    return true;
  }
};

msgpack::object_handle unpacked(const std::string& message) {
  const auto by_reference = [](msgpack::type::object_type, std::size_t, void*) { return true; };
  return msgpack::unpack(message.data(), message.size(), by_reference);
}

tally tally_of(const std::string& message) {
  tally out;
  add(out, unpacked(message).get());
  return out;
}

void msgpack_c_unpack(benchmark::State& state, form shape) {
  const auto events = static_cast<std::size_t>(state.range(0));
  const std::string message = message_of(shape, events);
  msgpack::object_handle last;
  for (auto _ : state) {
    last = unpacked(message);
    benchmark::DoNotOptimize(last);
  }
  tally seen;
  add(seen, last.get());
  if (seen.texts < events * 8) state.SkipWithError("fewer texts than the events have");
  report(state, events, message);
}

void msgpack_c_visitor(benchmark::State& state, form shape) {
  const auto events = static_cast<std::size_t>(state.range(0));
  const std::string message = message_of(shape, events);
  const tally wanted = tally_of(message);
  for (auto _ : state) {
    tally_visitor visitor;
    msgpack::parse(message.data(), message.size(), visitor);
    if (visitor.seen != wanted) return state.SkipWithError("the visitor saw something else");
  }
  report(state, events, message);
}

void cursor(benchmark::State& state, form shape) {
  const auto events = static_cast<std::size_t>(state.range(0));
  const std::string message = message_of(shape, events);
  const event_limits limits;
  event_decoder decoder{limits};
  testing::decoded_message out;
  for (auto _ : state) {
    out.batch.events.clear();
    out.batch.labels.clear();
    out.batch.owners.clear();
    decoder.decode(message, arrived, out.batch, out.refused);
    benchmark::DoNotOptimize(out.batch.events.data());
    benchmark::ClobberMemory();
  }
  const auto wanted = testing::reference_decode(message, limits, arrived);
  if (out.batch.events.size() != events || !testing::difference(out, wanted).empty()) {
    state.SkipWithError("decoded something else than the reference");
  }
  report(state, events, message);
}

BENCHMARK_CAPTURE(msgpack_c_unpack, map, form::map)->Arg(1)->Arg(64);
BENCHMARK_CAPTURE(msgpack_c_visitor, map, form::map)->Arg(1)->Arg(64);
BENCHMARK_CAPTURE(cursor, map, form::map)->Arg(1)->Arg(64);
BENCHMARK_CAPTURE(msgpack_c_unpack, positional, form::positional)->Arg(1)->Arg(64);
BENCHMARK_CAPTURE(msgpack_c_visitor, positional, form::positional)->Arg(1)->Arg(64);
BENCHMARK_CAPTURE(cursor, positional, form::positional)->Arg(1)->Arg(64);
BENCHMARK_CAPTURE(cursor, json, form::json)->Arg(1)->Arg(64);

}  // namespace
}  // namespace tocsin

BENCHMARK_MAIN();
