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
//        load agents push|acked ENDPOINT SUB EVENTS BATCH AGENTS THRESHOLD
//          AGENTS threads send EVENTS together, every event with an id of its own. Over acked up to
//          32 requests of each are under way, and one that is to be tried again is. Each agent ends
//          with THRESHOLD events of a key of its own; the alerts of all of them end the
//          measurement, and over acked also the last answer.
//        load acks ENDPOINT SECONDS EVENTS_A_SECOND BATCH
//          batches in even steps. Prints the microseconds from sending each first to its answer ok.
//        load flood PUSH SECONDS
//          batches of 64 over 10,000 keys as fast as they are taken.
#include <poll.h>
#include <sys/prctl.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
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

/// A batch encoded ahead, whose events get new ids each time it is sent: the digits at the end of
/// an id are written over.
struct renewable_batch {
  static constexpr std::size_t digits = 12;

  explicit renewable_batch(std::string encoded) : bytes(std::move(encoded)) {
    const std::string begin = "4c1e-9b3e-";
    for (auto at = bytes.find(begin); at != std::string::npos; at = bytes.find(begin, at + 1))
      ids.push_back(at + begin.size());
  }
  const std::string& renewed(std::uint64_t& number) {
    for (const std::size_t at : ids) {
      std::uint64_t rest = number++;
      for (std::size_t i = digits; i > 0; --i, rest >>= 4U)
        bytes[at + i - 1] = "0123456789abcdef"[rest & 15U];
    }
    return bytes;
  }
  std::string bytes;
  std::vector<std::size_t> ids;
};

/// What an answer to a request says; only what the load must know.
enum class verdict { ok, retry, other };

verdict read_verdict(const zmq::message_t& map) {
  const std::string_view text = map.to_string_view();
  // The map begins with "status".
  if (text.substr(0, 32).find("status\xa2ok") != std::string_view::npos) return verdict::ok;
  return text.substr(0, 32).find("retry") != std::string_view::npos ? verdict::retry
                                                                    : verdict::other;
}

/// One agent's connection: over acked a window of requests, over push none.
class agent_connection {
 public:
  agent_connection(zmq::context_t& context, bool acked, const char* endpoint)
      : acked_(acked), socket_(context, acked ? zmq::socket_type::dealer : zmq::socket_type::push) {
    socket_.set(zmq::sockopt::sndhwm, 1000);
    socket_.connect(endpoint);
  }
  void send(const std::string& message) {
    if (!acked_) {
      socket_.send(zmq::buffer(message), zmq::send_flags::none);
      return;
    }
    while (waiting_.size() >= window) take_answer();
    const std::uint64_t id = next_++;
    send_request(id, waiting_.emplace(id, message).first->second);
  }
  void finish() {
    while (!waiting_.empty()) take_answer();
  }
  [[nodiscard]] std::uint64_t retries() const { return retries_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }

 private:
  static constexpr std::size_t window = 32;  // as tocsin send has it

  /// What is kept and what is sent share their bytes.
  void send_request(std::uint64_t id, zmq::message_t& kept) {
    zmq::message_t message;
    message.copy(kept);
    socket_.send(zmq::buffer(&id, sizeof id), zmq::send_flags::sndmore);
    socket_.send(message, zmq::send_flags::none);
  }
  void take_answer() {
    zmq::message_t id_frame, map;
    (void)socket_.recv(id_frame);
    (void)socket_.recv(map);
    std::uint64_t id = 0;
    std::memcpy(&id, id_frame.data(), std::min(sizeof id, id_frame.size()));
    const verdict said = read_verdict(map);
    if (said == verdict::retry) {
      ++retries_;
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
      send_request(id, waiting_.at(id));
      return;
    }
    if (said == verdict::other) ++refused_;
    waiting_.erase(id);
  }

  bool acked_;
  zmq::socket_t socket_;
  std::map<std::uint64_t, zmq::message_t> waiting_;
  std::uint64_t next_ = 1;
  std::uint64_t retries_ = 0;
  std::uint64_t refused_ = 0;
};

int agents(int count, char** words) {
  if (count < 9) return 2;
  const bool acked = std::string_view{words[2]} == "acked";
  const std::uint64_t events = std::strtoull(words[5], nullptr, 10);
  const std::size_t batch = std::strtoull(words[6], nullptr, 10);
  const std::uint64_t threads = std::strtoull(words[7], nullptr, 10);
  const std::size_t threshold = std::strtoull(words[8], nullptr, 10);
  std::vector<std::string> resources;
  for (int i = 0; i < 10'000; ++i) resources.push_back("web-" + std::to_string(100'000 + i));
  zmq::context_t context{2};
  zmq::socket_t sub{context, zmq::socket_type::sub};
  sub.set(zmq::sockopt::rcvhwm, 0);
  sub.connect(words[4]);
  sub.set(zmq::sockopt::subscribe, "alert.");
  // The first alert comes back: the subscription stands. Ids of the warm-up are below all others.
  agent_connection warm{context, acked, words[3]};
  std::uint64_t number = 0;
  for (int round = 0; receive(sub, 200).empty(); ++round) {
    if (round == 100) {
      std::fprintf(stderr, "load: no alert came back in 20 s\n");
      return 1;
    }
    warm.send(encode(false, threshold, {"warm-up-" + std::to_string(round)}, number, 500));
    warm.finish();
  }
  while (!receive(sub, 100).empty()) {
  }
  constexpr std::size_t encoded_ahead = 256;
  std::vector<std::vector<renewable_batch>> batches(threads);
  for (auto& of_agent : batches)
    for (std::size_t i = 0; i < encoded_ahead; ++i)
      of_agent.emplace_back(encode(false, batch, resources, number, 500));
  std::atomic<std::uint64_t> sent{0}, retries{0}, refused{0};
  const auto send_all = [&](std::uint64_t agent) {
    agent_connection to{context, acked, words[3]};
    std::uint64_t id = (agent + 1) << 32U;
    const std::uint64_t own = events / threads;
    std::uint64_t done = 0;
    for (std::size_t i = 0; done < own; ++i, done += batch)
      to.send(batches[agent][i % encoded_ahead].renewed(id));
    renewable_batch last{
        encode(false, threshold, {"the-last-" + std::to_string(agent)}, number, 500)};
    to.finish();
    to.send(last.renewed(id));
    to.finish();
    sent += done;
    retries += to.retries();
    refused += to.refused();
  };
  const auto begin = steady::now();
  std::vector<std::thread> running;
  for (std::uint64_t i = 0; i < threads; ++i) running.emplace_back(send_all, i);
  std::uint64_t seen = 0;
  while (seen < threads) {
    const std::string alert = receive(sub, 60'000);
    if (alert.empty()) {
      std::fprintf(stderr, "load: %llu of %llu last alerts did not come within 60 s\n",
                   static_cast<unsigned long long>(threads - seen),
                   static_cast<unsigned long long>(threads));
      std::exit(1);
    }
    if (alert.find("the-last-") != std::string::npos) ++seen;
  }
  for (auto& each : running) each.join();
  const double seconds = micros_since(begin) / 1e6;
  if (refused > 0) {
    std::fprintf(stderr, "load: %llu requests were neither ok nor to be tried again\n",
                 static_cast<unsigned long long>(refused.load()));
    return 1;
  }
  std::printf(
      "{\"events\": %llu, \"seconds\": %.4f, \"events_per_second\": %.0f, \"retries\": %llu}\n",
      static_cast<unsigned long long>(sent.load()), seconds,
      static_cast<double>(sent.load()) / seconds, static_cast<unsigned long long>(retries.load()));
  return 0;
}

/// Sleeps until there may be something to receive, or that long: a sender that spins would take one
/// of the daemon's cores. Precondition: recv found nothing.
void wait_for_answer(zmq::socket_t& from, std::chrono::nanoseconds most) {
  pollfd readable{from.get(zmq::sockopt::fd), POLLIN, 0};
  const timespec until{most.count() / 1'000'000'000, most.count() % 1'000'000'000};
  (void)::ppoll(&readable, 1, &until, nullptr);
}

int acks(int count, char** words) {
  if (count < 6) return 2;
  // The default would round up each sleep by 50 us, which is half of what is between two requests.
  (void)::prctl(PR_SET_TIMERSLACK, 1'000UL);
  const double seconds = std::strtod(words[3], nullptr);
  const double rate = std::strtod(words[4], nullptr);
  const std::size_t batch = std::strtoull(words[5], nullptr, 10);
  zmq::context_t context{1};
  zmq::socket_t dealer{context, zmq::socket_type::dealer};
  dealer.set(zmq::sockopt::linger, 0);
  dealer.connect(words[2]);
  std::vector<std::string> resources;
  for (int i = 0; i < 10'000; ++i) resources.push_back("web-" + std::to_string(100'000 + i));
  const auto total = static_cast<std::uint64_t>(seconds * rate / static_cast<double>(batch));
  std::vector<steady::time_point> sent(total);
  std::vector<std::string> messages(total);
  // Requests that are to be tried again, by when: their time goes on.
  std::deque<std::pair<steady::time_point, std::uint64_t>> later;
  constexpr auto retry_after = std::chrono::milliseconds{10};
  const auto send = [&](std::uint64_t id) {
    dealer.send(zmq::buffer(&id, sizeof id), zmq::send_flags::sndmore);
    dealer.send(zmq::buffer(messages[id]), zmq::send_flags::none);
  };
  std::vector<double> micros;
  std::uint64_t retries = 0;
  std::uint64_t refused = 0;
  // Ids of an earlier run would be duplicates.
  constexpr std::uint64_t run_bits = 28;
  constexpr std::uint64_t events_bits = 20;
  std::uint64_t number =
      (static_cast<std::uint64_t>(wall_ms()) & ((std::uint64_t{1} << run_bits) - 1)) << events_bits;
  const auto take_answers = [&] {
    for (; !later.empty() && later.front().first <= steady::now(); later.pop_front())
      send(later.front().second);
    zmq::message_t id_frame, map;
    while (dealer.recv(id_frame, zmq::recv_flags::dontwait)) {
      (void)dealer.recv(map);
      std::uint64_t id = 0;
      std::memcpy(&id, id_frame.data(), std::min(sizeof id, id_frame.size()));
      const verdict said = read_verdict(map);
      if (said == verdict::retry) {
        ++retries;
        later.emplace_back(steady::now() + retry_after, id);
      }
      refused += said == verdict::other ? 1 : 0;
      if (said == verdict::ok && id < total) micros.push_back(micros_since(sent[id]));
    }
  };
  const auto begin = steady::now();
  for (std::uint64_t i = 0; i < total; ++i) {
    const auto step = 1e9 * static_cast<double>(batch) / rate;
    const auto due =
        begin + std::chrono::nanoseconds{static_cast<std::int64_t>(step * static_cast<double>(i))};
    messages[i] = encode(false, batch, resources, number, 0.5);
    // Also when it is late, for a daemon drops the replies of those who do not read them.
    take_answers();
    for (auto now = steady::now(); now < due; now = steady::now()) {
      wait_for_answer(dealer, due - now);
      take_answers();
    }
    sent[i] = steady::now();
    send(i);
  }
  const auto end = steady::now();
  while (micros.size() + refused < total && micros_since(end) < 10e6) {
    wait_for_answer(dealer, std::chrono::milliseconds{1});
    take_answers();
  }
  if (micros.size() < total || micros.empty()) {
    std::fprintf(stderr, "load: of %llu requests %zu were answered ok, %llu rejected\n",
                 static_cast<unsigned long long>(total), micros.size(),
                 static_cast<unsigned long long>(refused));
    return 1;
  }
  std::sort(micros.begin(), micros.end());
  const auto at = [&](double q) {
    return micros[static_cast<std::size_t>(q * static_cast<double>(micros.size() - 1))];
  };
  std::printf(
      "{\"requests\": %zu, \"retries\": %llu, \"p50_us\": %.1f, \"p90_us\": %.1f, \"p99_us\": "
      "%.1f, \"max_us\": %.1f}\n",
      micros.size(), static_cast<unsigned long long>(retries), at(0.5), at(0.9), at(0.99),
      micros.back());
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
  if (count > 1 && std::string_view{words[1]} == "agents") return agents(count, words);
  if (count > 1 && std::string_view{words[1]} == "acks") return acks(count, words);
  if (count > 1 && std::string_view{words[1]} == "flood") return flood(count, words);
  std::fprintf(
      stderr,
      "usage: load throughput|latency|agents|acks|flood ... (see the head of bench/load.cpp)\n");
  return 2;
}
