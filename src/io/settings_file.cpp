// SPDX-License-Identifier: Apache-2.0
// Decodes the daemon's settings and refuses what could open a door to strangers.
#include "io/settings_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <limits>

#include "io/enrichment_file.hpp"
#include "io/ingest_file.hpp"
#include "io/yaml_reader.hpp"

namespace tocsin {
namespace {

constexpr std::uint64_t shards_max = 256;
constexpr std::uint64_t kib = 1024;
constexpr std::uint64_t mib = 1024 * kib;
constexpr std::uint64_t gib = 1024 * mib;
constexpr duration longest_retention = std::chrono::days{10'000};

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool octal_looking = text.size() > 1 && text.front() == '0';
  if (failed != std::errc{} || end != text.data() + text.size() || octal_looking) {
    return std::nullopt;
  }
  return number;
}

/// "4096", "64KiB" or "1MiB".
std::optional<std::uint64_t> byte_size(std::string_view text) {
  std::uint64_t unit_bytes = 1;
  for (const auto& [suffix, bytes] :
       {std::pair{"KiB", kib}, std::pair{"MiB", mib}, std::pair{"GiB", gib}}) {
    if (!text.ends_with(suffix)) continue;
    unit_bytes = bytes;
    text.remove_suffix(3);
    break;
  }
  const auto number = whole_number(text);
  if (!number || *number > std::numeric_limits<std::uint64_t>::max() / unit_bytes) {
    return std::nullopt;
  }
  return *number * unit_bytes;
}

std::string byte_text(std::uint64_t bytes) {
  if (bytes >= gib && bytes % gib == 0) return fmt::format("{}GiB", bytes / gib);
  if (bytes >= mib && bytes % mib == 0) return fmt::format("{}MiB", bytes / mib);
  if (bytes >= kib && bytes % kib == 0) return fmt::format("{}KiB", bytes / kib);
  return fmt::format("{}", bytes);
}

/// An IPv4 address of 127.0.0.0/8 in full: names that only begin like one may lead anywhere.
bool is_loopback_address(std::string_view host) {
  int part = 0;
  for (;; ++part) {
    const auto dot = host.find('.');
    const auto number = whole_number(host.substr(0, dot));
    if (!number || *number > 255 || (part == 0 && *number != 127)) return false;
    if (dot == std::string_view::npos) return part == 3;
    host.remove_prefix(dot + 1);
  }
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "[::1]" || is_loopback_address(host);
}

/// Who may be able to reach an address.
enum class reach {
  this_host_http,  ///< HTTP asks nobody for a key
  this_host,       ///< an endpoint without CURVE
  anybody          ///< an endpoint with CURVE
};

/// What is wrong with "HOST:PORT", or "". Endpoints may have "*", the system's choice, as port.
std::string refuse_address(std::string_view address, reach by) {
  const auto colon = address.rfind(':');
  if (colon == std::string_view::npos) return "has no port (try 127.0.0.1:PORT)";
  const std::string_view host = address.substr(0, colon);
  const std::string_view port = address.substr(colon + 1);
  if (by != reach::anybody && !is_loopback(host)) {
    return fmt::format(
        "'{}' is not a loopback address (127.0.0.0/8, localhost or [::1]): whoever reaches the "
        "port could send events and read alerts, because connections are not authenticated{}",
        host, by == reach::this_host ? " (security.curve makes them so)" : "");
  }
  if (host.empty()) return "has no host (try * for all addresses)";
  const auto number = whole_number(port);
  if ((by != reach::this_host_http && port == "*") || (number && *number <= 65535)) return "";
  return fmt::format("'{}' is not a port (0 to 65535)", port);
}

std::string refuse_endpoint(std::string_view endpoint, reach by) {
  constexpr std::string_view ipc = "ipc://";
  constexpr std::string_view tcp = "tcp://";
  if (endpoint.empty()) return "";
  if (endpoint.starts_with(ipc)) return endpoint.size() > ipc.size() ? "" : "names no file";
  if (endpoint.starts_with(tcp)) return refuse_address(endpoint.substr(tcp.size()), by);
  return "is not an endpoint (wanted tcp://127.0.0.1:PORT, ipc://FILE or \"\" for off)";
}

class settings_decoder {
 public:
  settings_decoder(const std::string& file, diagnostics& found)
      : file_(file), folder_(std::filesystem::path(file).parent_path()), decode_(file, found) {}

  settings decode(const yaml_node& root) {
    settings into;
    if (root.type == yaml_node::kind::null) return into;
    if (!decode_.check_map(
            root, "the settings",
            {"ingest",     "alerts",   "http",  "rules",     "data",      "shards",     "tick",
             "log",        "limits",   "state", "enrich",    "notify",    "escalation", "incidents",
             "assignment", "flapping", "store", "event_log", "snapshots", "security"})) {
      return into;
    }
    into.security = decode_security(root, folder_, decode_);
    reach_ = into.security.curve() ? reach::anybody : reach::this_host;
    if (const yaml_node* ingest =
            section(root, "ingest", {"push", "acked", "dedup", "quotas", "sources", "shed"})) {
      into.quotas = decode_ingest_quotas(*ingest, decode_);
      take_endpoint(*ingest, "push", into.ingest_push);
      take_endpoint(*ingest, "acked", into.ingest_acked);
    }
    if (const yaml_node* alerts = section(root, "alerts", {"stream", "replay"})) {
      take_endpoint(*alerts, "stream", into.alerts_stream);
      take_endpoint(*alerts, "replay", into.alerts_replay);
    }
    if (const yaml_node* http = section(root, "http", {"listen"})) {
      take_checked(*http, "listen", into.http_listen, [](std::string_view text) {
        return text.empty() ? std::string{} : refuse_address(text, reach::this_host_http);
      });
    }
    decode_rules(root, into.rules);
    take_checked(root, "data", into.data, [](std::string_view) { return std::string{}; });
    take_number(root, "shards", into.shards, 0, shards_max);
    take_length(root, "tick", into.tick, std::chrono::milliseconds{1}, std::chrono::minutes{1});
    if (const yaml_node* log = section(root, "log", {"level"})) {
      take_checked(*log, "level", into.log_level, [](std::string_view text) {
        const bool known =
            text == "debug" || text == "info" || text == "warning" || text == "error";
        return known ? "" : "is not one of debug, info, warning, error";
      });
    }
    decode_limits(root, into.limits);
    decode_state(root, into.state);
    if (const yaml_entry* enrich = find(root, "enrich")) {
      into.enrich = decode_enrichment(*enrich, file_, decode_);
    }
    into.policy = decode_alert_policy(root, file_, decode_);
    into.durability = decode_durability(root, decode_);
    if (const yaml_node* store = section(root, "store", {"retention"})) {
      take_length(*store, "retention", into.retention, std::chrono::hours{1}, longest_retention);
    }
    return into;
  }

 private:
  const yaml_node* section(const yaml_node& root, std::string_view name,
                           std::initializer_list<std::string_view> known) {
    const yaml_entry* entry = find(root, name);
    if (entry == nullptr) return nullptr;
    if (!decode_.check(*entry, yaml_node::kind::map, fmt::format("'{}'", name))) return nullptr;
    decode_.check_map(entry->value, fmt::format("'{}'", name), known);
    return &entry->value;
  }

  template <class Refuse>
  void take_checked(const yaml_node& map, std::string_view name, std::string& into,
                    Refuse&& refuse) {
    const yaml_entry* entry = find(map, name);
    if (entry == nullptr) return;
    const auto text = decode_.text(*entry);
    if (!text) return;
    if (const std::string wrong = refuse(std::string_view{text->text}); !wrong.empty()) {
      decode_.error(entry->value, fmt::format("'{}': \"{}\" {}", name, text->text, wrong));
      return;
    }
    into = text->text;
  }

  void take_endpoint(const yaml_node& map, std::string_view name, std::string& into) {
    take_checked(map, name, into,
                 [this](std::string_view text) { return refuse_endpoint(text, reach_); });
  }

  void take_number(const yaml_node& map, std::string_view name, std::size_t& into,
                   std::uint64_t least, std::uint64_t most) {
    take_checked_number(map, name, into, least, most, false);
  }
  void take_bytes(const yaml_node& map, std::string_view name, std::size_t& into,
                  std::uint64_t least, std::uint64_t most) {
    take_checked_number(map, name, into, least, most, true);
  }

  void take_checked_number(const yaml_node& map, std::string_view name, std::size_t& into,
                           std::uint64_t least, std::uint64_t most, bool bytes) {
    std::string text;
    take_checked(map, name, text, [&](std::string_view written) -> std::string {
      const auto number = bytes ? byte_size(written) : whole_number(written);
      if (number && *number >= least && *number <= most) {
        into = static_cast<std::size_t>(*number);
        return "";
      }
      if (bytes) {
        return fmt::format(
            "is not a size between {} and {} (a whole number of bytes, KiB, MiB or GiB)",
            byte_text(least), byte_text(most));
      }
      return fmt::format("is not a whole number between {} and {}", least, most);
    });
  }

  void take_length(const yaml_node& map, std::string_view name, duration& into, duration least,
                   duration most) {
    const yaml_entry* entry = find(map, name);
    if (entry == nullptr) return;
    const auto length = decode_.length(*entry, least);
    if (!length) return;
    if (*length > most) {
      decode_.error(entry->value, fmt::format("'{}': {} is too long (at most {})", name,
                                              entry->value.text, format_duration(most)));
      return;
    }
    into = *length;
  }

  void decode_rules(const yaml_node& root, std::vector<std::string>& into) {
    const yaml_entry* entry = find(root, "rules");
    if (entry == nullptr) return;
    if (entry->value.type != yaml_node::kind::list) {
      add_glob(*entry, into);
      return;
    }
    for (const yaml_node& item : entry->value.items) add_glob({entry->key, item}, into);
  }

  void add_glob(const yaml_entry& entry, std::vector<std::string>& into) {
    const auto glob = decode_.text(entry);
    if (!glob) return;
    if (glob->text.empty()) {
      decode_.error(entry.value, "'rules': a file pattern is empty (try rules/*.yaml)");
      return;
    }
    into.push_back((folder_ / glob->text).string());
  }

  void decode_limits(const yaml_node& root, event_limits& into) {
    const yaml_node* limits =
        section(root, "limits",
                {"message_bytes", "events_per_message", "event_bytes", "nesting", "event_id_bytes",
                 "labels", "label_name_bytes", "value_bytes", "time_ahead_max"});
    if (limits == nullptr) return;
    take_bytes(*limits, "message_bytes", into.message_bytes, kib, 64 * mib);
    take_number(*limits, "events_per_message", into.events_per_message, 1, 1'000'000);
    take_bytes(*limits, "event_bytes", into.event_bytes, 64, 16 * mib);
    take_number(*limits, "nesting", into.nesting, 2, 64);
    take_bytes(*limits, "event_id_bytes", into.event_id_bytes, 1, 4 * kib);
    take_number(*limits, "labels", into.labels, 0, 1024);
    take_bytes(*limits, "label_name_bytes", into.label_name_bytes, 1, 4 * kib);
    take_bytes(*limits, "value_bytes", into.value_bytes, 1, mib);
    take_length(*limits, "time_ahead_max", into.time_ahead_max, duration{0},
                std::chrono::hours{24});
    if (into.event_bytes > into.message_bytes) {
      decode_.error(*limits,
                    fmt::format("'event_bytes' {} is larger than 'message_bytes' {}",
                                byte_text(into.event_bytes), byte_text(into.message_bytes)));
    }
  }

  void decode_state(const yaml_node& root, engine_limits& into) {
    const yaml_node* state = section(root, "state", {"keys", "bytes", "work_per_second"});
    if (state == nullptr) return;
    take_number(*state, "keys", into.keys, 1, 1'000'000'000);
    take_bytes(*state, "bytes", into.bytes, mib, 1024 * gib);
    take_number(*state, "work_per_second", into.work_per_second, 1000, 1'000'000'000'000);
  }

  std::string file_;
  std::filesystem::path folder_;
  yaml_decoder decode_;
  reach reach_ = reach::this_host;  ///< of endpoints
};

}  // namespace

settings parse_settings(std::string_view yaml, const std::string& file, diagnostics& found) {
  const auto root = read_yaml(yaml, file, found);
  if (!root) return {};
  return settings_decoder(file, found).decode(*root);
}

settings load_settings(const std::string& file, diagnostics& found) {
  const auto bytes = read_file(file);
  if (!bytes) {
    found.push_back({diagnostic::grade::error, file, 0, 0, bytes.failure().message});
    return {};
  }
  return parse_settings(*bytes, file, found);
}

}  // namespace tocsin
