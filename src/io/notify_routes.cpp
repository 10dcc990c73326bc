// SPDX-License-Identifier: Apache-2.0
// Decodes routes; what a child does not say it has from its parent.
#include "io/notify_routes.hpp"

#include <algorithm>

#include "io/policy_fields.hpp"

namespace tocsin {
namespace {

constexpr std::string_view all_labels = "...";
constexpr duration shortest = std::chrono::milliseconds{1};
constexpr duration longest = std::chrono::days{10'000};

class route_decoder {
 public:
  route_decoder(const route_names& names, yaml_decoder& decode)
      : names_(&names), decode_(&decode) {}

  notify_route decode(const yaml_node& node, const notify_route* parent) {
    notify_route made;
    if (parent != nullptr) inherit(*parent, made);
    if (!decode_->check_map(node, parent == nullptr ? "'route'" : "a route",
                            {"receiver", "group_by", "group_wait", "group_interval",
                             "repeat_interval", "continue", "matchers", "match", "match_re",
                             "mute_time_intervals", "active_time_intervals", "routes"})) {
      return made;
    }
    const yaml_fields fields(node, *decode_);
    take_receiver(fields, parent == nullptr, made);
    take_group_by(fields, made);
    take_length(fields, "group_wait", made.group_wait, duration{0}, longest);
    take_length(fields, "group_interval", made.group_interval, shortest, longest);
    take_length(fields, "repeat_interval", made.repeat_interval, shortest, longest);
    take_flag(fields, "continue", made.continue_matching);
    take_match_map(fields, "match", matcher_operator::equal, made.matchers);
    take_match_map(fields, "match_re", matcher_operator::matches, made.matchers);
    take_matchers(fields, "matchers", made.matchers);
    sort_matchers(made.matchers);
    take_known(fields, "mute_time_intervals", "time interval", names_->intervals,
               made.mute_time_intervals);
    take_known(fields, "active_time_intervals", "time interval", names_->intervals,
               made.active_time_intervals);
    if (parent == nullptr) check_root(fields, made);
    made.key = key_of(made, parent);
    take_children(fields, made);
    return made;
  }

 private:
  static void inherit(const notify_route& parent, notify_route& into) {
    into.receiver = parent.receiver;
    into.group_by = parent.group_by;
    into.group_by_all = parent.group_by_all;
    into.group_wait = parent.group_wait;
    into.group_interval = parent.group_interval;
    into.repeat_interval = parent.repeat_interval;
  }

  void take_receiver(const yaml_fields& fields, bool root, notify_route& into) {
    placed_text receiver;
    if (root) {
      fields.required_text("receiver", "who is told of what no other route takes", receiver);
    } else {
      fields.text("receiver", receiver);
    }
    if (receiver.line == 0) return;
    const yaml_node& at = fields.entry("receiver")->value;
    if (check_known(at, "receiver", "receiver", names_->receivers, *decode_)) {
      into.receiver = receiver.text;
    }
  }

  void take_group_by(const yaml_fields& fields, notify_route& into) {
    const auto items = take_list(fields, "group_by");
    // As in Alertmanager an empty list is the same as none.
    if (items.empty()) return;
    const bool all = std::any_of(items.begin(), items.end(),
                                 [](const yaml_node* item) { return item->text == all_labels; });
    into.group_by.clear();
    into.group_by_all = all;
    if (!all) {
      take_label_names(fields, "group_by", into.group_by);
      std::sort(into.group_by.begin(), into.group_by.end());
    } else if (items.size() > 1) {
      decode_->error(fields.entry("group_by")->value,
                     "'group_by': '...' is every label, so it stands alone");
    }
  }

  /// The root takes every alert, always.
  void check_root(const yaml_fields& fields, const notify_route& root) {
    const auto refuse = [&](std::string_view name, bool there) {
      if (there && fields.has(name)) {
        decode_->error(fields.entry(name)->key,
                       fmt::format("'{}' has no place in the root route, which takes every alert "
                                   "(make a route below 'routes')",
                                   name));
      }
    };
    for (const std::string_view name : {"matchers", "match", "match_re"}) {
      refuse(name, !root.matchers.empty());
    }
    refuse("continue", root.continue_matching);
    refuse("mute_time_intervals", !root.mute_time_intervals.empty());
    refuse("active_time_intervals", !root.active_time_intervals.empty());
  }

  static std::string key_of(const notify_route& route, const notify_route* parent) {
    std::string key = parent == nullptr ? "{" : parent->key + "/{";
    for (const label_matcher& one : route.matchers) {
      if (key.back() != '{') key += ',';
      key += one.text();
    }
    return key + "}";
  }

  void take_children(const yaml_fields& fields, notify_route& into) {
    const yaml_entry* const entry = fields.entry("routes");
    if (entry == nullptr || !decode_->check(*entry, yaml_node::kind::list, "'routes'")) return;
    for (const yaml_node& item : entry->value.items) into.routes.push_back(decode(item, &into));
  }

  const route_names* names_;
  yaml_decoder* decode_;
};

}  // namespace

notify_route decode_routes(const yaml_node& route, const route_names& names, yaml_decoder& decode) {
  return route_decoder(names, decode).decode(route, nullptr);
}

}  // namespace tocsin
