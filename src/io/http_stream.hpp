// SPDX-License-Identifier: Apache-2.0
// The bytes of one connection, plain or through TLS, behind one face, so that what reads requests
// and writes answers is compiled once. Only for http_*.cpp.
#pragma once

// Boost.Asio 1.74 uses std::exchange under C++20 and does not include it.
#include <utility>

#if defined(__GNUC__) && !defined(__clang__)
// Asio's fences mean nothing to g++'s thread sanitizer, and its mutexes do.
#pragma GCC diagnostic ignored "-Wtsan"
#endif

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <type_traits>

namespace tocsin {
class tls_identity;
}

namespace tocsin::http_serving {

/// An AsyncReadStream and AsyncWriteStream as Asio and Beast want them. Its operations keep it
/// alive no more than a socket's do: who waits for them must.
class http_stream {
 public:
  using executor_type = boost::beast::tcp_stream::executor_type;
  using moved = std::function<void(boost::system::error_code, std::size_t)>;
  using ended = std::function<void(boost::system::error_code)>;
  /// At once in one write: a header and a body are few.
  static constexpr std::size_t pieces_max = 16;
  using pieces = std::array<boost::asio::const_buffer, pieces_max>;

  virtual ~http_stream() = default;
  http_stream(const http_stream&) = delete;
  http_stream& operator=(const http_stream&) = delete;

  /// The connection itself, whose time limit is that of all operations.
  [[nodiscard]] virtual boost::beast::tcp_stream& connection() noexcept = 0;
  [[nodiscard]] executor_type get_executor() { return connection().get_executor(); }

  /// Before anything else: the handshake, when there is one.
  virtual void open(ended then) = 0;
  /// Says that nothing more will be written; what is read afterwards means nothing.
  virtual void finish(ended then) = 0;

  template <class Buffers, class Handler>
  void async_read_some(const Buffers& into, Handler&& handler) {
    boost::asio::mutable_buffer room;
    for (auto at = boost::asio::buffer_sequence_begin(into);
         room.size() == 0 && at != boost::asio::buffer_sequence_end(into); ++at) {
      room = *at;
    }
    read_some(room, copyable<moved>(std::forward<Handler>(handler)));
  }

  template <class Buffers, class Handler>
  void async_write_some(const Buffers& from, Handler&& handler) {
    pieces all;
    std::size_t count = 0;
    for (auto at = boost::asio::buffer_sequence_begin(from);
         count < pieces_max && at != boost::asio::buffer_sequence_end(from); ++at) {
      const boost::asio::const_buffer piece = *at;
      if (piece.size() > 0) all[count++] = piece;
    }
    write_some(all, copyable<moved>(std::forward<Handler>(handler)));
  }

 protected:
  http_stream() = default;

 private:
  virtual void read_some(boost::asio::mutable_buffer into, moved then) = 0;
  virtual void write_some(const pieces& from, moved then) = 0;

  /// std::function copies what it calls, and Asio's handlers can only be moved.
  template <class Function, class Handler>
  static Function copyable(Handler&& handler) {
    auto kept = std::make_shared<std::decay_t<Handler>>(std::forward<Handler>(handler));
    return [kept = std::move(kept)](auto... how) { (*kept)(how...); };
  }
};

[[nodiscard]] std::unique_ptr<http_stream> plain_stream(boost::asio::ip::tcp::socket socket);
/// `identity` must outlive it.
[[nodiscard]] std::unique_ptr<http_stream> tls_stream(boost::asio::ip::tcp::socket socket,
                                                      tls_identity& identity);

}  // namespace tocsin::http_serving
