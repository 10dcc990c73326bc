// SPDX-License-Identifier: Apache-2.0
// Decodes escalation, incidents and flapping; notify and assignment have decoders of their own.
#include "io/alert_policy_file.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "io/assignment_file.hpp"
#include "io/notify_file.hpp"
#include "io/policy_fields.hpp"

namespace tocsin {
namespace {

constexpr duration shortest = std::chrono::milliseconds{1};
constexpr duration longest = std::chrono::days{10'000};
constexpr std::uint64_t repeats_max = 1000;
constexpr std::uint64_t min_alerts_max = 1'000'000;
constexpr std::size_t name_bytes_max = 100;
constexpr duration flap_memory_max = std::chrono::days{30};

/// An incident is an alert whose rule it is named for.
bool is_rule_name(std::string_view name) {
  return name.size() <= name_bytes_max && std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '.' || c == '-';
         });
}

class policy_decoder {
 public:
  policy_decoder(const std::string& file, yaml_decoder& decode) : file_(&file), decode_(&decode) {}

  std::shared_ptr<const alert_policy> decode(const yaml_node& root) {
    auto made = std::make_shared<alert_policy>();
    notify_policy notify = decode_notify(find(root, "notify"), *file_, *decode_);
    for (const notify_receiver& one : notify.receivers) receivers_.push_back(one.name);
    decode_escalations(root, notify.escalations);
    made->notify = std::make_shared<const notify_policy>(std::move(notify));
    decode_incidents(root, made->incidents);
    if (const yaml_entry* entry = find(root, "assignment")) {
      made->assignment = decode_assignment(*entry, *decode_);
    }
    decode_flapping(root, *made);
    return made;
  }

 private:
  /// The maps of a list that is a top-level section.
  template <class Decode>
  void each(const yaml_node& root, std::string_view section, Decode&& one) {
    const yaml_entry* const entry = find(root, section);
    if (entry == nullptr) return;
    if (!decode_->check(*entry, yaml_node::kind::list, fmt::format("'{}'", section))) return;
    for (const yaml_node& node : entry->value.items) one(node);
  }

  void decode_escalations(const yaml_node& root, std::vector<escalation_policy>& into) {
    distinct_names names("escalation");
    each(root, "escalation", [&](const yaml_node& node) {
      if (!decode_->check_map(node, "an escalation", {"name", "matchers", "levels"})) return;
      const yaml_fields fields(node, *decode_);
      escalation_policy made;
      made.name = take_name(fields, "what notices call it");
      take_matchers(fields, "matchers", made.matchers);
      if (!fields.has("levels")) {
        decode_->error(node,
                       "an escalation: 'levels' is missing (who is told, and after how long)");
      }
      if (const auto* levels = fields.list("levels", "who is told, and after how long")) {
        for (const yaml_node& level : *levels) decode_level(level, made.levels);
      }
      if (names.add(made.name, node, *decode_)) into.push_back(std::move(made));
    });
  }

  void decode_level(const yaml_node& node, std::vector<escalation_level>& into) {
    if (!decode_->check_map(node, "a level", {"after", "receivers", "repeat", "every"})) return;
    const yaml_fields fields(node, *decode_);
    escalation_level made;
    if (!fields.has("after")) {
      decode_->error(node, "a level: 'after' is missing (how long after the alert began to fire)");
    }
    take_length(fields, "after", made.after, duration{0}, longest);
    if (!fields.has("receivers")) decode_->error(node, "a level: 'receivers' is missing");
    (void)fields.list("receivers", "who is told");
    if (fields.has("receivers") && fields.entry("receivers")->value.type == yaml_node::kind::list) {
      take_known(fields, "receivers", "receiver", receivers_, made.receivers);
    }
    std::uint64_t repeat = made.repeat;
    fields.count("repeat", repeat, 1, repeats_max);
    made.repeat = static_cast<std::uint32_t>(repeat);
    take_length(fields, "every", made.every, shortest, longest);
    if (made.repeat > 1 && !fields.has("every")) {
      decode_->error(node, "a level: 'every' is missing (how long between the repeats)");
    }
    if (fields.has("after") && !into.empty() && made.after < into.back().after) {
      decode_->error(fields.entry("after")->value,
                     fmt::format("'after': {} is before the level above, {} (write levels in "
                                 "order)",
                                 format_duration(made.after), format_duration(into.back().after)));
    }
    into.push_back(std::move(made));
  }

  void decode_incidents(const yaml_node& root, std::vector<incident_rule>& into) {
    distinct_names names("incident");
    each(root, "incidents", [&](const yaml_node& node) {
      if (!decode_->check_map(
              node, "an incident",
              {"name", "matchers", "group_by", "within", "min_alerts", "value", "title"})) {
        return;
      }
      const yaml_fields fields(node, *decode_);
      incident_rule made;
      made.name = take_name(fields, "the incident's alertname");
      if (!is_rule_name(made.name)) {
        decode_->error(fields.entry("name")->value,
                       fmt::format("'name': '{}' is not a rule name (1 to {} of A-Z a-z 0-9 _ . "
                                   "-)",
                                   made.name, name_bytes_max));
      }
      take_matchers(fields, "matchers", made.matchers);
      take_group_by(fields, made.group_by);
      take_length(fields, "within", made.within, shortest, longest);
      std::uint64_t least = made.min_alerts;
      fields.count("min_alerts", least, 2, min_alerts_max);
      made.min_alerts = static_cast<std::uint32_t>(least);
      placed_text text;
      fields.text("value", text);
      made.value = text.text;
      text = {};
      fields.text("title", text);
      made.title = text.text;
      if (names.add(made.name, node, *decode_)) into.push_back(std::move(made));
    });
  }

  /// Labels of alerts, whose names are freer than Prometheus's.
  void take_group_by(const yaml_fields& fields, std::vector<std::string>& into) {
    for (const yaml_node* item : take_list(fields, "group_by")) {
      if (item->text.empty()) {
        decode_->error(*item, "'group_by': a label's name is empty");
      } else if (std::find(into.begin(), into.end(), item->text) != into.end()) {
        decode_->error(*item, fmt::format("'group_by': '{}' is there twice", item->text));
      } else {
        into.push_back(item->text);
      }
    }
  }

  void decode_flapping(const yaml_node& root, alert_policy& into) {
    const yaml_entry* const entry = find(root, "flapping");
    if (entry == nullptr) return;
    if (!decode_->check_map(entry->value, "'flapping'", {"detect", "memory"})) return;
    const yaml_fields fields(entry->value, *decode_);
    take_flag(fields, "detect", into.detect_flapping);
    take_length(fields, "memory", into.flap_memory, duration{0}, flap_memory_max);
  }

  const std::string* file_;
  yaml_decoder* decode_;
  std::vector<std::string> receivers_;
};

}  // namespace

std::shared_ptr<const alert_policy> decode_alert_policy(const yaml_node& root,
                                                        const std::string& file,
                                                        yaml_decoder& decode) {
  return policy_decoder(file, decode).decode(root);
}

std::shared_ptr<const alert_policy> default_alert_policy() {
  diagnostics none;
  yaml_decoder decode("", none);
  return decode_alert_policy(yaml_node{}, "", decode);
}

void check_incident_names(const alert_policy& policy, const rule_set& rules,
                          const std::string& file, diagnostics& found) {
  for (const incident_rule& each : policy.incidents) {
    const bool taken = std::any_of(rules.rules().begin(), rules.rules().end(),
                                   [&](const rule& known) { return known.name == each.name; });
    if (!taken) continue;
    found.push_back({diagnostic::grade::error, file, 0, 0,
                     fmt::format("'incidents': the name '{}' is a rule's; alerts are known by it, "
                                 "so wanted another one",
                                 each.name)});
  }
}

}  // namespace tocsin
