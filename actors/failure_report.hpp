// SPDX-License-Identifier: Apache-2.0
// How an actor that throws is heard of: its role and the exception's text go to the gate.
#pragma once

#include <memory>
#include <string>

#include "burst_gate.hpp"

namespace caf {
class scheduled_actor;
}

namespace tocsin {

/// Called first in make_behavior: an exception in a handler, or in the rest of make_behavior, then
/// shuts the gate with "ROLE: TEXT" before any credit the actor holds comes back, and ends the
/// actor. What it had at hand is recorded as at a crash (record_failure).
void report_failures(caf::scheduled_actor* self, std::shared_ptr<burst_gate> gate,
                     std::string role);

}  // namespace tocsin
