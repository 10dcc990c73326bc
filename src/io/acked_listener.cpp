// SPDX-License-Identifier: Apache-2.0
// Reads requests, has them taken, and sends each one's reply when its answer is known.
#include "io/acked_listener.hpp"

#include <fmt/format.h>
#include <pthread.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>
#include <zmq.hpp>

#include "io/acked_reply.hpp"
#include "io/network_options.hpp"
#include "io/socket_wait.hpp"
#include "io/surface_socket.hpp"
#include "io/wake_flag.hpp"

namespace tocsin {

namespace {

using std::chrono::milliseconds;
using steady = std::chrono::steady_clock;

/// Requests read before replies are sent.
constexpr int requests_max = 64;
/// While so many bursts have no answer yet, what comes is gathered for one that is larger: it would
/// not be answered before the sync that theirs wait for.
constexpr std::size_t bursts_max = 4;
/// While so many have none, nothing more is read.
constexpr std::size_t bursts_busy = 8;
/// When stopping: how long replies may take to leave.
constexpr int linger_ms = 1000;
/// Frames of one message that are kept; a request has at most four.
constexpr std::size_t frames_max = 5;

/// What became of a request that was taken; no outcome: nobody will say.
struct finished {
  std::uint64_t request = 0;
  std::optional<burst_outcome> outcome;
};

/// Where answers come in, from any thread; outlives the listener as long as one may come.
class answer_box {
 public:
  void put(finished made) {
    bool first = false;
    {
      const std::lock_guard lock{mutex_};
      first = made_.empty();
      made_.push_back(std::move(made));
    }
    if (first) wake.raise();
  }
  [[nodiscard]] std::vector<finished> take() {
    const std::lock_guard lock{mutex_};
    return std::exchange(made_, {});
  }

  wake_flag wake;  ///< also raised for stop

 private:
  std::mutex mutex_;
  std::vector<finished> made_;  ///< guarded by mutex_
};

/// The right to answer each request of a burst once. Gone with the burst, also when nobody
/// answered.
class answer_ticket {
 public:
  answer_ticket(std::shared_ptr<answer_box> to, std::vector<std::uint64_t> requests)
      : to_(std::move(to)), requests_(std::move(requests)), used_(requests_.size()) {}
  answer_ticket(const answer_ticket&) = delete;
  answer_ticket& operator=(const answer_ticket&) = delete;
  ~answer_ticket() {
    for (std::size_t i = 0; i < requests_.size(); ++i) {
      if (!used_[i]) to_->put({requests_[i], std::nullopt});
    }
  }
  void answer(const burst_outcome& outcome) {
    if (!used_.at(outcome.message).exchange(true)) to_->put({requests_[outcome.message], outcome});
  }
  /// Nobody has taken the burst, and nobody will answer.
  void give_back() {
    for (auto& each : used_) each = true;
  }

 private:
  std::shared_ptr<answer_box> to_;
  std::vector<std::uint64_t> requests_;  ///< by message
  std::vector<std::atomic<bool>> used_;
};

/// How to answer a request: the frames before its payload, the first of which is the routing id.
struct envelope {
  std::string peer;
  bool delimited = false;         ///< a REQ's empty frame was before the id
  std::optional<std::string> id;  ///< none: a REQ's request that consists of its payload
};

struct waiting_request {
  envelope to;
  std::size_t bytes = 0;
  std::uint64_t burst = 0;  ///< 0: in none yet
};

/// The frames of one message, at most frames_max of them.
std::vector<zmq::message_t> read_message(zmq::socket_t& from) {
  std::vector<zmq::message_t> frames;
  for (;;) {
    zmq::message_t frame;
    try {
      // The first frame is there or not; ZeroMQ gives the others with it.
      if (!from.recv(frame, zmq::recv_flags::dontwait)) return frames;
    } catch (const zmq::error_t& failure) {
      if (failure.num() != EINTR) throw;
      continue;
    }
    const bool more = frame.more();
    if (frames.size() < frames_max) frames.push_back(std::move(frame));
    if (!more) return frames;
  }
}

burst_outcome bad_request(std::string message) {
  burst_outcome refused;
  refused.rejected.push_back({0, "bad_request", std::move(message)});
  return refused;
}

/// The envelope of a message, and what is wrong with it, if anything is. Of one frame that is not a
/// REQ's, the payload is what is missing.
std::pair<envelope, std::optional<std::string>> read_envelope(
    const std::vector<zmq::message_t>& frames) {
  envelope read;
  read.peer = frames[0].to_string();
  read.delimited = frames.size() > 2 && frames[1].size() == 0;
  const std::size_t first = read.delimited ? 2 : 1;
  const std::size_t own = frames.size() - first;
  if (own > 1 || (own == 1 && !read.delimited)) read.id = frames[first].to_string();
  std::optional<std::string> wrong;
  if (own != 2 && !(own == 1 && read.delimited)) {
    wrong = fmt::format("request: seen {} frames, wanted 2: an id and a message of events", own);
  } else if (read.id && read.id->size() > acked_id_bytes_max) {
    wrong = fmt::format("request id: seen {} bytes, wanted at most {}", read.id->size(),
                        acked_id_bytes_max);
  }
  if (read.id && read.id->size() > acked_id_bytes_max) read.id->clear();
  return {std::move(read), std::move(wrong)};
}

}  // namespace

struct acked_listener::thread_state {
  explicit thread_state(std::shared_ptr<network_gate> gate)
      : door{std::make_unique<surface_socket>(surface::acked, zmq::socket_type::router,
                                              std::move(gate))} {}

  std::unique_ptr<surface_socket> door;  ///< null once the thread has ended
  std::shared_ptr<answer_box> box = std::make_shared<answer_box>();
  std::atomic<bool> stopping{false};
  std::atomic<std::uint64_t> requests{0}, ok{0}, retry{0}, rejected{0}, undelivered{0};
  acked_limits limits;
  receiver take;
  std::string endpoint;
  // Without an answer yet. Only touched by the thread.
  std::unordered_map<std::uint64_t, waiting_request> waiting;
  std::unordered_map<std::string, std::size_t> waiting_by_peer;
  std::size_t waiting_bytes = 0;
  std::uint64_t next_request = 1;
  /// Bursts that were taken, and how many requests of each have no answer yet.
  std::unordered_map<std::uint64_t, std::size_t> bursts;
  std::uint64_t next_burst = 1;
  /// Requests that become one burst.
  std::vector<std::uint64_t> gathered;
  std::shared_ptr<message_store> payloads = std::make_shared<message_store>();
  std::size_t gathered_bytes = 0;
  std::mutex joining;
  std::thread thread;

  [[nodiscard]] std::optional<error> open(const std::string& at);
  void run();
  void wait();
  void go_on();
  void finish();
  void handle(std::vector<zmq::message_t> frames);
  [[nodiscard]] bool has_room(const std::string& peer, std::size_t bytes) const;
  void begin(const envelope& from, zmq::message_t payload);
  void hand_over();
  void put_off(const envelope& to);
  waiting_request end(std::uint64_t request);
  void send_replies();
  void reply(const envelope& to, const burst_outcome& outcome);
  [[nodiscard]] bool send_frame(std::string_view bytes, bool more);
};

std::optional<error> acked_listener::thread_state::open(const std::string& at) {
  zmq::socket_t& router = door->socket();
  router.set(zmq::sockopt::linger, linger_ms);
  router.set(zmq::sockopt::rcvhwm, messages_waiting(limits.message_bytes));
  router.set(zmq::sockopt::sndhwm, limits.replies_waiting);
  // What cannot be delivered is then told, and told apart from what can.
  router.set(zmq::sockopt::router_mandatory, true);
  auto failure = door->bind(at, 2 * limits.message_bytes);
  endpoint = door->endpoint();
  return failure;
}

void acked_listener::thread_state::run() {
  ::pthread_setname_np(::pthread_self(), "acked_listener");
  while (!stopping) {
    wait();
    for (int count = 0; count < requests_max && !stopping; ++count) {
      auto frames = read_message(door->socket());
      if (frames.empty()) break;
      handle(std::move(frames));
    }
    go_on();
  }
  finish();
}

/// Waits for requests or answers. While many bursts have no answer, for these alone: whoever sends
/// waits meanwhile, and each request by itself would cost as much as all of them together.
void acked_listener::thread_state::wait() {
  if (bursts.size() < bursts_busy) {
    (void)wait_readable(door->socket(), box->wake, std::nullopt);
  } else {
    wait_woken(box->wake, std::nullopt);
  }
}

/// Answers make room for what was gathered meanwhile.
void acked_listener::thread_state::go_on() {
  send_replies();
  if (bursts.size() < bursts_max) hand_over();
}

/// Answers what is under way, and what was gathered.
void acked_listener::thread_state::finish() {
  const auto until = steady::now() + limits.stop_patience;
  go_on();
  while (!waiting.empty()) {
    const auto left = std::chrono::ceil<milliseconds>(until - steady::now());
    if (left.count() <= 0) break;
    wait_woken(box->wake, left);
    go_on();
  }
  door.reset();
}

void acked_listener::thread_state::handle(std::vector<zmq::message_t> frames) {
  ++requests;
  door->saw(frames.back());
  const auto [from, wrong] = read_envelope(frames);
  if (wrong) return reply(from, bad_request(*wrong));
  if (!has_room(from.peer, frames.back().size())) return put_off(from);
  begin(from, std::move(frames.back()));
  if (gathered_bytes >= burst_bytes_max) hand_over();
}

void acked_listener::thread_state::put_off(const envelope& to) {
  burst_outcome later;
  later.retry = true;
  later.retry_after = limits.retry_after;
  reply(to, later);
}

bool acked_listener::thread_state::has_room(const std::string& peer, std::size_t bytes) const {
  // So much would have been handed over if it had been taken.
  if (waiting.size() >= limits.requests || gathered_bytes >= burst_bytes_max) return false;
  // One message is let in however large it is: its own bound is another one.
  if (!waiting.empty() && waiting_bytes + bytes > limits.bytes) return false;
  const auto of_peer = waiting_by_peer.find(peer);
  return of_peer == waiting_by_peer.end() || of_peer->second < limits.requests_per_peer;
}

void acked_listener::thread_state::begin(const envelope& from, zmq::message_t payload) {
  const std::size_t bytes = payload.size();
  gathered.push_back(next_request);
  gathered_bytes += bytes;
  payloads->push_back(std::move(payload));
  waiting.emplace(next_request++, waiting_request{from, bytes});
  ++waiting_by_peer[from.peer];
  waiting_bytes += bytes;
}

/// What was gathered is one burst: it costs the pipeline not much more than one request. When there
/// is no room for it now, there may be with the next answer; with none to come it is put off.
void acked_listener::thread_state::hand_over() {
  if (gathered.empty()) return;
  const auto ticket = std::make_shared<answer_ticket>(box, gathered);
  burst together;
  for (const zmq::message_t& each : *payloads) together.messages.push_back(each.to_string_view());
  together.owner = payloads;
  together.answer = [ticket](const burst_outcome& outcome) { ticket->answer(outcome); };
  const bool taken = take(together);
  if (!taken) {
    ticket->give_back();
    if (!bursts.empty()) return;
    for (const std::uint64_t request : gathered) put_off(end(request).to);
  } else {
    for (const std::uint64_t request : gathered) waiting.at(request).burst = next_burst;
    bursts.emplace(next_burst++, gathered.size());
  }
  payloads = std::make_shared<message_store>();
  gathered.clear();
  gathered_bytes = 0;
}

waiting_request acked_listener::thread_state::end(std::uint64_t request) {
  const auto found = waiting.find(request);
  // A request that was refused is gone already when its ticket goes.
  if (found == waiting.end()) return {};
  waiting_request ended = std::move(found->second);
  waiting.erase(found);
  waiting_bytes -= ended.bytes;
  const auto of_peer = waiting_by_peer.find(ended.to.peer);
  if (--of_peer->second == 0) waiting_by_peer.erase(of_peer);
  const auto of_burst = bursts.find(ended.burst);
  if (of_burst != bursts.end() && --of_burst->second == 0) bursts.erase(of_burst);
  return ended;
}

void acked_listener::thread_state::send_replies() {
  for (const finished& each : box->take()) {
    const waiting_request ended = end(each.request);
    if (each.outcome) reply(ended.to, *each.outcome);
  }
}

/// A peer that has gone, or whose replies pile up unread, is sent nothing: whole messages.
void acked_listener::thread_state::reply(const envelope& to, const burst_outcome& outcome) {
  switch (status_of(outcome)) {
    case acked_status::ok:
      ++ok;
      break;
    case acked_status::retry:
      ++retry;
      break;
    case acked_status::reject:
      ++rejected;
      break;
  }
  if (!send_frame(to.peer, true)) {
    ++undelivered;
    return;
  }
  if (to.delimited) (void)send_frame("", true);
  if (to.id) (void)send_frame(*to.id, true);
  (void)send_frame(encode_acked_reply(outcome), false);
}

/// False when the peer takes nothing. Only the first frame of a message can meet that.
bool acked_listener::thread_state::send_frame(std::string_view bytes, bool more) {
  const auto flags =
      zmq::send_flags::dontwait | (more ? zmq::send_flags::sndmore : zmq::send_flags::none);
  for (;;) {
    try {
      return door->socket().send(zmq::buffer(bytes), flags).has_value();
    } catch (const zmq::error_t& failure) {
      if (failure.num() == EHOSTUNREACH) return false;
      if (failure.num() != EINTR) throw;
    }
  }
}

acked_listener::acked_listener(std::unique_ptr<thread_state> started)
    : state_(std::move(started)) {}
acked_listener::~acked_listener() {
  stop();
}

result<std::unique_ptr<acked_listener>> acked_listener::start(const std::string& endpoint,
                                                              const acked_limits& limits,
                                                              receiver take,
                                                              std::shared_ptr<network_gate> gate) {
  auto started = std::make_unique<thread_state>(std::move(gate));
  started->take = std::move(take);
  started->limits = limits;
  if (auto failure = started->open(endpoint)) {
    return error{failure->code, "cannot listen for acknowledged events: " + failure->message};
  }
  started->thread = std::thread{[state = started.get()] { state->run(); }};
  return std::unique_ptr<acked_listener>{new acked_listener{std::move(started)}};
}

void acked_listener::stop() {
  state_->stopping = true;
  state_->box->wake.raise();
  const std::lock_guard one_at_a_time{state_->joining};
  if (state_->thread.joinable()) state_->thread.join();
}

acked_counts acked_listener::counts() const noexcept {
  return {state_->requests, state_->ok, state_->retry, state_->rejected, state_->undelivered};
}

const std::string& acked_listener::endpoint() const noexcept {
  return state_->endpoint;
}

}  // namespace tocsin
