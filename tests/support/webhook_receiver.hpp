// SPDX-License-Identifier: Apache-2.0
// A webhook on the loopback that answers as a test says and remembers what it was sent.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tocsin::testing {

/// Answers one request after the other, each on a connection of its own.
class webhook_receiver {
 public:
  struct request {
    std::string method;
    std::string target;
    std::string body;
    /// Names in lower case.
    std::vector<std::pair<std::string, std::string>> headers;
    /// "" when there is none of that name.
    [[nodiscard]] std::string header(const std::string& name) const;
  };
  struct answer {
    unsigned status = 200;
    std::string body = {};
    std::vector<std::pair<std::string, std::string>> headers = {};
  };
  /// Called on the receiver's thread with each request and how many came before it.
  using script = std::function<answer(const request&, std::size_t before)>;

  /// At `port`; 0: at any that is free. Empty script: 200 to everything.
  explicit webhook_receiver(script answers = {}, std::uint16_t port = 0);
  ~webhook_receiver();
  webhook_receiver(const webhook_receiver&) = delete;
  webhook_receiver& operator=(const webhook_receiver&) = delete;

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::string url(const std::string& path = "/hook") const;
  [[nodiscard]] std::vector<request> requests() const;
  /// Waits until as many have come whole; false when they do not come.
  [[nodiscard]] bool wait_for_requests(std::size_t count) const;

 private:
  struct running;
  std::unique_ptr<running> parts_;
};

/// Statuses one after the other; the last one for all that follow.
[[nodiscard]] webhook_receiver::script answering(std::vector<unsigned> statuses);

/// A port of the loopback where nobody listens.
[[nodiscard]] std::uint16_t port_without_listener();

}  // namespace tocsin::testing
