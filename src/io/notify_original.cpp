// SPDX-License-Identifier: Apache-2.0
// Replaces secrets in a tree and writes it as YAML.
#include "io/notify_original.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tocsin {
namespace {

constexpr std::string_view secret = "<secret>";
constexpr std::string_view nobody = "none";

yaml_node scalar(std::string text) {
  yaml_node made;
  made.type = yaml_node::kind::scalar;
  made.text = std::move(text);
  return made;
}

yaml_entry field(std::string_view name, yaml_node value) {
  return {scalar(std::string(name)), std::move(value)};
}

yaml_node map_of(yaml_entry entry) {
  yaml_node made;
  made.type = yaml_node::kind::map;
  made.entries.push_back(std::move(entry));
  return made;
}

yaml_node* value_of(yaml_node& map, std::string_view name) {
  for (yaml_entry& entry : map.entries) {
    if (entry.key.text == name) return &entry.value;
  }
  return nullptr;
}

/// An address down to its host: what stands before and behind may let others in.
std::string without_secrets(std::string_view url) {
  const auto scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos) return std::string(secret);
  const std::string_view scheme = url.substr(0, scheme_end + 3);
  std::string_view rest = url.substr(scheme.size());
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  rest.remove_prefix(authority.size());
  const auto at = authority.rfind('@');
  const std::string_view host = at == std::string_view::npos ? authority : authority.substr(at + 1);
  if (rest.empty() || rest == "/") return fmt::format("{}{}{}", scheme, host, rest);
  return fmt::format("{}{}/{}", scheme, host, secret);
}

void hide_secrets_of_webhook(yaml_node& webhook) {
  std::erase_if(webhook.entries,
                [](const yaml_entry& entry) { return entry.key.text == "timeout"; });
  for (yaml_entry& entry : webhook.entries) {
    if (entry.key.text == "url") entry.value = scalar(without_secrets(entry.value.text));
    // The address must be one: its host says where the real one stands.
    if (entry.key.text == "url_file") entry = field("url", scalar("http://url_file/<secret>"));
    if (entry.key.text != "http_config") continue;
    yaml_node* const authorization = value_of(entry.value, "authorization");
    if (authorization == nullptr) continue;
    yaml_node* const credentials = value_of(*authorization, "credentials");
    if (credentials != nullptr) *credentials = scalar(std::string(secret));
  }
}

void hide_secrets(yaml_node& notify) {
  yaml_node* const receivers = value_of(notify, "receivers");
  if (receivers == nullptr) return;
  for (yaml_node& receiver : receivers->items) {
    yaml_node* const webhooks = value_of(receiver, "webhook_configs");
    if (webhooks == nullptr) continue;
    for (yaml_node& webhook : webhooks->items) hide_secrets_of_webhook(webhook);
  }
}

void add_route_to_nobody(yaml_node& notify) {
  notify.entries.push_back(field("route", map_of(field("receiver", scalar(std::string(nobody))))));
  yaml_node* receivers = value_of(notify, "receivers");
  if (receivers == nullptr) {
    notify.entries.push_back(field("receivers", yaml_node{}));
    receivers = &notify.entries.back().value;
    receivers->type = yaml_node::kind::list;
  }
  const bool there =
      std::any_of(receivers->items.begin(), receivers->items.end(), [](yaml_node& receiver) {
        const yaml_node* const name = value_of(receiver, "name");
        return name != nullptr && name->text == nobody;
      });
  if (there) return;
  yaml_node none = map_of(field("name", scalar(std::string(nobody))));
  receivers->items.push_back(std::move(none));
}

std::string quoted(std::string_view text) {
  std::string written = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      written += '\\';
      written += c;
    } else if (c == '\n') {
      written += "\\n";
    } else if (c == '\t') {
      written += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      written += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      written += c;
    }
  }
  return written + "\"";
}

/// A scalar as it may stand: what was plain stays plain, so that readers take it for what it was.
std::string written(const yaml_node& node) {
  switch (node.type) {
    case yaml_node::kind::null:
      return "null";
    case yaml_node::kind::list:
      return "[]";
    case yaml_node::kind::map:
      return "{}";
    case yaml_node::kind::scalar:
      break;
  }
  const bool plain =
      !node.quoted && !node.text.empty() && node.text.find('\n') == std::string::npos;
  return plain ? node.text : quoted(node.text);
}

bool has_inside(const yaml_node& node) {
  return !node.items.empty() || !node.entries.empty();
}

void write(const yaml_node& node, std::size_t indent, std::string& into) {
  const std::string margin(indent, ' ');
  for (const yaml_entry& entry : node.entries) {
    into += margin + written(entry.key) + ":";
    if (!has_inside(entry.value)) {
      into += " " + written(entry.value) + "\n";
      continue;
    }
    into += "\n";
    write(entry.value, indent + 2, into);
  }
  for (const yaml_node& item : node.items) {
    if (!has_inside(item)) {
      into += margin + "- " + written(item) + "\n";
      continue;
    }
    const std::size_t begin = into.size();
    write(item, indent + 2, into);
    into[begin + indent] = '-';
  }
}

}  // namespace

std::string notify_original(const yaml_node& notify) {
  yaml_node shown;
  shown.type = yaml_node::kind::map;
  if (notify.type == yaml_node::kind::map) shown.entries = notify.entries;
  hide_secrets(shown);
  if (value_of(shown, "route") == nullptr) add_route_to_nobody(shown);
  std::string text;
  write(shown, 0, text);
  return text;
}

}  // namespace tocsin
