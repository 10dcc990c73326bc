// SPDX-License-Identifier: Apache-2.0
// A SAX handler of nlohmann's parser that writes msgpack; container sizes are filled in at their
// ends.
#include "io/json_transcoder.hpp"

#include <msgpack.hpp>
#include <nlohmann/json.hpp>
#include <vector>

#include "io/utf8.hpp"

namespace tocsin {
namespace {

constexpr char array32 = static_cast<char>(0xDD);
constexpr char map32 = static_cast<char>(0xDF);
constexpr std::size_t fault_bytes_max = 200;

/// What msgpack::packer wants of a buffer.
struct string_sink {
  std::string& into;
  void write(const char* bytes, std::size_t size) { into.append(bytes, size); }
};

/// The members are named by nlohmann's SAX interface; each returns whether to go on.
class msgpack_writer {
 public:
  msgpack_writer(transcoded_json& into, std::size_t nesting)
      : into_(into), sink_{into.elements}, pack_(sink_), nesting_(nesting) {}

  bool null() {
    return scalar([&] { pack_.pack_nil(); });
  }
  bool boolean(bool seen) {
    return scalar([&] { seen ? pack_.pack_true() : pack_.pack_false(); });
  }
  bool number_integer(std::int64_t seen) {
    return scalar([&] { pack_.pack_int64(seen); });
  }
  bool number_unsigned(std::uint64_t seen) {
    return scalar([&] { pack_.pack_uint64(seen); });
  }
  bool number_float(double seen, const std::string&) {
    return scalar([&] { pack_.pack_double(seen); });
  }
  bool string(const std::string& seen) {
    return scalar([&] { write_text(seen); });
  }
  bool binary(const nlohmann::json::binary_t&) { return false; }  // JSON has none
  bool start_object(std::size_t) { return start(map32); }
  bool start_array(std::size_t) { return start(array32); }
  bool end_object() { return end(); }
  bool end_array() { return end(); }
  bool key(const std::string& seen) {
    if (emptied()) return true;
    ++open_.back().count;
    write_text(seen);
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception& seen) {
    if (finished_) {
      into_.end = transcoded_json::ending::trailing_bytes;
      return false;
    }
    into_.end = transcoded_json::ending::malformed;
    std::string_view what = seen.what();
    if (const auto code_end = what.find("] "); code_end != std::string_view::npos) {
      what.remove_prefix(code_end + 2);
    }
    into_.fault = printable(what, fault_bytes_max);
    into_.elements.resize(complete_bytes_);
    return false;
  }

 private:
  struct container {
    std::size_t head;  ///< where its five bytes of lead and size begin
    std::uint32_t count;
    bool is_map;
  };

  /// True inside of a container too deep to keep the contents of.
  [[nodiscard]] bool emptied() const { return open_.size() > nesting_; }

  void write_text(const std::string& text) {
    pack_.pack_str(static_cast<std::uint32_t>(text.size()));
    pack_.pack_str_body(text.data(), static_cast<std::uint32_t>(text.size()));
  }

  void count_child() {
    if (!open_.empty() && !open_.back().is_map) ++open_.back().count;
  }

  template <class Write>
  bool scalar(Write write) {
    if (emptied()) return true;
    count_child();
    write();
    if (open_.empty()) complete_element();
    return true;
  }

  bool start(char lead) {
    if (!started_) {
      started_ = true;
      batch_ = lead == array32;
      if (batch_) return true;
    }
    if (emptied()) {
      ++below_;
      return true;
    }
    count_child();
    open_.push_back({into_.elements.size(), 0, lead == map32});
    into_.elements.append({lead, 0, 0, 0, 0});
    return true;
  }

  bool end() {
    if (below_ > 0) {
      --below_;
      return true;
    }
    if (open_.empty()) {
      finished_ = true;
      return true;
    }
    const container done = open_.back();
    open_.pop_back();
    for (std::size_t i = 0; i < 4; ++i) {
      into_.elements[done.head + 1 + i] = static_cast<char>(done.count >> (24 - 8 * i));
    }
    if (open_.empty()) complete_element();
    return true;
  }

  void complete_element() {
    ++into_.count;
    complete_bytes_ = into_.elements.size();
    finished_ = !batch_;
  }

  transcoded_json& into_;
  string_sink sink_;
  msgpack::packer<string_sink> pack_;
  std::size_t nesting_;
  std::vector<container> open_;     ///< of the current element
  std::size_t below_ = 0;           ///< open containers inside the one that is emptied
  std::size_t complete_bytes_ = 0;  ///< the end of the last complete element
  bool started_ = false;
  bool batch_ = false;
  bool finished_ = false;
};

}  // namespace

transcoded_json transcode_json(std::string_view message, std::size_t nesting) {
  transcoded_json out;
  out.elements.reserve(message.size());
  msgpack_writer writer{out, nesting};
  const bool whole = nlohmann::json::sax_parse(message.begin(), message.end(), &writer);
  // nlohmann's lexer takes a NUL between tokens for the end of its input.
  if (whole && message.find('\0') != std::string_view::npos) {
    out.end = transcoded_json::ending::trailing_bytes;
  }
  return out;
}

}  // namespace tocsin
