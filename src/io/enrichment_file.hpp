// SPDX-License-Identifier: Apache-2.0
// Reads enrichment from settings: the steps of the YAML, and the steps at work with their tables.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/lookup_watcher.hpp"
#include "io/yaml_reader.hpp"
#include "tocsin/enrichment.hpp"
#include "tocsin/result.hpp"

namespace tocsin {

/// The steps of `enrich`, a list in the settings file `file`, to whose folder the tables' files are
/// relative. All errors are reported; steps with one are left out.
[[nodiscard]] std::vector<enrichment_step> decode_enrichment(const yaml_entry& enrich,
                                                             const std::string& file,
                                                             yaml_decoder& decode);

/// Compiled steps and the tables they look things up in. Both null where there is no step.
struct loaded_enrichment {
  std::shared_ptr<const enrichment> steps;
  std::shared_ptr<lookup_watcher> tables;
};

/// Compiles steps and loads their tables. With errors, which are all reported, it is empty.
[[nodiscard]] loaded_enrichment load_enrichment(std::vector<enrichment_step> steps,
                                                const event_limits& limits, diagnostics& found);

}  // namespace tocsin
