// SPDX-License-Identifier: Apache-2.0
// Reads messages from files and pipes: JSON, one message a line, or msgpack, one message behind the
// other.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tocsin/result.hpp"

namespace tocsin {

/// Not thread-safe. The first byte that is not white space decides: the lead byte of a msgpack map
/// or array means msgpack, all else JSON lines. Empty lines are skipped.
class event_file {
 public:
  /// Longest line or message held in memory; a longer one is an error that ends the reading.
  static constexpr std::size_t message_bytes_max = 16 * 1024 * 1024;

  enum class form : std::uint8_t { unknown, json_lines, msgpack };

  struct message {
    std::string_view bytes;    ///< valid until the next call, or while memory() is kept
    std::uint64_t number = 0;  ///< the line, or the place among the messages; from 1
  };

  /// Opens a file; "-" is the standard input. Errors: unreadable_file.
  [[nodiscard]] static result<event_file> open(const std::string& path);
  ~event_file();
  event_file(event_file&& from) noexcept;
  event_file(const event_file&) = delete;
  event_file& operator=(const event_file&) = delete;

  /// The next message; nothing at the end. Errors (nothing can be read after one): unreadable_file,
  /// message_too_large, malformed (msgpack that cannot be told where it ends).
  [[nodiscard]] result<std::optional<message>> next();

  /// What keeps the bytes of the last message where they are: who holds it need not copy them.
  /// Messages that were read from the file together share it.
  [[nodiscard]] std::shared_ptr<const void> memory() noexcept;

  /// Known after the first message.
  [[nodiscard]] form kind() const noexcept { return form_; }
  /// "line" or "message": what message::number counts.
  [[nodiscard]] std::string_view counted_as() const noexcept {
    return form_ == form::msgpack ? "message" : "line";
  }
  /// Bytes handed out so far, and bytes in all; nothing for what is not a regular file.
  [[nodiscard]] std::uint64_t bytes_taken() const noexcept { return bytes_read_ - held().size(); }
  [[nodiscard]] std::optional<std::uint64_t> bytes_total() const noexcept { return bytes_total_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 private:
  event_file(int descriptor, std::string name);

  /// Reads more behind what is held; false at the end of the file.
  [[nodiscard]] result<bool> read_more();
  /// Makes room for `bytes` behind what is held, which then begins the buffer.
  void make_room(std::size_t bytes);
  [[nodiscard]] std::string_view held() const noexcept {
    return buffer_ ? std::string_view{buffer_.get() + taken_, filled_ - taken_}
                   : std::string_view{};
  }
  [[nodiscard]] result<std::optional<message>> next_line();
  [[nodiscard]] result<std::optional<message>> next_msgpack();
  [[nodiscard]] std::optional<error> find_form();

  int descriptor_;
  std::string name_;
  std::optional<std::uint64_t> bytes_total_;
  std::uint64_t bytes_read_ = 0;
  form form_ = form::unknown;
  std::shared_ptr<char[]> buffer_;
  std::size_t capacity_ = 0;
  std::size_t filled_ = 0;
  std::size_t taken_ = 0;  ///< of buffer_, handed out already
  bool lent_ = false;      ///< somebody may hold memory(): the buffer is not written to again
  bool ended_ = false;
  std::uint64_t number_ = 0;
};

}  // namespace tocsin
