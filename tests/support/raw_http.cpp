// SPDX-License-Identifier: Apache-2.0
// Over the system's sockets and OpenSSL.
#include "support/raw_http.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <stdexcept>
#include <utility>

namespace tocsin::testing {

struct raw_http::connection {
  explicit connection(const std::string& address) {
    const auto colon = address.rfind(':');
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
    ::inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr);
    socket = ::socket(AF_INET, SOCK_STREAM, 0);
    if (::connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
      ::close(socket);
      throw std::runtime_error{"cannot connect to " + address};
    }
  }
  ~connection() {
    ::SSL_free(tls);
    ::SSL_CTX_free(context);
    ::close(socket);
  }
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  void shake_hands() {
    context = ::SSL_CTX_new(::TLS_client_method());
    tls = ::SSL_new(context);
    ::SSL_set_fd(tls, socket);
    if (::SSL_connect(tls) != 1) throw std::runtime_error{"the handshake failed"};
  }
  /// False at the end of the connection.
  bool read_more() {
    std::array<char, 65536> bytes{};
    const auto size = static_cast<int>(bytes.size());
    const auto got = tls != nullptr
                         ? ::SSL_read(tls, bytes.data(), size)
                         : static_cast<int>(::recv(socket, bytes.data(), bytes.size(), 0));
    if (got <= 0) return false;
    unread.append(bytes.data(), static_cast<std::size_t>(got));
    return true;
  }

  int socket = -1;
  SSL_CTX* context = nullptr;
  SSL* tls = nullptr;
  std::string unread;
};

namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

raw_answer head_of(const std::string& text) {
  constexpr std::size_t status_at = 9;
  raw_answer made;
  made.status = static_cast<unsigned>(std::stoul(text.substr(status_at, 3)));
  auto at = text.find("\r\n") + 2;
  while (at < text.size()) {
    const auto end = text.find("\r\n", at);
    const auto colon = text.find(": ", at);
    if (end == std::string::npos || colon == std::string::npos) break;
    made.headers[lower(text.substr(at, colon - at))] = text.substr(colon + 2, end - colon - 2);
    at = end + 2;
  }
  return made;
}

}  // namespace

raw_http::raw_http(const std::string& address, transport over)
    : connection_(std::make_unique<connection>(address)) {
  if (over == transport::tls) connection_->shake_hands();
}
raw_http::~raw_http() = default;

void raw_http::send(const std::string& bytes) {
  if (connection_->tls != nullptr) {
    (void)::SSL_write(connection_->tls, bytes.data(), static_cast<int>(bytes.size()));
  } else {
    (void)::send(connection_->socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
}

raw_answer raw_http::read() {
  std::string& unread = connection_->unread;
  auto head = unread.find("\r\n\r\n");
  for (; head == std::string::npos; head = unread.find("\r\n\r\n")) {
    if (!connection_->read_more()) return {};
  }
  raw_answer made = head_of(unread.substr(0, head + 2));
  unread.erase(0, head + 4);
  const auto length = made.headers.find("content-length");
  const auto size = length == made.headers.end() ? 0 : std::stoul(length->second);
  while (unread.size() < size && connection_->read_more()) continue;
  made.body = unread.substr(0, size);
  unread.erase(0, made.body.size());
  return made;
}

raw_answer raw_http::ask(const std::string& method, const std::string& target,
                         const std::string& headers) {
  const bool has_host = headers.find("Host:") != std::string::npos;
  send(method + " " + target + " HTTP/1.1\r\n" + (has_host ? "" : "Host: 127.0.0.1\r\n") + headers +
       "\r\n");
  return read();
}

std::string raw_http::rest() {
  while (connection_->read_more()) continue;
  return std::exchange(connection_->unread, "");
}

std::string raw_http::version() const {
  return connection_->tls != nullptr ? ::SSL_get_version(connection_->tls) : "";
}

}  // namespace tocsin::testing
