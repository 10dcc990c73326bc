// SPDX-License-Identifier: Apache-2.0
// What the daemon has counted, as Prometheus reads it: text exposition format 0.0.4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "io/acked_listener.hpp"
#include "io/http_refusals.hpp"
#include "io/lookup_watcher.hpp"
#include "io/network_gate.hpp"
#include "tocsin/pipeline_counts.hpp"

namespace tocsin {

/// What the system says of this process. What could not be read is empty.
struct process_usage {
  std::optional<std::uint64_t> resident_bytes;
  std::optional<double> started_at_seconds;  ///< since the Unix epoch
};
[[nodiscard]] process_usage read_process_usage();

/// What the sockets count before anything comes to the pipeline.
struct door_counts {
  std::vector<surface_counts> surfaces;
  std::optional<acked_counts> acked;    ///< nothing: the acked surface is off
  const http_refusals* http = nullptr;  ///< null: HTTP is off
};

/// Not thread-safe. Names, units and meaning: docs/http.md.
class metrics_page {
 public:
  static constexpr const char* content_type = "text/plain; version=0.0.4; charset=utf-8";
  /// Sources with series of their own: those seen first. The others are counted together as
  /// "__other__". A source keeps its place, so that no series ever falls.
  static constexpr std::size_t sources_max = 1'000;

  /// `version` is the program's, `rules` the number of rules loaded.
  metrics_page(std::string version, std::size_t rules)
      : version_(std::move(version)), rules_(rules) {}

  [[nodiscard]] std::string render(const pipeline_counts& counts, const process_usage& process,
                                   const std::vector<lookup_status>& lookups = {},
                                   const door_counts& doors = {});

 private:
  [[nodiscard]] std::map<std::string, ingest_counts> counts_by_shown_source(
      const std::map<std::string, ingest_counts>& by_source);
  [[nodiscard]] std::map<std::string, std::uint64_t> late_by_shown_source(
      const std::map<std::string, std::uint64_t>& by_source);
  /// The source itself, or what it is counted under.
  const std::string& shown_as(const std::string& source);

  std::string version_;
  std::size_t rules_;
  std::set<std::string> shown_sources_;
};

}  // namespace tocsin
