// SPDX-License-Identifier: Apache-2.0
// Lists, shows, makes, edits and expires silences.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "io/alertmanager_api_formats.hpp"
#include "io/alertmanager_api_parts.hpp"
#include "io/alertmanager_api_silence_body.hpp"
#include "io/http_actor.hpp"
#include "tocsin/silence.hpp"

namespace tocsin::alertmanager {

namespace {

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
  const auto done =
      backend.operate(expire_silence{id, request.caller.empty() ? "api" : request.caller});
  // One that has ended needs no end: Alertmanager is content with that, too.
  if (done || done.failure().code == "silence_expired") return bare(200);
  if (done.failure().code == "silence_not_found") return refusal(500, "silence not found");
  return failed(done.failure());
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

http_response put(alert_backend& backend, const asked_silence& asked, std::string_view caller) {
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
  wanted.wanted.created_by = actor_of(caller, *asked.created_by);
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
  const auto read = read_silence(request.body);
  if (read.refused) return refusal(read.refused->status, read.refused->code, read.refused->message);
  return put(backend, read.asked, request.caller);
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
