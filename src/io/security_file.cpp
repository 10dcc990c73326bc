// SPDX-License-Identifier: Apache-2.0
// Decodes the section `security` and knows which role may use which socket.
#include "io/security_file.hpp"

#include <fmt/format.h>

#include "io/yaml_fields.hpp"

namespace tocsin {
namespace {

constexpr std::uint64_t connections_most = 100'000;
constexpr std::uint64_t subscriptions_most = 1'000'000;

class security_decoder {
 public:
  security_decoder(const std::filesystem::path& folder, yaml_decoder& decode)
      : folder_(folder), decode_(decode) {}

  security_settings decode(const yaml_entry& section) {
    security_settings into;
    if (!decode_.check_map(section.value, "'security'",
                           {"curve", "allow", "connections", "subscriptions"})) {
      return into;
    }
    if (const yaml_entry* curve = find(section.value, "curve")) {
      if (decode_.check_map(curve->value, "'curve'", {"server_key_file"})) {
        take_file(curve->value, "server_key_file", into.server_key_file);
      }
    }
    if (const yaml_entry* allow = find(section.value, "allow")) decode_allow(*allow, into);
    const yaml_fields fields(section.value, decode_);
    take_count(fields, "connections", into.limits.connections, connections_most);
    take_count(fields, "subscriptions", into.limits.subscriptions, subscriptions_most);
    return into;
  }

 private:
  void decode_allow(const yaml_entry& allow, security_settings& into) {
    if (!decode_.check_map(allow.value, "'allow'",
                           {"agents", "subscribers", "operators", "nodes"})) {
      return;
    }
    bool some = false;
    for (const curve_role role : all_roles) {
      std::string& path = into.allow[static_cast<std::size_t>(role)];
      take_file(allow.value, to_text(role), path);
      some = some || !path.empty();
    }
    if (some && !into.curve()) {
      decode_.error(allow.key,
                    "'allow': without 'curve: {server_key_file: FILE}' nobody is asked for a key, "
                    "and whoever reaches a socket may use it");
    }
  }

  /// A path, or "" for none.
  void take_file(const yaml_node& map, std::string_view name, std::string& into) {
    const yaml_entry* entry = find(map, name);
    if (entry == nullptr) return;
    const auto path = decode_.text(*entry);
    if (path && !path->text.empty()) into = (folder_ / path->text).string();
  }

  static void take_count(const yaml_fields& fields, std::string_view name, std::size_t& into,
                         std::uint64_t most) {
    std::uint64_t count = into;
    fields.count(name, count, 1, most);
    into = static_cast<std::size_t>(count);
  }

  const std::filesystem::path& folder_;
  yaml_decoder& decode_;
};

}  // namespace

std::string_view to_text(surface which) noexcept {
  switch (which) {
    case surface::push:
      return "push";
    case surface::acked:
      return "acked";
    case surface::stream:
      return "stream";
    case surface::replay:
      return "replay";
  }
  return "";
}

std::string_view to_text(curve_role role) noexcept {
  switch (role) {
    case curve_role::agents:
      return "agents";
    case curve_role::subscribers:
      return "subscribers";
    case curve_role::operators:
      return "operators";
    case curve_role::nodes:
      return "nodes";
  }
  return "";
}

bool may_use(curve_role role, surface which) noexcept {
  switch (role) {
    case curve_role::agents:
      return which == surface::push || which == surface::acked;
    case curve_role::subscribers:
    case curve_role::operators:
      return which == surface::stream || which == surface::replay;
    case curve_role::nodes:
      return false;
  }
  return false;
}

security_settings decode_security(const yaml_node& settings, const std::filesystem::path& folder,
                                  yaml_decoder& decode) {
  const yaml_entry* section = find(settings, "security");
  return section == nullptr ? security_settings{}
                            : security_decoder{folder, decode}.decode(*section);
}

}  // namespace tocsin
