// SPDX-License-Identifier: Apache-2.0
// Random, malformed and mutated messages: the cursor and its naive twin must agree on every one.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <msgpack.hpp>
#include <random>
#include <set>

#include "support/event_builder.hpp"
#include "support/reference_decoder.hpp"

namespace tocsin::testing {
namespace {

constexpr instant arrived = from_unix_ms(1'770'000'000'000);

struct string_sink {
  std::string bytes;
  void write(const char* from, std::size_t size) { bytes.append(from, size); }
};

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char byte : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return out;
}

/// Writes events that are mostly right, with every kind of fault now and then.
class noisy_sender {
 public:
  explicit noisy_sender(std::uint64_t seed) : random_(seed) {}

  std::string message() {
    out_.bytes.clear();
    if (chance(4)) {
      event_map();
    } else {
      const std::size_t elements = below(6);
      pack_.pack_array(static_cast<std::uint32_t>(elements));
      for (std::size_t i = 0; i < elements; ++i) {
        if (chance(20)) {
          anything(0);
        } else if (chance(2)) {
          positional();
        } else {
          event_map();
        }
      }
    }
    return out_.bytes;
  }

  /// Cuts, flips, overwrites, repeats or removes bytes, often not at all.
  std::string mutated(std::string bytes) {
    for (std::size_t i = below(4); i > 0 && !bytes.empty(); --i) {
      const std::size_t at = below(bytes.size());
      switch (below(6)) {
        case 0:
          bytes.resize(at);
          break;
        case 1:
          bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
          break;
        case 2:
          bytes[at] = static_cast<char>(below(256));
          break;
        case 3:
          bytes.insert(at, bytes.substr(at, below(16)));
          break;
        case 4:
          bytes.erase(at, 1 + below(4));
          break;
        default:
          bytes[at] = static_cast<char>(0xC0 + below(32));
          break;
      }
    }
    return bytes;
  }

 private:
  std::size_t below(std::size_t bound) { return random_() % bound; }
  bool chance(std::size_t one_in) { return below(one_in) == 0; }

  void text(std::string_view words) {
    pack_.pack_str(static_cast<std::uint32_t>(words.size()));
    pack_.pack_str_body(words.data(), static_cast<std::uint32_t>(words.size()));
  }

  void some_text() {
    constexpr std::array<std::string_view, 10> words{
        "",          "a",   "web-1", "grün", "日本語の障害", "\xC0\x80", "\xED\xA0\x80",
        "🔥 burning", "err", "closed"};
    if (chance(12)) return text(std::string(below(300), 'x'));
    if (chance(12)) return text(std::string(below(40), 'y') + std::string{words[below(10)]});
    text(words[below(words.size())]);
  }

  void number() {
    switch (below(8)) {
      case 0:
        pack_.pack_double(std::numeric_limits<double>::quiet_NaN());
        break;
      case 1:
        pack_.pack_float(std::numeric_limits<float>::infinity());
        break;
      case 2:
        pack_.pack_uint64(random_());
        break;
      case 3:
        pack_.pack_int64(static_cast<std::int64_t>(random_()));
        break;
      case 4:
        pack_.pack_double(static_cast<double>(below(1000)) / 7);
        break;
      default:
        pack_.pack_int64(static_cast<std::int64_t>(below(600)) - 100);
        break;
    }
  }

  void extension() {
    constexpr std::array<std::size_t, 6> sizes{0, 4, 8, 12, 16, 3};
    const std::size_t size = sizes[below(sizes.size())];
    std::string body(size, '\0');
    for (char& byte : body) byte = static_cast<char>(chance(2) ? below(256) : 0);
    pack_.pack_ext(size, static_cast<std::int8_t>(chance(4) ? below(100) : -1));
    pack_.pack_ext_body(body.data(), static_cast<std::uint32_t>(size));
  }

  void anything(std::size_t depth) {
    switch (below(depth < 6 ? 9 : 6)) {
      case 0:
        pack_.pack_nil();
        break;
      case 1:
        chance(2) ? pack_.pack_true() : pack_.pack_false();
        break;
      case 2:
        number();
        break;
      case 3:
        some_text();
        break;
      case 4:
        extension();
        break;
      case 5:
        pack_.pack_bin(3);
        pack_.pack_bin_body("bin", 3);
        break;
      case 6:
        labels();
        break;
      default: {
        const std::size_t count = below(3);
        pack_.pack_array(static_cast<std::uint32_t>(count));
        for (std::size_t i = 0; i < count; ++i) anything(depth + 1);
      }
    }
  }

  void field_name() { text(to_text(static_cast<event_field>(below(event_field_count)))); }

  void labels() {
    const std::size_t count = chance(10) ? below(20) : below(4);
    pack_.pack_map(static_cast<std::uint32_t>(count));
    for (std::size_t i = 0; i < count; ++i) {
      if (chance(30)) {
        anything(4);
      } else if (chance(6)) {
        field_name();
      } else {
        text(fmt::format("label{}", below(40)));
      }
      if (chance(10)) {
        anything(3);
      } else {
        some_text();
      }
    }
  }

  void value_of(event_field field) {
    if (chance(25)) return anything(2);
    if (chance(12)) {
      pack_.pack_nil();
      return;
    }
    switch (field) {
      case event_field::time:
        if (chance(3)) return extension();
        pack_.pack_int64(to_unix_ms(arrived) + static_cast<std::int64_t>(below(80'000)) - 15'000);
        break;
      case event_field::level:
        chance(3) ? text("warn") : pack_int(below(chance(9) ? 7 : 4));
        break;
      case event_field::value:
        number();
        break;
      case event_field::action:
        text(chance(9) ? "opened" : "resolved");
        break;
      case event_field::labels:
        labels();
        break;
      default:
        chance(3) ? some_text() : text(fmt::format("text-{}", below(100)));
    }
  }

  void pack_int(std::size_t value) { pack_.pack_uint64(value); }

  void event_map() {
    const std::size_t pairs = below(9);
    pack_.pack_map(static_cast<std::uint32_t>(pairs));
    const std::size_t first = below(event_field_count);
    for (std::size_t i = 0; i < pairs; ++i) {
      if (chance(8)) {
        text(fmt::format("label{}", below(40)));
        chance(5) ? anything(2) : some_text();
        continue;
      }
      const auto field = static_cast<event_field>(chance(40) ? below(event_field_count)
                                                             : (first + i) % event_field_count);
      text(to_text(field));
      value_of(field);
    }
  }

  void positional() {
    const std::size_t elements = below(chance(10) ? 16 : event_field_count + 1);
    pack_.pack_array(static_cast<std::uint32_t>(elements));
    for (std::size_t i = 0; i < elements; ++i) {
      value_of(static_cast<event_field>(i % event_field_count));
    }
  }

  std::mt19937_64 random_;
  string_sink out_;
  msgpack::packer<string_sink> pack_{out_};
};

event_limits tight_limits() {
  event_limits limits;
  limits.message_bytes = 600;
  limits.event_bytes = 150;
  limits.nesting = 2;
  limits.event_id_bytes = 6;
  limits.labels = 3;
  limits.label_name_bytes = 7;
  limits.value_bytes = 20;
  return limits;
}

TEST(event_decoder_property, cursor_and_reference_agree_on_valid_and_on_damaged_messages) {
  constexpr std::uint64_t messages = 100'000;
  std::uint64_t accepted = 0;
  std::set<std::string_view> codes;
  for (std::uint64_t seed = 1; seed <= messages; ++seed) {
    noisy_sender sender{seed};
    std::string message = sender.message();
    if (seed % 2 == 0) message = sender.mutated(std::move(message));
    const event_limits limits = seed % 5 == 0 ? tight_limits() : event_limits{};
    const auto got = decode(message, limits, arrived);
    ASSERT_EQ(difference(got, reference_decode(message, limits, arrived)), "")
        << "seed " << seed << ", message " << hex(message);
    accepted += got.batch.events.size();
    for (const rejection& one : got.refused) codes.insert(one.code);
  }
  // Both sides of every check must have been visited for the agreement to mean anything.
  EXPECT_GT(accepted, messages / 2);
  for (const std::string_view code :
       {"message_too_large", "event_too_large", "too_deep", "bad_event_id", "too_many_labels",
        "bad_label_name", "value_too_long", "time_in_future", "invalid_utf8", "bad_type",
        "bad_level", "bad_value", "bad_time", "bad_action", "duplicate_key", "not_an_event",
        "malformed", "trailing_bytes", "empty_message"}) {
    EXPECT_TRUE(codes.contains(code)) << "no message was refused for " << code;
  }
}

TEST(event_decoder_property, every_refusal_names_what_was_wrong) {
  for (std::uint64_t seed = 1; seed <= 5'000; ++seed) {
    noisy_sender sender{seed};
    const std::string message = sender.mutated(sender.message());
    for (const rejection& one : decode(message, {}, arrived).refused) {
      ASSERT_FALSE(one.message.empty()) << one.code << ", seed " << seed;
      ASSERT_NE(one.message.find(": seen "), std::string::npos) << one.message;
      ASSERT_NE(one.message.find(", wanted "), std::string::npos) << one.message;
    }
  }
}

TEST(event_decoder_property, an_event_says_the_same_as_map_positional_and_json) {
  for (std::uint64_t seed = 1; seed <= 5'000; ++seed) {
    std::mt19937_64 random{seed};
    event_builder event;
    for (std::size_t i = 0; i < event_field_count; ++i) {
      const auto field = static_cast<event_field>(i);
      if (is_text(field) && random() % 3 != 0) event.text(field, fmt::format("té\n{}", random()));
    }
    if (random() % 2 == 0) event.time(arrived - duration{random() % 100'000});
    if (random() % 2 == 0) event.level(static_cast<severity>(random() % 4));
    if (random() % 2 == 0) event.value(static_cast<double>(random() % 10'000) / 16);
    if (random() % 2 == 0) event.action(static_cast<event_action>(random() % 3));
    for (std::size_t i = random() % 5; i > 0; --i) {
      event.label(fmt::format("name{}", i), random() % 2 == 0 ? label_value{random() % 2 == 0}
                                                              : label_value{fmt::format("v{}", i)});
    }
    const std::string as_map = event.map();
    const std::string as_positional = batch_of({event.positional()});
    const std::string as_json = event.json();
    const auto map = decode(as_map, {}, arrived);
    ASSERT_EQ(map.batch.events.size(), 1U) << "seed " << seed;
    ASSERT_EQ(difference(decode(as_positional, {}, arrived), map), "") << "seed " << seed;
    ASSERT_EQ(difference(decode(as_json, {}, arrived), map), "") << "seed " << seed;
  }
}

TEST(event_decoder_property, damaged_json_neither_crashes_nor_disagrees) {
  for (std::uint64_t seed = 1; seed <= 20'000; ++seed) {
    noisy_sender damage{seed};
    const std::string message = damage.mutated(
        json_batch_of({sample_event(seed, arrived).json(), R"({"a":[[[[[1]]]],{}],"b":1})",
                       R"([ "id", null, "2026-01-01T00:00:00Z" ])"}));
    const auto got = decode(message, {}, arrived);
    ASSERT_EQ(difference(got, reference_decode(message, {}, arrived)), "")
        << "seed " << seed << ", message " << message;
  }
}

}  // namespace
}  // namespace tocsin::testing
