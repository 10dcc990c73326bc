// SPDX-License-Identifier: Apache-2.0
// Lists, shows, makes, edits and expires silences.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <utility>

#include "io/alertmanager_api_formats.hpp"
#include "io/alertmanager_api_parts.hpp"
#include "io/alertmanager_api_post.hpp"
#include "io/utf8.hpp"
#include "tocsin/silence.hpp"

namespace tocsin::alertmanager {

namespace {

using nlohmann::json;

constexpr std::uint64_t silence_bytes_max = 1024 * 1024;

bool is_regex(const label_matcher& each) {
  return each.op() == matcher_operator::matches || each.op() == matcher_operator::does_not_match;
}
bool is_equal(const label_matcher& each) {
  return each.op() == matcher_operator::equal || each.op() == matcher_operator::matches;
}

void write_silence(std::string& to, const silence& each, instant now) {
  to += R"({"id":)";
  append_text(to, each.id);
  to += fmt::format(R"(,"status":{{"state":"{}"}},"updatedAt":"{}","comment":)",
                    to_text(state_of(each, now)), format_rfc3339(each.updated_at));
  append_text(to, each.comment);
  to += R"(,"createdBy":)";
  append_text(to, each.created_by);
  to += fmt::format(R"(,"endsAt":"{}","matchers":[)", format_rfc3339(each.ends_at));
  for (const label_matcher& matcher : each.matchers) {
    if (&matcher != each.matchers.data()) to += ',';
    to +=
        fmt::format(R"({{"isEqual":{},"isRegex":{},"name":)", is_equal(matcher), is_regex(matcher));
    append_text(to, matcher.name());
    to += R"(,"value":)";
    append_text(to, matcher.value());
    to += '}';
  }
  to += fmt::format(R"(],"startsAt":"{}"}})", format_rfc3339(each.starts_at));
}

/// Active ones first, the next to end first; then pending ones, the next to begin first; then
/// expired ones, the last that ended first.
struct by_urgency {
  instant now;
  bool operator()(const silence_ptr& left, const silence_ptr& right) const {
    const auto rank = [](silence_state state) {
      return state == silence_state::active ? 0 : state == silence_state::pending ? 1 : 2;
    };
    const auto of_left = state_of(*left, now);
    const auto of_right = state_of(*right, now);
    if (of_left != of_right) return rank(of_left) < rank(of_right);
    if (of_left == silence_state::active) return left->ends_at < right->ends_at;
    if (of_left == silence_state::pending) return left->starts_at < right->starts_at;
    return left->ends_at > right->ends_at;
  }
};

http_response list_silences(const alert_backend& backend, const http_request& request) {
  const auto filters = filters_of(request);
  if (!filters) return refusal(400, filters.failure().message);
  std::vector<silence_ptr> found;
  instant now{};
  const auto look = [&](const alert_book& book) {
    found = book.silences().all();
    now = book.clock();
  };
  if (!backend.inspect(look)) return unavailable();
  // A filter asks for silences that have that very matcher.
  std::erase_if(found, [&](const silence_ptr& each) {
    return !std::all_of(filters->begin(), filters->end(), [&](const label_matcher& wanted) {
      return std::find(each->matchers.begin(), each->matchers.end(), wanted) !=
             each->matchers.end();
    });
  });
  std::stable_sort(found.begin(), found.end(), by_urgency{now});
  std::string body = "[";
  for (const silence_ptr& each : found) {
    if (body.size() > 1) body += ',';
    write_silence(body, *each, now);
  }
  return payload(body + "]");
}

std::optional<http_response> refuse_id(std::string_view id) {
  if (is_uuid(id)) return std::nullopt;
  return refusal(422, 601,
                 fmt::format("silenceID in path must be of type uuid: {}", go_quoted(id)));
}

http_response show_silence(const alert_backend& backend, const http_request& request) {
  const auto id = request.part("id");
  if (auto refused = refuse_id(id)) return *refused;
  silence_ptr found;
  instant now{};
  const auto look = [&](const alert_book& book) {
    found = book.silences().find(id);
    now = book.clock();
  };
  if (!backend.inspect(look)) return unavailable();
  if (!found) return bare(404);
  std::string body;
  write_silence(body, *found, now);
  return payload(std::move(body));
}

http_response delete_silence(alert_backend& backend, const http_request& request) {
  const std::string id{request.part("id")};
  if (auto refused = refuse_id(id)) return *refused;
  const auto done = backend.operate(expire_silence{id, "api"});
  // One that has ended needs no end: Alertmanager is content with that, too.
  if (done || done.failure().code == "silence_expired") return bare(200);
  if (done.failure().code == "silence_not_found") return refusal(500, "silence not found");
  return failed(done.failure());
}

/// A matcher as it is asked for; nothing of it is known to be right.
struct asked_matcher {
  std::optional<bool> is_regex;
  std::optional<std::string> name;
  std::optional<std::string> value;
  bool is_equal = true;
};

struct asked_silence {
  std::string id;
  std::optional<std::string> comment;
  std::optional<std::string> created_by;
  std::optional<instant> starts_at;
  std::optional<instant> ends_at;
  std::optional<std::vector<asked_matcher>> matchers;
};

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
    std::istringstream in{valid_utf8(body) ? std::string{body} : with_valid_utf8(body)};
    json whole;
    try {
      in >> whole;
    } catch (const json::parse_error& failure) {
      refuse(failure.byte > body.size()
                 ? "unexpected EOF"
                 : fmt::format("invalid character at byte {} of the body", failure.byte));
    }
    return whole;
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
std::optional<http_response> refuse_missing(const asked_silence& asked) {
  const auto missing = [](std::string_view field) {
    return refusal(422, 602, fmt::format("{} in body is required", field));
  };
  if (!asked.comment) return missing("comment");
  if (!asked.created_by) return missing("createdBy");
  if (!asked.ends_at) return missing("endsAt");
  if (!asked.matchers) return missing("matchers");
  if (asked.matchers->empty())
    return refusal(422, 612, "matchers in body should have at least 1 items");
  for (std::size_t i = 0; i < asked.matchers->size(); ++i) {
    const asked_matcher& each = (*asked.matchers)[i];
    if (!each.is_regex) return missing(fmt::format("matchers.{}.isRegex", i));
    if (!each.name) return missing(fmt::format("matchers.{}.name", i));
    if (!each.value) return missing(fmt::format("matchers.{}.value", i));
  }
  if (!asked.starts_at) return missing("startsAt");
  return std::nullopt;
}

/// Errors: bad_silence, in Alertmanager's words.
result<label_matchers> matchers_of(const asked_silence& asked) {
  const auto wrong = [](std::size_t index, std::string_view why) {
    return error{"bad_silence",
                 fmt::format("silence invalid: invalid label matcher {}: {}", index, why)};
  };
  label_matchers made;
  bool all_accept_nothing = true;
  for (std::size_t i = 0; i < asked.matchers->size(); ++i) {
    const asked_matcher& each = (*asked.matchers)[i];
    if (!is_label_name(*each.name))
      return wrong(i, fmt::format("invalid label name {}", go_quoted(*each.name)));
    if (*each.is_regex) {
      if (const auto why = regexp_error(*each.value))
        return wrong(
            i, fmt::format("invalid regular expression {}: {}", go_quoted(*each.value), *why));
    }
    const auto op =
        *each.is_regex
            ? (each.is_equal ? matcher_operator::matches : matcher_operator::does_not_match)
            : (each.is_equal ? matcher_operator::equal : matcher_operator::unequal);
    auto one = label_matcher::make(*each.name, op, *each.value);
    if (!one) return wrong(i, one.failure().message);
    all_accept_nothing = all_accept_nothing && each.is_equal && one->accepts("");
    made.push_back(*std::move(one));
  }
  if (all_accept_nothing) {
    return error{"bad_silence",
                 "silence invalid: at least one matcher must not match the empty string"};
  }
  return made;
}

http_response put(alert_backend& backend, const asked_silence& asked) {
  if (*asked.starts_at >= *asked.ends_at)
    return refusal(400, "Failed to create silence: start time must be before end time");
  if (*asked.ends_at < backend.now())
    return refusal(400, "Failed to create silence: end time can't be in the past");
  put_silence wanted;
  if (!asked.id.empty()) {
    silence_ptr old;
    const auto look = [&](const alert_book& book) { old = book.silences().find(asked.id); };
    if (!backend.inspect(look)) return unavailable();
    if (!old) return refusal(404, "silence not found");
    wanted.wanted.scope = old->scope;
    wanted.wanted.recurs = old->recurs;
  }
  auto matchers = matchers_of(asked);
  if (!matchers) return refusal(400, matchers.failure().message);
  wanted.wanted.id = asked.id;
  wanted.wanted.matchers = *std::move(matchers);
  wanted.wanted.starts_at = *asked.starts_at;
  wanted.wanted.ends_at = *asked.ends_at;
  wanted.wanted.created_by = *asked.created_by;
  wanted.wanted.comment = *asked.comment;
  const auto done = backend.operate(std::move(wanted));
  if (done) {
    std::string body = R"({"silenceID":)";
    append_text(body, done->silence->id);
    return payload(body + "}");
  }
  if (done.failure().code == "silence_not_found") return refusal(404, "silence not found");
  if (done.failure().code == "bad_silence")
    return refusal(400, "silence invalid: " + done.failure().message);
  return failed(done.failure());
}

http_response post_silence(alert_backend& backend, const http_request& request) {
  if (auto refused = refuse_media_type(request)) return *refused;
  if (request.body.find_first_not_of(" \t\r\n") == std::string::npos)
    return refusal(422, 602, "silence in body is required");
  silence_reader reader;
  const auto asked = reader.read(request.body);
  if (reader.refused()) return refusal(400, 400, *reader.refused());
  if (auto refused = refuse_missing(asked)) return *refused;
  return put(backend, asked);
}

}  // namespace

void add_silence_routes(std::vector<http_route>& to, alert_backend& backend) {
  to.push_back({"GET", "/api/v2/silences", [&backend](const http_request& request) {
                  return list_silences(backend, request);
                }});
  to.push_back({"POST", "/api/v2/silences",
                [&backend](const http_request& request) { return post_silence(backend, request); },
                silence_bytes_max});
  to.push_back({"GET", "/api/v2/silence/{id}", [&backend](const http_request& request) {
                  return show_silence(backend, request);
                }});
  to.push_back({"DELETE", "/api/v2/silence/{id}", [&backend](const http_request& request) {
                  return delete_silence(backend, request);
                }});
}

}  // namespace tocsin::alertmanager
