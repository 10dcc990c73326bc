// SPDX-License-Identifier: Apache-2.0
// Lists alerts and their groups, and takes posted ones.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <re2/re2.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "io/alertmanager_api_alert_writer.hpp"
#include "io/alertmanager_api_formats.hpp"
#include "io/alertmanager_api_parts.hpp"
#include "io/alertmanager_api_post.hpp"
#include "tocsin/alert_labels.hpp"
#include "tocsin/notify_policy.hpp"

namespace tocsin::alertmanager {

namespace {

constexpr std::uint64_t posted_bytes_max = 16 * 1024 * 1024;

/// Which alerts a request asks for.
struct alert_choice {
  label_matchers filters;
  bool active = true;
  bool silenced = true;
  bool inhibited = true;
  std::shared_ptr<const re2::RE2> receiver;  ///< null: any

  [[nodiscard]] bool takes(const alert& each) const {
    if (each.state != alert_state::firing && each.state != alert_state::acknowledged) return false;
    const alert_shields& shields = each.shields;
    const bool suppressed = !shields.silenced_by.empty() || !shields.inhibited_by.empty();
    if (!active && !suppressed) return false;
    if (!silenced && !shields.silenced_by.empty()) return false;
    if (!inhibited && !shields.inhibited_by.empty()) return false;
    return matches(filters, each);
  }
  [[nodiscard]] bool takes_receiver(std::string_view name) const {
    return !receiver || re2::RE2::FullMatch(re2::StringPiece{name.data(), name.size()}, *receiver);
  }
};

/// `refused`: what is wrong with the request.
struct choice_read {
  alert_choice choice;
  std::optional<http_response> refused;
};

choice_read choice_of(const http_request& request) {
  choice_read read;
  const auto last = [&](std::string_view name) {
    const auto given = request.values(name);
    return given.empty() ? std::string{} : given.back();
  };
  auto filters = filters_of(request);
  if (!filters) {
    read.refused = refusal(400, filters.failure().message);
    return read;
  }
  read.choice.filters = *std::move(filters);
  read.choice.active = parse_flag(last("active"), true);
  read.choice.silenced = parse_flag(last("silenced"), true);
  read.choice.inhibited = parse_flag(last("inhibited"), true);
  const auto receiver = last("receiver");
  if (receiver.empty()) return read;
  const auto anchored = fmt::format("^(?:{})$", receiver);
  if (const auto wrong = regexp_error(anchored)) {
    read.refused = refusal(400, "failed to parse receiver param: " + *wrong);
    return read;
  }
  read.choice.receiver = std::make_shared<const re2::RE2>(anchored, re2::RE2::Quiet);
  return read;
}

/// The names of the receivers an alert goes to, in the order of the routes.
std::vector<std::string> receivers_of(const notify_policy& notify, const alert& each) {
  std::vector<std::string> names;
  if (!notify.routed) return names;
  for (const notify_route* route : routes_of(notify.root, each)) names.push_back(route->receiver);
  return names;
}

http_response list_alerts(const alert_backend& backend, const http_request& request) {
  const auto [choice, refused] = choice_of(request);
  if (refused) return *refused;
  std::vector<transition> all;
  std::shared_ptr<const notify_policy> notify;
  const auto look = [&](const alert_book& book) {
    all = book.active();
    notify = book.policy().notify;
  };
  if (!backend.inspect(look)) return unavailable();

  std::vector<transition> shown;
  for (const transition& each : all) {
    if (choice.takes(*each)) shown.push_back(each);
  }
  const alert_writer writer{backend.now() + notify->resolve_timeout, name_inhibitors(shown, all)};
  std::vector<std::pair<named_alert, std::vector<std::string>>> sources;
  for (const transition& each : shown) {
    auto receivers = receivers_of(*notify, *each);
    const bool wanted = !choice.receiver || std::any_of(receivers.begin(), receivers.end(),
                                                        [&choice = choice](const auto& name) {
                                                          return choice.takes_receiver(name);
                                                        });
    if (wanted) sources.emplace_back(with_name(*each), std::move(receivers));
  }
  std::sort(sources.begin(), sources.end(),
            [](const auto& left, const auto& right) { return left.first.name < right.first.name; });
  std::string body = "[";
  for (const auto& [source, receivers] : sources) {
    if (body.size() > 1) body += ',';
    writer.write(body, source, receivers);
  }
  return payload(body + "]");
}

/// Groups are in the order of their labels: fewer first, then by name and value; then receiver.
bool goes_before(const group_view& left, const group_view& right) {
  if (left.labels.size() != right.labels.size()) return left.labels.size() < right.labels.size();
  if (left.labels != right.labels) return left.labels < right.labels;
  return left.receiver < right.receiver;
}

std::string_view label_of(const label_list& labels, std::string_view name) {
  const auto found = std::find_if(labels.begin(), labels.end(),
                                  [&](const auto& each) { return each.first == name; });
  return found == labels.end() ? std::string_view{} : std::string_view{found->second};
}

/// The order in a group: by job, then instance, those without last; then by all labels.
bool stands_before(const named_alert& left, const named_alert& right) {
  for (const std::string_view key : {"job", "instance"}) {
    const auto of_left = label_of(left.labels, key);
    const auto of_right = label_of(right.labels, key);
    if (of_left == of_right) continue;
    if (of_left.empty() || of_right.empty()) return !of_left.empty();
    return of_left < of_right;
  }
  return left.labels < right.labels;
}

http_response list_groups(const alert_backend& backend, const http_request& request) {
  const auto [choice, refused] = choice_of(request);
  if (refused) return *refused;
  std::vector<group_view> groups;
  std::vector<transition> all;
  std::shared_ptr<const notify_policy> notify;
  const auto look = [&](const alert_book& book) {
    groups = book.groups().groups();
    all = book.active();
    notify = book.policy().notify;
  };
  if (!backend.inspect(look)) return unavailable();

  std::map<fingerprint, std::vector<std::string>> receivers;
  std::vector<transition> shown;
  std::erase_if(groups, [&choice = choice](const group_view& each) {
    return !choice.takes_receiver(each.receiver);
  });
  for (group_view& group : groups) {
    std::erase_if(group.alerts,
                  [&choice = choice](const transition& each) { return !choice.takes(*each); });
    for (const transition& each : group.alerts) {
      auto& names = receivers[each->alert_id];
      if (std::find(names.begin(), names.end(), group.receiver) == names.end())
        names.push_back(group.receiver);
      shown.push_back(each);
    }
  }
  std::erase_if(groups, [](const group_view& each) { return each.alerts.empty(); });
  std::sort(groups.begin(), groups.end(), goes_before);

  const alert_writer writer{backend.now() + notify->resolve_timeout, name_inhibitors(shown, all)};
  std::string body = "[";
  for (const group_view& group : groups) {
    std::vector<named_alert> sources;
    for (const transition& each : group.alerts) sources.push_back(with_name(*each));
    std::sort(sources.begin(), sources.end(), stands_before);
    body += body.size() > 1 ? R"(,{"alerts":[)" : R"({"alerts":[)";
    for (const auto& source : sources) {
      if (&source != sources.data()) body += ',';
      auto& names = receivers[source.what->alert_id];
      std::sort(names.begin(), names.end());
      writer.write(body, source, names);
    }
    body += R"(],"labels":)";
    append_texts(body, group.labels);
    body += R"(,"receiver":{"name":)";
    append_text(body, group.receiver);
    body += "}}";
  }
  return payload(body + "]");
}

/// When an alert that is posted now without an end ends; nothing when nobody answers.
std::optional<instant> default_end(const alert_backend& backend) {
  duration timeout{};
  const auto look = [&](const alert_book& book) {
    timeout = book.policy().notify->resolve_timeout;
  };
  if (!backend.inspect(look)) return std::nullopt;
  return backend.now() + timeout;
}

http_response post(alert_backend& backend, const http_request& request) {
  if (auto refused = refuse_media_type(request)) return *refused;
  auto read = read_posted_alerts(request.body);
  if (read.refused) return refusal(read.refused->status, read.refused->code, read.refused->message);
  const auto ends_at = default_end(backend);
  if (!ends_at) return unavailable();

  // What is right is taken, whatever else is wrong.
  std::vector<std::string> wrong;
  post_alerts wanted;
  wanted.by = "api";
  for (posted_alert& each : read.alerts) {
    if (auto why = refuse_posted(each, *ends_at)) {
      wrong.push_back(std::move(*why));
    } else {
      wanted.alerts.push_back(std::move(each));
    }
  }
  if (!wanted.alerts.empty()) {
    const auto done = backend.operate(std::move(wanted));
    if (!done) return failed(done.failure());
    for (const operation_outcome& each : done->alerts) {
      if (each.refused) wrong.push_back(each.refused->message);
    }
  }
  if (!wrong.empty()) return refusal(400, fmt::format("{}", fmt::join(wrong, "; ")));
  return bare(200);
}

}  // namespace

void add_alert_routes(std::vector<http_route>& to, alert_backend& backend) {
  to.push_back({"GET", "/api/v2/alerts",
                [&backend](const http_request& request) { return list_alerts(backend, request); }});
  to.push_back({"POST", "/api/v2/alerts",
                [&backend](const http_request& request) { return post(backend, request); },
                posted_bytes_max});
  to.push_back({"GET", "/api/v2/alerts/groups",
                [&backend](const http_request& request) { return list_groups(backend, request); }});
}

}  // namespace tocsin::alertmanager
