// SPDX-License-Identifier: Apache-2.0
// A webhook receiver that costs nearly nothing: answers every POST with 200 and counts what came.
//
//   webhook_sink [PORT]      on 127.0.0.1; without PORT a free one, which is its first line
//
// GET of anything answers "NOTICES GROUPS": POSTs so far, and different groupKeys among them.
// SIGTERM and SIGINT end it; the same two numbers are its last line.
#include <fmt/format.h>
#include <netinet/in.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include <absl/container/flat_hash_set.h>

namespace {

constexpr std::size_t request_bytes_max = 64 << 20;

struct received {
  std::uint64_t notices = 0;
  absl::flat_hash_set<std::uint64_t> groups;
  [[nodiscard]] std::string text() const { return fmt::format("{} {}\n", notices, groups.size()); }
};

/// The value of a header field in `head`, "" when it is not there.
std::string_view field(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos;
       at = head.find("\r\n", at + 2)) {
    const std::string_view line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
    if (line.size() <= name.size() || line[name.size()] != ':') continue;
    if (strncasecmp(line.data(), name.data(), name.size()) != 0) continue;
    const std::string_view value = line.substr(name.size() + 1);
    return value.substr(std::min(value.find_first_not_of(' '), value.size()));
  }
  return "";
}

/// As it stands in the JSON: two keys that differ there differ.
std::string_view group_key_of(std::string_view body) {
  constexpr std::string_view before = "\"groupKey\":\"";
  const std::size_t found = body.find(before);
  if (found == std::string_view::npos) return "";
  const std::size_t begin = found + before.size();
  std::size_t end = begin;
  while (end < body.size() && body[end] != '"') end += body[end] == '\\' ? 2 : 1;
  return body.substr(begin, end - begin);
}

std::string answer(std::string_view status, std::string_view body) {
  return fmt::format("HTTP/1.1 {}\r\nContent-Length: {}\r\n\r\n{}", status, body.size(), body);
}

/// One connection: takes whole requests out of what has come.
class conversation {
 public:
  /// What to answer; nothing: it is no HTTP that this program reads, and ends.
  std::optional<std::string> take(std::string_view piece, received& into) {
    waiting_ += piece;
    std::string answers;
    while (true) {
      const std::size_t head_end = waiting_.find("\r\n\r\n");
      if (head_end == std::string::npos) break;
      const std::string_view head = std::string_view{waiting_}.substr(0, head_end);
      const std::string_view length = field(head, "content-length");
      std::size_t bytes = 0;
      std::from_chars(length.data(), length.data() + length.size(), bytes);
      if (bytes > request_bytes_max || !field(head, "transfer-encoding").empty()) {
        return std::nullopt;
      }
      const std::size_t end = head_end + 4 + bytes;
      if (waiting_.size() < end) {
        if (!field(head, "expect").empty() && waiting_.size() == head_end + 4) {
          answers += "HTTP/1.1 100 Continue\r\n\r\n";
        }
        break;
      }
      answers += answer_to(head, std::string_view{waiting_}.substr(head_end + 4, bytes), into);
      waiting_.erase(0, end);
    }
    if (waiting_.size() > request_bytes_max) return std::nullopt;
    return answers;
  }

 private:
  static std::string answer_to(std::string_view head, std::string_view body, received& into) {
    if (head.starts_with("GET ")) return answer("200 OK", into.text());
    const std::string_view key = group_key_of(body);
    ++into.notices;
    into.groups.insert(XXH3_64bits(key.data(), key.size()));
    return answer("200 OK", "");
  }

  std::string waiting_;
};

int listen_on(std::uint16_t port) {
  const int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const address = reinterpret_cast<sockaddr*>(&at);
  socklen_t size = sizeof at;
  if (bind(made, address, size) != 0 || listen(made, SOMAXCONN) != 0 ||
      getsockname(made, address, &size) != 0) {
    std::perror("webhook_sink");
    std::exit(1);
  }
  fmt::print("{}\n", ntohs(at.sin_port));
  std::fflush(stdout);
  return made;
}

int signals_to_end() {
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGTERM);
  sigaddset(&ending, SIGINT);
  sigprocmask(SIG_BLOCK, &ending, nullptr);
  return signalfd(-1, &ending, SFD_CLOEXEC);
}

/// False: it is over with this connection.
bool serve(int from, conversation& with, received& into) {
  static std::array<char, 256 * 1024> piece;
  const ssize_t got = read(from, piece.data(), piece.size());
  if (got <= 0) return false;
  const auto answers = with.take({piece.data(), static_cast<std::size_t>(got)}, into);
  if (!answers) return false;
  // Answers are so short that a socket without room for them has nobody who reads.
  return send(from, answers->data(), answers->size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(answers->size());
}

void watch(int poll, int socket) {
  epoll_event wanted{};
  wanted.events = EPOLLIN;
  wanted.data.fd = socket;
  epoll_ctl(poll, EPOLL_CTL_ADD, socket, &wanted);
}

}  // namespace

int main(int count, char** words) {
  const auto port = static_cast<std::uint16_t>(count > 1 ? std::atoi(words[1]) : 0);
  const int door = listen_on(port);
  const int ending = signals_to_end();
  const int poll = epoll_create1(EPOLL_CLOEXEC);
  watch(poll, door);
  watch(poll, ending);
  received all;
  std::unordered_map<int, conversation> open;
  while (true) {
    std::array<epoll_event, 64> ready{};
    const int found = epoll_wait(poll, ready.data(), static_cast<int>(ready.size()), -1);
    for (int i = 0; i < found; ++i) {
      const int from = ready[static_cast<std::size_t>(i)].data.fd;
      if (from == ending) {
        fmt::print("{}", all.text());
        return 0;
      }
      if (from == door) {
        const int next = accept4(door, nullptr, nullptr, SOCK_CLOEXEC);
        if (next < 0) continue;
        open.try_emplace(next);
        watch(poll, next);
      } else if (!serve(from, open[from], all)) {
        open.erase(from);
        close(from);
      }
    }
  }
}
