// SPDX-License-Identifier: Apache-2.0
// Encodes built events with msgpack-c's packer and nlohmann's JSON writer.
#include "support/event_builder.hpp"

#include <fmt/format.h>

#include <cmath>
#include <msgpack.hpp>
#include <nlohmann/json.hpp>

namespace tocsin::testing {
namespace {

struct string_sink {
  std::string bytes;
  void write(const char* from, std::size_t size) { bytes.append(from, size); }
};

/// Packs any of a builder's values; whole numbers as integers, as a sender's own encoder would.
struct value_packer {
  msgpack::packer<string_sink>& pack;

  void operator()(std::monostate) const { pack.pack_nil(); }
  void operator()(bool flag) const { flag ? pack.pack_true() : pack.pack_false(); }
  void operator()(std::int64_t number) const { pack.pack_int64(number); }
  void operator()(double number) const {
    if (std::abs(number) < 1e15 && number == std::trunc(number)) {
      pack.pack_int64(static_cast<std::int64_t>(number));
    } else {
      pack.pack_double(number);
    }
  }
  void operator()(std::string_view text) const {
    pack.pack_str(static_cast<std::uint32_t>(text.size()));
    pack.pack_str_body(text.data(), static_cast<std::uint32_t>(text.size()));
  }
  void operator()(const std::vector<std::pair<std::string, label_value>>& labels) const {
    pack.pack_map(static_cast<std::uint32_t>(labels.size()));
    for (const auto& [name, value] : labels) {
      (*this)(std::string_view{name});
      std::visit(*this, value);
    }
  }
};

struct json_writer {
  nlohmann::ordered_json operator()(std::monostate) const { return nullptr; }
  template <class Value>
  nlohmann::ordered_json operator()(const Value& value) const {
    return value;
  }
};

}  // namespace

event_builder& event_builder::text(event_field field, std::string value) {
  fields_[field] = std::move(value);
  return *this;
}
event_builder& event_builder::time(instant when) {
  fields_[event_field::time] = std::int64_t{to_unix_ms(when)};
  return *this;
}
event_builder& event_builder::level(severity of) {
  fields_[event_field::level] = static_cast<std::int64_t>(of);
  return *this;
}
event_builder& event_builder::value(double number) {
  fields_[event_field::value] = number;
  return *this;
}
event_builder& event_builder::action(event_action of) {
  fields_[event_field::action] = std::string{to_text(of)};
  return *this;
}
event_builder& event_builder::label(std::string name, label_value value) {
  labels_.emplace_back(std::move(name), std::move(value));
  return *this;
}

std::string event_builder::map() const {
  string_sink out;
  msgpack::packer<string_sink> pack{out};
  const value_packer write{pack};
  pack.pack_map(static_cast<std::uint32_t>(fields_.size() + (labels_.empty() ? 0 : 1)));
  for (const auto& [field, value] : fields_) {
    write(to_text(field));
    std::visit(write, value);
  }
  if (!labels_.empty()) {
    write(to_text(event_field::labels));
    write(labels_);
  }
  return out.bytes;
}

std::string event_builder::positional() const {
  string_sink out;
  msgpack::packer<string_sink> pack{out};
  const value_packer write{pack};
  const std::size_t behind_last =
      fields_.empty() ? 0 : static_cast<std::size_t>(fields_.rbegin()->first) + 1;
  const std::size_t elements = labels_.empty() ? behind_last : event_field_count;
  pack.pack_array(static_cast<std::uint32_t>(elements));
  for (std::size_t i = 0; i < elements; ++i) {
    const auto field = static_cast<event_field>(i);
    if (field == event_field::labels) {
      write(labels_);
    } else if (const auto found = fields_.find(field); found != fields_.end()) {
      std::visit(write, found->second);
    } else {
      pack.pack_nil();
    }
  }
  return out.bytes;
}

std::string event_builder::json() const {
  auto out = nlohmann::ordered_json::object();
  for (const auto& [field, value] : fields_) {
    out[std::string{to_text(field)}] = std::visit(json_writer{}, value);
  }
  for (const auto& [name, value] : labels_) {
    out["labels"][name] = std::visit(json_writer{}, value);
  }
  return out.dump();
}

std::string batch_of(const std::vector<std::string>& encoded) {
  string_sink out;
  msgpack::packer<string_sink> pack{out};
  pack.pack_array(static_cast<std::uint32_t>(encoded.size()));
  for (const auto& one : encoded) out.bytes += one;
  return out.bytes;
}

std::string json_batch_of(const std::vector<std::string>& encoded) {
  std::string out;
  for (const auto& one : encoded) out += (out.empty() ? "[" : ",") + one;
  return out.empty() ? "[]" : out + "]";
}

event_builder sample_event(std::uint64_t number, instant when) {
  return event_builder{}
      .event_id(fmt::format("evt-{:012}", number))
      .source(fmt::format("agent-{:02}", number % 16))
      .time(when)
      .resource(fmt::format("host-{:04}", number % 1000))
      .text(event_field::resource_type, "server")
      .text(event_field::resource_name, fmt::format("web-{:04}.example.org", number % 1000))
      .item("http_status")
      .level(static_cast<severity>(number % 4))
      .value(500.5 + static_cast<double>(number % 5))
      .title("upstream answered 503")
      .text(event_field::description, "GET /api/v1/orders failed after 3 tries")
      .action(event_action::firing)
      .label("env", "prod")
      .label("team", "web")
      .label("zone", "eu-west-1b")
      .label("attempt", 3.0)
      .label("canary", false);
}

}  // namespace tocsin::testing
