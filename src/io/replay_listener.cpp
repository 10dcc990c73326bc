// SPDX-License-Identifier: Apache-2.0
// Answers replay requests page by page, each peer at its own pace, without ever waiting for one.
#include "io/replay_listener.hpp"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <deque>
#include <list>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>
#include <zmq.hpp>

#include "io/replay_protocol.hpp"
#include "io/surface_socket.hpp"
#include "io/wake_flag.hpp"

namespace tocsin {

namespace {

using std::chrono::milliseconds;
using steady = std::chrono::steady_clock;

/// Transitions looked at, and messages sent to a peer, before the next peer's turn.
constexpr std::size_t page_max = 1000;
/// Requests read before answers go on.
constexpr int requests_max = 64;
/// Requests of one peer that wait to be read.
constexpr int requests_waiting_max = 16;
/// How soon a peer whose pipe was full is tried again: ZeroMQ does not tell which has room.
constexpr milliseconds retry{10};

/// One peer's answer under way.
struct answer {
  std::string peer;        ///< routing id
  bool delimited = false;  ///< the request had an empty frame before it
  std::string prefix;
  std::uint64_t through = 0;      ///< what the history has been asked for
  std::deque<sent> waiting = {};  ///< messages to send before more are made
  stream_position snapshot = {};  ///< what `active` is of
  /// Of a snapshot, what is not among `waiting` yet: frames are made when it is their turn.
  std::vector<active_alert> active = {};
  std::size_t active_taken = 0;
  bool complete = false;  ///< nothing follows `waiting`
  bool given_up = false;  ///< the peer was too slow: `waiting` says so
  steady::time_point moved = steady::now();

  void add(std::string_view word, std::string map) {
    waiting.push_back(std::make_shared<const sent_message>(
        sent_message{.seq = 0, .topic = std::string{word}, .header = std::move(map), .alert = {}}));
  }
  void end_with(std::string_view word, std::string map) {
    add(word, std::move(map));
    complete = true;
  }
  void refuse(std::string_view code, std::string_view message) {
    waiting.clear();
    drop_active();
    end_with(replay_error, encode_refusal(code, message));
  }
  void give_up(std::string_view why) {
    refuse("slow_reader", why);
    given_up = true;
  }
  /// Moves the next active alerts to `waiting`; false when there are none left.
  bool take_active(std::size_t at_most) {
    for (; at_most > 0 && active_taken < active.size(); --at_most, ++active_taken) {
      const active_alert& next = active[active_taken];
      waiting.push_back(message_of(snapshot, next.seq, *next.last));
    }
    if (active_taken == active.size()) drop_active();
    return !waiting.empty();
  }
  void drop_active() {
    active = {};
    active_taken = 0;
  }
};

enum class step { sent, full, gone };

struct request_frames {
  std::string peer;
  bool delimited = false;
  std::string payload;
  std::size_t payloads = 0;  ///< frames beside routing id and delimiter; 1 is right
};

}  // namespace

struct replay_listener::thread_state {
  explicit thread_state(std::shared_ptr<network_gate> gate)
      : door{surface::replay, zmq::socket_type::router, std::move(gate)} {}

  surface_socket door;
  zmq::socket_t& router = door.socket();
  wake_flag wake;
  std::atomic<bool> stopping{false};
  std::shared_ptr<const stream_history> history;
  replay_limits limits;
  std::list<answer> answers;  ///< oldest first
  std::mutex joining;
  std::thread thread;

  [[nodiscard]] std::optional<error> open(const std::string& at);
  void run();
  void wait(milliseconds at_most);
  bool receive(request_frames& into);
  void take(request_frames request);
  void begin(answer& to, const replay_request& request) const;
  bool make_room(const std::string& peer);
  bool serve();
  step advance(answer& to);
  void continue_from_history(answer& to) const;
  step send(const answer& to, const sent_message& message);
  bool send_frame(std::string_view bytes, zmq::send_flags flags);
};

std::optional<error> replay_listener::thread_state::open(const std::string& at) {
  router.set(zmq::sockopt::linger, 200);
  router.set(zmq::sockopt::sndhwm, limits.waiting_max);
  router.set(zmq::sockopt::rcvhwm, requests_waiting_max);
  // Without it ROUTER drops what a full pipe cannot take and answers would have holes; with it,
  // and never waiting, a full pipe and a vanished peer are told apart.
  router.set(zmq::sockopt::router_mandatory, true);
  return door.bind(at, replay_request_bytes_max + curve_frame_overhead);
}

void replay_listener::thread_state::run() {
  ::pthread_setname_np(::pthread_self(), "replay_listener");
  while (!stopping) {
    const bool more = serve();
    wait(more ? milliseconds{0} : answers.empty() ? milliseconds{-1} : retry);
    request_frames request;
    for (int count = 0; count < requests_max && receive(request); ++count) {
      take(std::exchange(request, {}));
    }
  }
}

void replay_listener::thread_state::wait(milliseconds at_most) {
  std::array<zmq::pollitem_t, 2> items{
      {{nullptr, wake.descriptor(), ZMQ_POLLIN, 0}, {router.handle(), 0, ZMQ_POLLIN, 0}}};
  try {
    zmq::poll(items.data(), items.size(), at_most);
  } catch (const zmq::error_t& failure) {
    if (failure.num() != EINTR) throw;
    return;
  }
  if ((items[0].revents & ZMQ_POLLIN) != 0) wake.lower();
}

/// One request's frames; false when none can be read now.
bool replay_listener::thread_state::receive(request_frames& into) {
  zmq::message_t frame;
  try {
    if (!router.recv(frame, zmq::recv_flags::dontwait)) return false;
    into.peer = frame.to_string();
    door.saw(frame);
    while (frame.more()) {
      // The first frame is there, and ZeroMQ gives the others with it.
      if (!router.recv(frame, zmq::recv_flags::dontwait)) break;
      if (into.payloads == 0 && !into.delimited && frame.size() == 0 && frame.more()) {
        into.delimited = true;
        continue;
      }
      if (into.payloads++ == 0) into.payload = frame.to_string();
    }
  } catch (const zmq::error_t& failure) {
    if (failure.num() != EINTR) throw;
    return false;
  }
  return true;
}

void replay_listener::thread_state::take(request_frames request) {
  answer made{.peer = std::move(request.peer), .delimited = request.delimited, .prefix = {}};
  if (!make_room(made.peer)) {
    made.refuse("busy", fmt::format("{} answers are under way, {} at most to one peer: ask again "
                                    "when one has ended",
                                    answers.size(), limits.answers_of_a_peer_max));
    // Not kept: it would need the room there is not.
    (void)send(made, *made.waiting.front());
    return;
  }
  if (request.payloads != 1) {
    made.refuse("malformed",
                fmt::format("replay request: {} frames, wanted one msgpack map", request.payloads));
  } else if (const auto wanted = decode_replay_request(request.payload); !wanted) {
    made.refuse(wanted.failure().code, wanted.failure().message);
  } else {
    begin(made, *wanted);
  }
  answers.push_back(std::move(made));
}

void replay_listener::thread_state::begin(answer& to, const replay_request& request) const {
  auto entry = history->enter(request.since, request.prefix, request.epoch);
  to.prefix = request.prefix;
  to.through = entry.through;
  if (!entry.snapshot) return;
  to.add(replay_snapshot, encode_position(entry.at));
  to.snapshot = std::move(entry.at);
  to.active = std::move(entry.active);
}

/// Whether one more answer to this peer may begin; an answer that was given up yields its place.
bool replay_listener::thread_state::make_room(const std::string& peer) {
  const auto of_peer = std::count_if(answers.begin(), answers.end(),
                                     [&](const answer& each) { return each.peer == peer; });
  if (static_cast<std::size_t>(of_peer) >= limits.answers_of_a_peer_max) return false;
  if (answers.size() < limits.answers_max) return true;
  const auto given_up = std::find_if(answers.begin(), answers.end(),
                                     [](const answer& each) { return each.given_up; });
  if (given_up == answers.end()) return false;
  answers.erase(given_up);
  return true;
}

/// Gives each peer a part of its oldest answer. True when one can go on at once.
bool replay_listener::thread_state::serve() {
  bool more = false;
  std::set<std::string> served;
  for (auto each = answers.begin(); each != answers.end();) {
    if (!served.insert(each->peer).second) {
      ++each;
      continue;
    }
    const step last = advance(*each);
    const bool over = last == step::gone || (each->complete && each->waiting.empty());
    more = more || over || last == step::sent;
    each = over ? answers.erase(each) : std::next(each);
  }
  return more;
}

step replay_listener::thread_state::advance(answer& to) {
  for (std::size_t count = 0; count < page_max; ++count) {
    if (to.waiting.empty() && !to.complete) continue_from_history(to);
    if (to.waiting.empty()) return step::sent;  // the page held nothing for this peer
    const step done = send(to, *to.waiting.front());
    if (done == step::gone) return done;
    if (done == step::full) {
      if (!to.given_up && steady::now() - to.moved > limits.patience) {
        to.give_up(fmt::format("nothing was read for {}: ask again from the last seq that came",
                               format_duration(limits.patience)));
      }
      return done;
    }
    to.waiting.pop_front();
    to.moved = steady::now();
  }
  return step::sent;
}

void replay_listener::thread_state::continue_from_history(answer& to) const {
  if (to.take_active(page_max)) return;
  auto page = history->after(to.through, to.prefix, page_max);
  if (page.lost) {
    return to.give_up(
        fmt::format("what followed seq {} was forgotten before it was read: ask again from the "
                    "last seq that came",
                    to.through));
  }
  to.through = page.through;
  to.waiting.assign(page.messages.begin(), page.messages.end());
  if (page.through == page.at.seq) to.end_with(replay_end, encode_position(page.at));
}

/// One whole message, or nothing of it: ZeroMQ looks for room at the first frame only.
step replay_listener::thread_state::send(const answer& to, const sent_message& message) {
  try {
    if (!send_frame(to.peer, zmq::send_flags::sndmore)) return step::full;
  } catch (const zmq::error_t& failure) {
    if (failure.num() != EHOSTUNREACH) throw;
    return step::gone;
  }
  if (to.delimited) send_frame("", zmq::send_flags::sndmore);
  send_frame(message.topic, zmq::send_flags::sndmore);
  const bool two_frames = message.alert.empty();
  send_frame(message.header, two_frames ? zmq::send_flags::none : zmq::send_flags::sndmore);
  if (!two_frames) send_frame(message.alert, zmq::send_flags::none);
  return step::sent;
}

bool replay_listener::thread_state::send_frame(std::string_view bytes, zmq::send_flags flags) {
  for (;;) {
    try {
      return router.send(zmq::buffer(bytes), flags | zmq::send_flags::dontwait).has_value();
    } catch (const zmq::error_t& failure) {
      if (failure.num() != EINTR) throw;
    }
  }
}

replay_listener::replay_listener(std::unique_ptr<thread_state> started)
    : state_(std::move(started)) {}
replay_listener::~replay_listener() {
  stop();
}

result<std::unique_ptr<replay_listener>> replay_listener::start(
    const std::string& endpoint, std::shared_ptr<const stream_history> history,
    replay_limits limits, std::shared_ptr<network_gate> gate) {
  auto started = std::make_unique<thread_state>(std::move(gate));
  started->history = std::move(history);
  started->limits = limits;
  if (const auto failure = started->open(endpoint)) {
    return error{failure->code, "cannot listen for replay requests on " + failure->message};
  }
  started->thread = std::thread{[state = started.get()] { state->run(); }};
  return std::unique_ptr<replay_listener>{new replay_listener{std::move(started)}};
}

void replay_listener::stop() {
  state_->stopping = true;
  state_->wake.raise();
  const std::lock_guard one_at_a_time{state_->joining};
  if (state_->thread.joinable()) state_->thread.join();
}

const std::string& replay_listener::endpoint() const noexcept {
  return state_->door.endpoint();
}

}  // namespace tocsin
