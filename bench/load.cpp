// SPDX-License-Identifier: Apache-2.0
// Load for the comparison with the hand-written loop: sends events, waits for alerts, prints what
// it measured as JSON.
//
// usage: load throughput PUSH SUB EVENTS BATCH map|positional THRESHOLD
//          EVENTS over 10,000 keys in turn; then THRESHOLD events of a last key, whose alert ends
//          the measurement.
//        load latency PUSH SUB SECONDS EVENTS_A_SECOND
//          single events in even steps; each tenth belongs to a probe that fires at its third
//          event. Prints the microseconds from sending the third event to receiving the alert.
//        load flood PUSH SECONDS
//          batches of 64 over 10,000 keys as fast as they are taken.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <unordered_map>
#include <vector>

#include <msgpack.hpp>
#include <zmq.hpp>

namespace {

using steady = std::chrono::steady_clock;

std::int64_t wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

double micros_since(steady::time_point from) {
  return std::chrono::duration<double, std::micro>(steady::now() - from).count();
}

/// An event of about 320 bytes as a map, as an agent would send it; `time` is an 8-byte integer.
void pack_event(msgpack::packer<msgpack::sbuffer>& to, bool positional, const std::string& resource,
                std::uint64_t number, double value) {
  char id[40];
  std::snprintf(id, sizeof id, "6f1c2b1a-77aa-4c1e-9b3e-%012llx",
                static_cast<unsigned long long>(number));
  const auto text = [&](const char* key, const std::string& words) {
    if (!positional) to.pack(key);
    to.pack(words);
  };
  positional ? to.pack_array(11) : to.pack_map(11);
  text("event_id", id);
  text("source_id", "agent/web-frontend");
  if (!positional) to.pack("time");
  to.pack_fix_int64(wall_ms());
  text("resource_id", resource);
  text("resource_type", "web-server");
  text("resource_name", resource);
  text("item", "http_status");
  if (!positional) to.pack("level");
  to.pack(1);
  if (!positional) to.pack("value");
  to.pack(value);
  text("title", "GET /api/v1/orders answered with a server error");
  text("description", "upstream connect error or disconnect before headers");
}

std::string encode(bool positional, std::size_t batch, const std::vector<std::string>& resources,
                   std::uint64_t& number, double value) {
  msgpack::sbuffer bytes;
  msgpack::packer<msgpack::sbuffer> to{bytes};
  if (batch > 1 || positional) to.pack_array(static_cast<std::uint32_t>(batch));
  for (std::size_t i = 0; i < batch; ++i, ++number)
    pack_event(to, positional, resources[number % resources.size()], number, value);
  return {bytes.data(), bytes.size()};
}

struct sockets {
  sockets(const char* push_to, const char* subscribe_to) {
    push.set(zmq::sockopt::sndhwm, 1000);
    push.connect(push_to);
    sub.set(zmq::sockopt::rcvhwm, 0);
    sub.connect(subscribe_to);
    sub.set(zmq::sockopt::subscribe, "alert.");
  }
  zmq::context_t context{1};
  zmq::socket_t push{context, zmq::socket_type::push};
  zmq::socket_t sub{context, zmq::socket_type::sub};
};

/// All frames of the next alert in one string; empty when none came in time.
std::string receive(zmq::socket_t& sub, int timeout_ms) {
  zmq::pollitem_t item{sub, 0, ZMQ_POLLIN, 0};
  if (zmq::poll(&item, 1, std::chrono::milliseconds{timeout_ms}) == 0) return {};
  std::string all;
  zmq::message_t frame;
  do {
    (void)sub.recv(frame);
    all.append(static_cast<const char*>(frame.data()), frame.size());
  } while (frame.more());
  return all;
}

/// Sends probes until the first alert comes back: both connections and the subscription then stand.
bool warm_up(sockets& with, bool positional, std::uint64_t threshold) {
  for (int round = 0; round < 100; ++round) {
    std::uint64_t number = 0;
    const std::string warm = encode(positional, static_cast<std::size_t>(threshold) + 1,
                                    {"warm-up-" + std::to_string(round)}, number, 500);
    with.push.send(zmq::buffer(warm), zmq::send_flags::none);
    if (!receive(with.sub, 200).empty()) {
      while (!receive(with.sub, 100).empty()) {
      }
      return true;
    }
  }
  std::fprintf(stderr, "load: no alert came back in 20 s\n");
  return false;
}

int throughput(int count, char** words) {
  if (count < 8) return 2;
  const std::uint64_t events = std::strtoull(words[4], nullptr, 10);
  const std::size_t batch = std::strtoull(words[5], nullptr, 10);
  const bool positional = std::string_view{words[6]} == "positional";
  const std::uint64_t threshold = std::strtoull(words[7], nullptr, 10);
  std::vector<std::string> resources;
  for (int i = 0; i < 10'000; ++i) resources.push_back("web-" + std::to_string(100'000 + i));
  // Encoded ahead, so that the sender is not what is measured.
  std::vector<std::string> messages;
  std::uint64_t number = 0;
  while (number < std::min<std::uint64_t>(events, 640'000))
    messages.push_back(encode(positional, batch, resources, number, 500));
  std::uint64_t last_number = 0;
  const std::string last =
      encode(positional, static_cast<std::size_t>(threshold), {"the-last"}, last_number, 500);

  sockets with{words[2], words[3]};
  if (!warm_up(with, positional, threshold)) return 1;
  const auto begin = steady::now();
  std::uint64_t sent = 0;
  for (std::size_t i = 0; sent < events; ++i, sent += batch)
    with.push.send(zmq::buffer(messages[i % messages.size()]), zmq::send_flags::none);
  with.push.send(zmq::buffer(last), zmq::send_flags::none);
  for (;;) {
    const std::string alert = receive(with.sub, 60'000);
    if (alert.empty()) {
      std::fprintf(stderr, "load: the last alert did not come within 60 s\n");
      return 1;
    }
    if (alert.find("the-last") != std::string::npos) break;
  }
  const double seconds = micros_since(begin) / 1e6;
  std::printf(
      "{\"events\": %llu, \"seconds\": %.4f, \"events_per_second\": %.0f, \"bytes_per_event\": "
      "%.0f}\n",
      static_cast<unsigned long long>(sent), seconds, static_cast<double>(sent) / seconds,
      static_cast<double>(messages[0].size()) / static_cast<double>(batch));
  return 0;
}

int latency(int count, char** words) {
  if (count < 6) return 2;
  const double seconds = std::strtod(words[4], nullptr);
  const double rate = std::strtod(words[5], nullptr);
  sockets with{words[2], words[3]};
  if (!warm_up(with, false, 3)) return 1;
  const auto total = static_cast<std::uint64_t>(seconds * rate);
  std::unordered_map<std::string, steady::time_point> waiting;
  std::vector<double> micros;
  std::uint64_t probe_events = 0;
  const auto receive_all = [&](int timeout_ms) {
    for (std::string alert = receive(with.sub, timeout_ms); !alert.empty();
         alert = receive(with.sub, 0)) {
      const std::size_t at = alert.find("probe-");
      if (at == std::string::npos) continue;
      const auto probe = waiting.find(alert.substr(at, 14));
      if (probe == waiting.end()) continue;
      micros.push_back(micros_since(probe->second));
      waiting.erase(probe);
    }
  };
  const auto begin = steady::now();
  for (std::uint64_t i = 0; i < total; ++i) {
    const auto due = begin + std::chrono::nanoseconds{
                                 static_cast<std::int64_t>(1e9 * static_cast<double>(i) / rate)};
    // The sender spins between events: a sleep would oversleep and send in lumps.
    while (steady::now() < due) receive_all(0);
    const bool probe = i % 10 == 0;
    const std::string digits = std::to_string(100'000'000 + probe_events / 3).substr(1);
    std::uint64_t number = i;
    const std::string bytes =
        encode(false, 1, {probe ? "probe-" + digits : "web-" + std::to_string(i % 10'000)}, number,
               probe ? 500 : 0.5);
    if (probe && ++probe_events % 3 == 0) waiting["probe-" + digits] = steady::now();
    with.push.send(zmq::buffer(bytes), zmq::send_flags::none);
  }
  const auto end = steady::now();
  while (!waiting.empty() && micros_since(end) < 5e6) receive_all(100);
  if (micros.empty() || !waiting.empty()) {
    std::fprintf(stderr, "load: %zu of %zu alerts did not come\n", waiting.size(),
                 waiting.size() + micros.size());
    return 1;
  }
  std::sort(micros.begin(), micros.end());
  const auto at = [&](double q) {
    return micros[static_cast<std::size_t>(q * static_cast<double>(micros.size() - 1))];
  };
  std::printf(
      "{\"alerts\": %zu, \"p50_us\": %.1f, \"p90_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f}\n",
      micros.size(), at(0.5), at(0.9), at(0.99), micros.back());
  return 0;
}

int flood(int count, char** words) {
  if (count < 4) return 2;
  zmq::context_t context{1};
  zmq::socket_t push{context, zmq::socket_type::push};
  push.set(zmq::sockopt::linger, 0);
  push.set(zmq::sockopt::sndtimeo, 1000);
  push.connect(words[2]);
  std::vector<std::string> resources;
  for (int i = 0; i < 10'000; ++i) resources.push_back("web-" + std::to_string(100'000 + i));
  std::vector<std::string> messages;
  std::uint64_t number = 0;
  while (number < 640'000) messages.push_back(encode(false, 64, resources, number, 500));
  const auto end = steady::now() + std::chrono::seconds{std::strtoll(words[3], nullptr, 10)};
  std::uint64_t sent = 0;
  for (std::size_t i = 0; steady::now() < end; ++i)
    if (push.send(zmq::buffer(messages[i % messages.size()]), zmq::send_flags::none)) sent += 64;
  std::printf("{\"events\": %llu}\n", static_cast<unsigned long long>(sent));
  return 0;
}

}  // namespace

int main(int count, char** words) {
  if (count > 1 && std::string_view{words[1]} == "throughput") return throughput(count, words);
  if (count > 1 && std::string_view{words[1]} == "latency") return latency(count, words);
  if (count > 1 && std::string_view{words[1]} == "flood") return flood(count, words);
  std::fprintf(stderr,
               "usage: load throughput|latency|flood ... (see the head of bench/load.cpp)\n");
  return 2;
}
