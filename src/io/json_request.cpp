// SPDX-License-Identifier: Apache-2.0
// Fields of a JSON object, over nlohmann's parser.
#include "io/json_request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <utility>

#include "io/utf8.hpp"

namespace tocsin {

namespace {

using nlohmann::json;

/// How much of a stranger's text an error message repeats.
constexpr std::size_t shown_bytes_max = 100;
/// The last millisecond that RFC 3339 can write.
constexpr std::int64_t time_ms_max = 253'402'300'799'999;

/// What is wrong with a body beside its syntax.
struct refused_body : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Watches the parser: nlohmann takes a key that comes twice, and any depth.
class body_watch {
 public:
  bool operator()(int depth, json::parse_event_t event, json& seen) {
    using kind = json::parse_event_t;
    if (event == kind::object_start || event == kind::array_start) {
      if (depth >= json_request::depth_max) {
        throw refused_body(
            fmt::format("the body has more than {} levels", json_request::depth_max));
      }
      if (event == kind::object_start) keys_.emplace_back();
      count_value();
    } else if (event == kind::object_end) {
      keys_.pop_back();
    } else if (event == kind::value) {
      count_value();
    } else if (event == kind::key) {
      const auto& name = seen.get_ref<const std::string&>();
      if (!keys_.back().insert(name).second) {
        throw refused_body(
            fmt::format("the key '{}' stands there twice", printable(name, shown_bytes_max)));
      }
    }
    return true;
  }

 private:
  void count_value() {
    if (++values_ > json_request::values_max) {
      throw refused_body(fmt::format("the body has more than {} values", json_request::values_max));
    }
  }

  std::vector<std::set<std::string>> keys_;
  std::size_t values_ = 0;
};

/// "the text 'abc'", "a list", "12".
std::string shown(const json& seen) {
  switch (seen.type()) {
    case json::value_t::string:
      return fmt::format("the text '{}'",
                         printable(seen.get_ref<const std::string&>(), shown_bytes_max));
    case json::value_t::array:
      return "a list";
    case json::value_t::object:
      return "an object";
    default:
      return seen.dump();
  }
}

}  // namespace

std::optional<instant> parse_request_time(std::string_view text) {
  std::int64_t ms = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), ms);
  if (failed == std::errc{} && end == text.data() + text.size()) {
    if (ms < 0 || ms > time_ms_max) return std::nullopt;
    return from_unix_ms(ms);
  }
  return parse_rfc3339(text);
}

struct json_request::state {
  json object = json::object();
  std::string prefix;  ///< of the fields' names: "" or "recurs[0]."
  std::set<std::string, std::less<>> asked;
  std::optional<field_error> failure;

  /// Null when it is not there, or when something has failed.
  const json* find(std::string_view name) {
    asked.emplace(name);
    if (failure) return nullptr;
    const auto found = object.find(std::string{name});
    return found == object.end() || found->is_null() ? nullptr : &*found;
  }
  void refuse(std::string_view field, std::string message, std::string_view code) {
    if (failure) return;
    failure =
        field_error{code, std::move(message), field.empty() ? "" : prefix + std::string{field}};
  }
  void wanted(std::string_view field, std::string_view what, const json& seen) {
    refuse(field, fmt::format("{}{}: wanted {}, not {}", prefix, field, what, shown(seen)),
           "bad_field");
  }
};

json_request::json_request(std::unique_ptr<state> made) : state_(std::move(made)) {}
json_request::~json_request() = default;
json_request::json_request(json_request&&) noexcept = default;

json_request::json_request(std::string_view body) : state_(std::make_unique<state>()) {
  try {
    json read = json::parse(body.begin(), body.end(), body_watch{});
    if (read.is_object()) {
      state_->object = std::move(read);
    } else {
      refuse("", fmt::format("the body is {}, wanted a JSON object", shown(read)), "malformed");
    }
  } catch (const json::parse_error& wrong) {
    refuse("", fmt::format("the body is not JSON: at byte {}", wrong.byte), "malformed");
  } catch (const json::out_of_range&) {
    refuse("", "the body has a number beyond what a double holds (1.8e308)", "malformed");
  } catch (const refused_body& wrong) {
    refuse("", wrong.what(), "malformed");
  }
}

bool json_request::has(std::string_view name) {
  return state_->find(name) != nullptr;
}

std::string json_request::text(std::string_view name) {
  const json* seen = state_->find(name);
  if (!seen) return {};
  if (seen->is_string()) return seen->get<std::string>();
  state_->wanted(name, "a text", *seen);
  return {};
}

std::string json_request::needed_text(std::string_view name) {
  std::string seen = text(name);
  if (seen.empty()) {
    refuse(name,
           fmt::format("{}{} is missing, wanted a text that is not empty", state_->prefix, name),
           "missing_field");
  }
  return seen;
}

bool json_request::flag(std::string_view name) {
  const json* seen = state_->find(name);
  if (!seen) return false;
  if (seen->is_boolean()) return seen->get<bool>();
  state_->wanted(name, "true or false", *seen);
  return false;
}

std::uint64_t json_request::count(std::string_view name, std::uint64_t otherwise,
                                  std::uint64_t least, std::uint64_t most) {
  const json* seen = state_->find(name);
  if (!seen) return otherwise;
  if (seen->is_number_unsigned()) {
    const auto number = seen->get<std::uint64_t>();
    if (number >= least && number <= most) return number;
  }
  state_->wanted(name, fmt::format("a whole number from {} to {}", least, most), *seen);
  return otherwise;
}

std::optional<instant> json_request::time(std::string_view name) {
  const json* seen = state_->find(name);
  if (!seen) return std::nullopt;
  std::optional<instant> at;
  if (seen->is_string()) at = parse_rfc3339(seen->get_ref<const std::string&>());
  if (seen->is_number_unsigned()) at = parse_request_time(seen->dump());
  if (!at) {
    state_->wanted(name, "a time such as \"2026-03-01T10:00:00Z\" or Unix milliseconds", *seen);
  }
  return at;
}

std::optional<duration> json_request::length(std::string_view name) {
  const json* seen = state_->find(name);
  if (!seen) return std::nullopt;
  std::optional<duration> length;
  if (seen->is_string()) length = parse_duration(seen->get_ref<const std::string&>());
  if (!length) state_->wanted(name, "a duration such as \"2h\" or \"1h30m\"", *seen);
  return length;
}

std::vector<std::string> json_request::texts(std::string_view name) {
  const json* seen = state_->find(name);
  if (!seen) return {};
  if (!seen->is_array()) {
    state_->wanted(name, "a list of texts", *seen);
    return {};
  }
  std::vector<std::string> all;
  all.reserve(seen->size());
  for (const json& each : *seen) {
    if (!each.is_string()) {
      state_->wanted(fmt::format("{}[{}]", name, all.size()), "a text", each);
      return {};
    }
    all.push_back(each.get_ref<const std::string&>());
  }
  return all;
}

void json_request::each(std::string_view name, const std::function<void(json_request&)>& look) {
  const json* seen = state_->find(name);
  if (!seen) return;
  if (!seen->is_array()) return state_->wanted(name, "a list of objects", *seen);
  std::size_t index = 0;
  for (const json& each : *seen) {
    const std::string place = fmt::format("{}[{}]", name, index++);
    if (!each.is_object()) return state_->wanted(place, "an object", each);
    auto inner = std::make_unique<state>();
    inner->object = each;
    inner->prefix = fmt::format("{}{}.", state_->prefix, place);
    json_request part{std::move(inner)};
    look(part);
    state_->failure = part.failure();
    if (state_->failure) return;
  }
}

void json_request::refuse(std::string_view field, std::string message, std::string_view code) {
  state_->refuse(field, std::move(message), code);
}

std::optional<field_error> json_request::failure() {
  if (state_->failure) return state_->failure;
  for (const auto& [name, value] : state_->object.items()) {
    if (state_->asked.contains(name)) continue;
    const std::vector<std::string> known(state_->asked.begin(), state_->asked.end());
    const std::string near = nearest_word(name, known);
    refuse(printable(name, shown_bytes_max),
           fmt::format("there is no field {}{}{}", state_->prefix, printable(name, shown_bytes_max),
                       near.empty() ? fmt::format("; there are: {}", fmt::join(known, ", "))
                                    : fmt::format(" (did you mean {}?)", near)),
           "unknown_field");
    break;
  }
  return state_->failure;
}

}  // namespace tocsin
