// SPDX-License-Identifier: Apache-2.0
// Decodes receivers, whose webhooks are what tocsin delivers to.
#include "io/notify_receivers.hpp"

#include <filesystem>

#include "io/policy_fields.hpp"

namespace tocsin {
namespace {

constexpr std::uint64_t alerts_max = 1'000'000;
constexpr std::size_t secret_bytes_max = 64 * 1024;
constexpr std::string_view not_used = "is not used by tocsin";

bool is_web_address(std::string_view url) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!url.starts_with(scheme)) continue;
    const std::string_view rest = url.substr(scheme.size());
    const bool has_host = !rest.empty() && rest.find_first_of("/?#:") != 0;
    return has_host && rest.find_first_of(" \t\r\n") == std::string_view::npos;
  }
  return false;
}

class receiver_decoder {
 public:
  receiver_decoder(const std::string& file, yaml_decoder& decode)
      : folder_(std::filesystem::path(file).parent_path()), decode_(&decode) {}

  notify_receiver decode(const yaml_node& node) {
    notify_receiver made;
    if (!check_fields(
            node, "a receiver", {"name", "webhook_configs"},
            {{{"discord_configs", "email_configs", "jira_configs", "msteams_configs",
               "msteamsv2_configs", "opsgenie_configs", "pagerduty_configs", "pushover_configs",
               "rocketchat_configs", "slack_configs", "sns_configs", "telegram_configs",
               "victorops_configs", "webex_configs", "wechat_configs"},
              "cannot be delivered: tocsin delivers webhook_configs only"}},
            *decode_)) {
      return made;
    }
    const yaml_fields fields(node, *decode_);
    made.name = take_name(fields, "what routes call it");
    const yaml_entry* const entry = fields.entry("webhook_configs");
    if (entry == nullptr || !decode_->check(*entry, yaml_node::kind::list, "'webhook_configs'")) {
      return made;
    }
    for (const yaml_node& item : entry->value.items) made.webhooks.push_back(webhook(item));
    return made;
  }

 private:
  webhook_target webhook(const yaml_node& node) {
    webhook_target made;
    if (!decode_->check_map(
            node, "a webhook",
            {"url", "url_file", "send_resolved", "max_alerts", "timeout", "http_config"})) {
      return made;
    }
    const yaml_fields fields(node, *decode_);
    take_url(fields, made.url);
    take_flag(fields, "send_resolved", made.send_resolved);
    std::uint64_t alerts = 0;
    fields.count("max_alerts", alerts, 0, alerts_max);
    made.max_alerts = alerts;
    take_length(fields, "timeout", made.timeout, std::chrono::milliseconds{1},
                std::chrono::hours{1});
    if (const yaml_entry* http = fields.entry("http_config")) {
      take_authorization(http->value, made.bearer_token);
    }
    return made;
  }

  /// The text of `name` or the content of the file that `name`_file names; nothing when neither is
  /// there or something is wrong.
  std::optional<std::string> take_secret(const yaml_fields& fields, const std::string& name) {
    const std::string name_of_file = name + "_file";
    if (fields.has(name) && fields.has(name_of_file)) {
      decode_->error(fields.entry(name_of_file)->key,
                     fmt::format("'{}' and '{}' exclude each other", name, name_of_file));
      return std::nullopt;
    }
    if (const yaml_entry* entry = fields.entry(name)) {
      const auto text = decode_->text(*entry);
      if (!text) return std::nullopt;
      if (text->text.empty()) decode_->error(entry->value, fmt::format("'{}' is empty", name));
      return text->text;
    }
    const yaml_entry* const entry = fields.entry(name_of_file);
    if (entry == nullptr) return std::nullopt;
    const auto path = decode_->text(*entry);
    return path ? read_secret(path->text, *entry) : std::nullopt;
  }

  std::optional<std::string> read_secret(const std::string& path, const yaml_entry& entry) {
    auto bytes = read_file((folder_ / path).string());
    if (!bytes) {
      decode_->error(entry.value, fmt::format("'{}': {}", entry.key.text, bytes.failure().message));
      return std::nullopt;
    }
    std::string secret = std::move(*bytes);
    secret.erase(secret.find_last_not_of(" \t\r\n") + 1);
    secret.erase(0, secret.find_first_not_of(" \t\r\n"));
    if (secret.empty() || secret.size() > secret_bytes_max) {
      decode_->error(entry.value, fmt::format("'{}': '{}' is {}", entry.key.text, path,
                                              secret.empty() ? "empty" : "larger than 64KiB"));
      return std::nullopt;
    }
    return secret;
  }

  void take_url(const yaml_fields& fields, std::string& into) {
    if (!fields.has("url") && !fields.has("url_file")) {
      decode_->error(fields.map(),
                     "a webhook: 'url' is missing (or 'url_file', whose content it "
                     "is)");
      return;
    }
    const auto url = take_secret(fields, "url");
    if (!url || url->empty()) return;
    if (is_web_address(*url)) {
      into = *url;
      return;
    }
    const yaml_entry* const at = fields.entry(fields.has("url") ? "url" : "url_file");
    decode_->error(at->value,
                   fmt::format("'{}' is no web address (wanted http://HOST/PATH or https://...)",
                               at->key.text));
  }

  void take_authorization(const yaml_node& node, std::string& into) {
    if (!check_fields(
            node, "'http_config'", {"authorization"},
            {{{"basic_auth", "oauth2", "tls_config", "proxy_url", "no_proxy",
               "proxy_from_environment", "proxy_connect_header", "follow_redirects", "enable_http2",
               "http_headers"},
              not_used},
             {{"bearer_token"}, "is not used by tocsin (write authorization: {credentials: ...})"},
             {{"bearer_token_file"},
              "is not used by tocsin (write authorization: {credentials_file: ...})"}},
            *decode_)) {
      return;
    }
    const yaml_entry* const entry = find(node, "authorization");
    if (entry == nullptr || !decode_->check_map(entry->value, "'authorization'",
                                                {"type", "credentials", "credentials_file"})) {
      return;
    }
    const yaml_fields fields(entry->value, *decode_);
    bool bearer = true;
    fields.choose("type", bearer, {{"Bearer", true}, {"bearer", true}});
    if (!fields.has("credentials") && !fields.has("credentials_file")) {
      decode_->error(entry->value,
                     "'authorization': 'credentials' is missing (or 'credentials_file', whose "
                     "content they are)");
    }
    auto token = take_secret(fields, "credentials");
    if (!token) return;
    if (token->find_first_of("\r\n") != std::string::npos) {
      decode_->error(entry->value, "'authorization': the credentials are more than one line");
      return;
    }
    into = *std::move(token);
  }

  std::filesystem::path folder_;
  yaml_decoder* decode_;
};

}  // namespace

std::vector<notify_receiver> decode_receivers(const yaml_entry& receivers, const std::string& file,
                                              yaml_decoder& decode) {
  std::vector<notify_receiver> made;
  if (!decode.check(receivers, yaml_node::kind::list, "'receivers'")) return made;
  receiver_decoder one(file, decode);
  distinct_names names("receiver");
  for (const yaml_node& node : receivers.value.items) {
    notify_receiver receiver = one.decode(node);
    if (names.add(receiver.name, node, decode)) made.push_back(std::move(receiver));
  }
  return made;
}

}  // namespace tocsin
