// SPDX-License-Identifier: Apache-2.0
// Takes a silence out of JSON, with go-openapi's words for what is wrong or missing.
#include "io/alertmanager_api_silence_body.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "io/alertmanager_api_formats.hpp"
#include "io/alertmanager_api_syntax.hpp"
#include "io/utf8.hpp"

namespace tocsin::alertmanager {

namespace {

using nlohmann::json;

/// Takes fields out of a body. The first that has the wrong type stops it.
class silence_reader {
 public:
  asked_silence read(std::string_view body) {
    const json whole = parse(body);
    asked_silence made;
    if (refused_ || whole.is_null()) return made;
    if (!whole.is_object()) {
      refuse_type(whole, R"(Go value of type struct { ID string "json:\"id,omitempty\"" })");
      return made;
    }
    made.id = text(whole, "id", ".id").value_or("");
    made.comment = text(whole, "comment", "Silence.comment");
    made.created_by = text(whole, "createdBy", "Silence.createdBy");
    made.ends_at = time(whole, "endsAt", "Silence.endsAt");
    made.matchers = matchers(whole);
    made.starts_at = time(whole, "startsAt", "Silence.startsAt");
    return made;
  }
  [[nodiscard]] const std::optional<std::string>& refused() const noexcept { return refused_; }

 private:
  /// The first value of the body; what follows it is not looked at.
  json parse(std::string_view body) {
    const auto text = valid_utf8(body) ? std::string{body} : with_valid_utf8(body);
    for (const auto& tried : {text, with_paired_surrogates(text)}) {
      std::istringstream in{tried};
      try {
        json whole;
        in >> whole;
        return whole;
      } catch (const json::exception&) {
        // Said below.
      }
    }
    const auto wrong = json_syntax_error(text);
    refuse(wrong.empty() ? "a number in it is too large" : wrong);
    return {};
  }

  void refuse(std::string why) {
    if (!refused_)
      refused_ = fmt::format("parsing silence body from \"\" failed, because {}", std::move(why));
  }
  void refuse_type(const json& seen, std::string_view wanted) {
    const std::string_view kind = seen.is_number()    ? "number"
                                  : seen.is_boolean() ? "bool"
                                                      : seen.type_name();
    refuse(fmt::format("json: cannot unmarshal {} into {}", kind, wanted));
  }
  void refuse_field(const json& seen, std::string_view where, std::string_view type) {
    refuse_type(seen, fmt::format("Go struct field {} of type {}", where, type));
  }

  /// A member by its name in any case; null when there is none or it is null.
  static const json* member(const json& of, std::string_view name) {
    const json* found = nullptr;
    for (const auto& [key, value] : of.items()) {
      if (same_in_any_case(key, name)) found = &value;
    }
    return found && found->is_null() ? nullptr : found;
  }

  std::optional<std::string> text(const json& of, std::string_view name, std::string_view where) {
    const json* found = member(of, name);
    if (!found) return std::nullopt;
    if (found->is_string()) return found->get<std::string>();
    refuse_field(*found, where, "string");
    return std::nullopt;
  }

  std::optional<bool> flag(const json& of, std::string_view name, std::string_view where) {
    const json* found = member(of, name);
    if (!found) return std::nullopt;
    if (found->is_boolean()) return found->get<bool>();
    refuse_field(*found, where, "bool");
    return std::nullopt;
  }

  std::optional<instant> time(const json& of, std::string_view name, std::string_view where) {
    const auto given = text(of, name, where);
    if (!given) return std::nullopt;
    const auto at = parse_time(*given);
    if (at) return *at;
    refuse(at.failure().message);
    return std::nullopt;
  }

  std::optional<std::vector<asked_matcher>> matchers(const json& of) {
    const json* found = member(of, "matchers");
    if (!found) return std::nullopt;
    std::vector<asked_matcher> made;
    if (!found->is_array()) {
      refuse_field(*found, "Silence.matchers", "models.Matchers");
      return made;
    }
    for (const json& each : *found) {
      asked_matcher one;
      if (each.is_object()) {
        one.is_equal = flag(each, "isEqual", "Matcher.matchers.isEqual").value_or(true);
        one.is_regex = flag(each, "isRegex", "Matcher.matchers.isRegex");
        one.name = text(each, "name", "Matcher.matchers.name");
        one.value = text(each, "value", "Matcher.matchers.value");
      } else if (!each.is_null()) {
        refuse_field(each, "Silence.matchers", "models.Matcher");
      }
      made.push_back(std::move(one));
    }
    return made;
  }

  std::optional<std::string> refused_;
};

/// What must be there and is not, in the order of go-openapi's checks.
std::optional<body_refusal> refuse_missing(const asked_silence& asked) {
  const auto missing = [](std::string_view field) {
    return body_refusal{422, 602, fmt::format("{} in body is required", field)};
  };
  if (!asked.comment) return missing("comment");
  if (!asked.created_by) return missing("createdBy");
  if (!asked.ends_at) return missing("endsAt");
  if (!asked.matchers) return missing("matchers");
  if (asked.matchers->empty())
    return body_refusal{422, 612, "matchers in body should have at least 1 items"};
  for (std::size_t i = 0; i < asked.matchers->size(); ++i) {
    const asked_matcher& each = (*asked.matchers)[i];
    if (!each.is_regex) return missing(fmt::format("matchers.{}.isRegex", i));
    if (!each.name) return missing(fmt::format("matchers.{}.name", i));
    if (!each.value) return missing(fmt::format("matchers.{}.value", i));
  }
  if (!asked.starts_at) return missing("startsAt");
  return std::nullopt;
}

}  // namespace

silence_body read_silence(std::string_view body) {
  silence_body read;
  if (body.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    read.refused = body_refusal{422, 602, "silence in body is required"};
    return read;
  }
  silence_reader reader;
  read.asked = reader.read(body);
  if (reader.refused()) {
    read.refused = body_refusal{400, 400, *reader.refused()};
  } else {
    read.refused = refuse_missing(read.asked);
  }
  return read;
}

}  // namespace tocsin::alertmanager
