// SPDX-License-Identifier: Apache-2.0
// Reads quotas: a source that is named has those of all, but for what is written for it.
#include "io/ingest_file.hpp"

#include <fmt/format.h>

#include "io/policy_fields.hpp"
#include "io/yaml_fields.hpp"

namespace tocsin {
namespace {

constexpr std::uint64_t events_per_second_max = 1'000'000'000;
constexpr std::uint64_t keys_max = 1'000'000;
constexpr duration shortest_burst = std::chrono::seconds{1};
constexpr duration longest_burst = std::chrono::hours{1};
constexpr std::size_t sources_max = 10'000;

void decode_quota(const yaml_fields& from, source_quota& into) {
  from.count("events_per_second", into.events_per_second, 0, events_per_second_max);
  from.count("keys", into.keys, 0, keys_max);
}

void decode_sources(const yaml_entry& sources, yaml_decoder& decode, ingest_quotas& into) {
  if (!decode.check(sources, yaml_node::kind::map, "'sources'")) return;
  if (sources.value.entries.size() > sources_max) {
    decode.error(sources.value, fmt::format("'sources': {} are too many (at most {})",
                                            sources.value.entries.size(), sources_max));
    return;
  }
  for (const yaml_entry& named : sources.value.entries) {
    if (!decode.check_map(named.value, fmt::format("source '{}'", named.key.text),
                          {"events_per_second", "keys", "disabled"})) {
      continue;
    }
    const yaml_fields fields{named.value, decode};
    source_quota quota = into.every;
    decode_quota(fields, quota);
    take_flag(fields, "disabled", quota.disabled);
    into.by_source.insert_or_assign(named.key.text, quota);
  }
}

}  // namespace

ingest_quotas decode_ingest_quotas(const yaml_node& ingest, yaml_decoder& decode) {
  ingest_quotas into;
  const yaml_entry* const quotas = find(ingest, "quotas");
  if (quotas != nullptr &&
      decode.check_map(quotas->value, "'quotas'", {"events_per_second", "burst", "keys"})) {
    const yaml_fields fields{quotas->value, decode};
    decode_quota(fields, into.every);
    take_length(fields, "burst", into.burst, shortest_burst, longest_burst);
  }
  if (const yaml_entry* const sources = find(ingest, "sources")) {
    decode_sources(*sources, decode, into);
  }
  take_flag(yaml_fields{ingest, decode}, "shed", into.shed);
  return into;
}

}  // namespace tocsin
