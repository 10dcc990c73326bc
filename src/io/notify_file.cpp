// SPDX-License-Identifier: Apache-2.0
// Decodes what Alertmanager's configuration consists of, and refuses what tocsin would not do.
#include "io/notify_file.hpp"

#include "io/interval_decoder.hpp"
#include "io/notify_original.hpp"
#include "io/notify_receivers.hpp"
#include "io/notify_routes.hpp"
#include "io/policy_fields.hpp"

namespace tocsin {
namespace {

std::vector<std::string_view> global_unused() {
  return {"http_config",
          "jira_api_url",
          "opsgenie_api_key",
          "opsgenie_api_key_file",
          "opsgenie_api_url",
          "pagerduty_url",
          "rocketchat_api_url",
          "rocketchat_token",
          "rocketchat_token_file",
          "rocketchat_token_id",
          "rocketchat_token_id_file",
          "slack_api_url",
          "slack_api_url_file",
          "smtp_auth_identity",
          "smtp_auth_password",
          "smtp_auth_password_file",
          "smtp_auth_secret",
          "smtp_auth_username",
          "smtp_from",
          "smtp_hello",
          "smtp_require_tls",
          "smtp_smarthost",
          "smtp_tls_config",
          "telegram_api_url",
          "victorops_api_key",
          "victorops_api_key_file",
          "victorops_api_url",
          "webex_api_url",
          "wechat_api_corp_id",
          "wechat_api_secret",
          "wechat_api_url"};
}

class notify_decoder {
 public:
  notify_decoder(const std::string& file, yaml_decoder& decode)
      : file_(&file), decode_(&decode), intervals_("time interval") {}

  notify_policy decode(const yaml_node& node) {
    notify_policy made;
    if (!check_fields(node, "'notify'",
                      {"global", "route", "receivers", "inhibit_rules", "time_intervals",
                       "mute_time_intervals"},
                      {{{"templates"},
                        "is not used by tocsin: webhooks are sent Alertmanager's JSON, which has "
                        "no templates"}},
                      *decode_)) {
      return made;
    }
    const yaml_fields fields(node, *decode_);
    if (const yaml_entry* global = fields.entry("global")) decode_global(global->value, made);
    if (const yaml_entry* receivers = fields.entry("receivers")) {
      made.receivers = decode_receivers(*receivers, *file_, *decode_);
    }
    for (const std::string_view name : {"time_intervals", "mute_time_intervals"}) {
      decode_intervals(fields, name, made.time_intervals);
    }
    if (const yaml_entry* route = fields.entry("route")) {
      std::vector<std::string> receivers;
      for (const notify_receiver& one : made.receivers) receivers.push_back(one.name);
      made.root = decode_routes(route->value, {receivers, intervals_.all()}, *decode_);
      made.routed = true;
    }
    decode_inhibit_rules(fields, made.inhibit_rules);
    return made;
  }

 private:
  void decode_global(const yaml_node& node, notify_policy& into) {
    if (!check_fields(
            node, "'global'", {"resolve_timeout"},
            {{global_unused(), "is not used by tocsin, which delivers webhook_configs only"}},
            *decode_)) {
      return;
    }
    take_length(yaml_fields(node, *decode_), "resolve_timeout", into.resolve_timeout,
                std::chrono::seconds{1}, std::chrono::days{10'000});
  }

  void decode_intervals(const yaml_fields& fields, std::string_view name,
                        std::vector<named_time_interval>& into) {
    const yaml_entry* const entry = fields.entry(name);
    if (entry == nullptr) return;
    if (!decode_->check(*entry, yaml_node::kind::list, fmt::format("'{}'", name))) return;
    for (const yaml_node& node : entry->value.items) {
      if (!decode_->check_map(node, fmt::format("an entry of '{}'", name),
                              {"name", "time_intervals"})) {
        continue;
      }
      const yaml_fields one(node, *decode_);
      named_time_interval made;
      made.name = take_name(one, "what routes call it");
      decode_parts(one, made.intervals);
      if (intervals_.add(made.name, node, *decode_)) into.push_back(std::move(made));
    }
  }

  void decode_parts(const yaml_fields& fields, std::vector<time_interval>& into) {
    const yaml_entry* const entry = fields.entry("time_intervals");
    if (entry == nullptr) return;
    if (!decode_->check(*entry, yaml_node::kind::list, "'time_intervals'")) return;
    for (const yaml_node& part : entry->value.items) {
      decode_interval(part, midnight::ends_ranges, *decode_, into);
    }
  }

  void decode_inhibit_rules(const yaml_fields& fields, std::vector<inhibit_rule>& into) {
    const yaml_entry* const entry = fields.entry("inhibit_rules");
    if (entry == nullptr) return;
    if (!decode_->check(*entry, yaml_node::kind::list, "'inhibit_rules'")) return;
    for (const yaml_node& node : entry->value.items) {
      if (!decode_->check_map(node, "an inhibit rule",
                              {"source_matchers", "target_matchers", "equal", "source_match",
                               "source_match_re", "target_match", "target_match_re"})) {
        continue;
      }
      const yaml_fields one(node, *decode_);
      inhibit_rule made;
      take_match_map(one, "source_match", matcher_operator::equal, made.source);
      take_match_map(one, "source_match_re", matcher_operator::matches, made.source);
      take_matchers(one, "source_matchers", made.source);
      take_match_map(one, "target_match", matcher_operator::equal, made.target);
      take_match_map(one, "target_match_re", matcher_operator::matches, made.target);
      take_matchers(one, "target_matchers", made.target);
      take_label_names(one, "equal", made.equal);
      into.push_back(std::move(made));
    }
  }

  const std::string* file_;
  yaml_decoder* decode_;
  distinct_names intervals_;
};

}  // namespace

notify_policy decode_notify(const yaml_entry* notify, const std::string& file,
                            yaml_decoder& decode) {
  notify_policy made;
  if (notify != nullptr) made = notify_decoder(file, decode).decode(notify->value);
  made.original = notify_original(notify == nullptr ? yaml_node{} : notify->value);
  return made;
}

}  // namespace tocsin
