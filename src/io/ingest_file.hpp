// SPDX-License-Identifier: Apache-2.0
// The settings of what each source may send: `quotas`, `sources` and `shed` of the section
// `ingest`.
#pragma once

#include "io/yaml_reader.hpp"
#include "tocsin/ingest_quotas.hpp"

namespace tocsin {

/// Decodes them from the section's map; findings go to `decode`.
[[nodiscard]] ingest_quotas decode_ingest_quotas(const yaml_node& ingest, yaml_decoder& decode);

}  // namespace tocsin
