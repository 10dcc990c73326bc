// SPDX-License-Identifier: Apache-2.0
// Both kinds of connections.
#include "io/http_stream.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>

#include "io/http_tls.hpp"

namespace tocsin::http_serving {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;

class plain final : public http_stream {
 public:
  explicit plain(tcp::socket socket) : stream_(std::move(socket)) {}
  beast::tcp_stream& connection() noexcept override { return stream_; }

  void open(ended then) override {
    asio::post(stream_.get_executor(),
               [then = std::move(then)] { then(boost::system::error_code{}); });
  }
  void finish(ended then) override { open(std::move(then)); }

 private:
  void read_some(asio::mutable_buffer into, moved then) override {
    stream_.async_read_some(into, std::move(then));
  }
  void write_some(const pieces& from, moved then) override {
    stream_.async_write_some(from, std::move(then));
  }

  beast::tcp_stream stream_;
};

class encrypted final : public http_stream {
 public:
  encrypted(tcp::socket socket, tls_identity& identity)
      : stream_(std::move(socket), identity.context()) {}
  beast::tcp_stream& connection() noexcept override { return stream_.next_layer(); }

  void open(ended then) override {
    stream_.async_handshake(asio::ssl::stream_base::server, std::move(then));
  }
  void finish(ended then) override { stream_.async_shutdown(std::move(then)); }

 private:
  void read_some(asio::mutable_buffer into, moved then) override {
    stream_.async_read_some(into, std::move(then));
  }
  void write_some(const pieces& from, moved then) override {
    stream_.async_write_some(from, std::move(then));
  }

  asio::ssl::stream<beast::tcp_stream> stream_;
};

}  // namespace

std::unique_ptr<http_stream> plain_stream(tcp::socket socket) {
  return std::make_unique<plain>(std::move(socket));
}

std::unique_ptr<http_stream> tls_stream(tcp::socket socket, tls_identity& identity) {
  return std::make_unique<encrypted>(std::move(socket), identity);
}

}  // namespace tocsin::http_serving
