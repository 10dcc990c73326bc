// SPDX-License-Identifier: Apache-2.0
// Decodes what is to last, and how long.
#include "io/durability_file.hpp"

#include <fmt/format.h>

#include <initializer_list>
#include <optional>
#include <string_view>

#include "io/yaml_fields.hpp"

namespace tocsin {
namespace {

constexpr std::uint64_t log_bytes_min = std::uint64_t{64} << 20;
constexpr std::uint64_t dedup_entries_min = 1'000;
constexpr std::uint64_t dedup_entries_max = 100'000'000;

std::optional<yaml_fields> section(const yaml_node& of, std::string_view name,
                                   std::initializer_list<std::string_view> known,
                                   yaml_decoder& decode) {
  const yaml_entry* const entry = find(of, name);
  if (entry == nullptr) return std::nullopt;
  if (!decode.check_map(entry->value, fmt::format("'{}'", name), known)) return std::nullopt;
  return yaml_fields{entry->value, decode};
}

void take_length(const yaml_fields& from, std::string_view name, duration& into, duration least,
                 duration most) {
  const yaml_entry* const entry = from.entry(name);
  if (entry == nullptr) return;
  const auto length = from.decode().length(*entry, least);
  if (!length) return;
  if (*length > most) {
    from.decode().error(entry->value, fmt::format("'{}': {} is too long (at most {})", name,
                                                  entry->value.text, format_duration(most)));
    return;
  }
  into = *length;
}

}  // namespace

durability_settings decode_durability(const yaml_node& root, yaml_decoder& decode) {
  durability_settings into;
  if (const auto log = section(root, "event_log", {"horizon", "bytes"}, decode)) {
    take_length(*log, "horizon", into.log_horizon, duration{0}, std::chrono::days{10'000});
    log->bytes("bytes", into.log_bytes);
    if (into.log_bytes < log_bytes_min) {
      decode.error(log->entry("bytes")->value, "'bytes' is too little (at least 64MiB)");
    }
  }
  if (const auto snapshots = section(root, "snapshots", {"every"}, decode)) {
    take_length(*snapshots, "every", into.snapshot_every, std::chrono::seconds{1},
                std::chrono::days{1});
  }
  const yaml_entry* const ingest = find(root, "ingest");
  if (ingest == nullptr || ingest->value.type != yaml_node::kind::map) return into;
  if (const auto dedup = section(ingest->value, "dedup", {"horizon", "entries"}, decode)) {
    take_length(*dedup, "horizon", into.dedup.horizon, std::chrono::seconds{1},
                std::chrono::days{7});
    std::uint64_t entries = into.dedup.entries;
    dedup->count("entries", entries, dedup_entries_min, dedup_entries_max);
    into.dedup.entries = static_cast<std::size_t>(entries);
  }
  return into;
}

}  // namespace tocsin
