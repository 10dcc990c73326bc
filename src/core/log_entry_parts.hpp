// SPDX-License-Identifier: Apache-2.0
// The parts of a log entry's bytes: its events, its operation.
#pragma once

#include <memory>
#include <string>

#include "core/log_entry_bytes.hpp"
#include "tocsin/event.hpp"
#include "tocsin/operation.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

/// Times are written relative to `clock`, the entry's.
void write_batch(const event_batch& batch, instant clock, std::string& into);
/// Texts are views into what is read. What does not fit is with the reader, and what is given then
/// means nothing.
[[nodiscard]] std::shared_ptr<event_batch> read_batch(entry_reader& from, instant clock);

void write_operation(const operation& asked, instant clock, std::string& into);
[[nodiscard]] operation read_operation(entry_reader& from, instant clock);

}  // namespace tocsin
