// SPDX-License-Identifier: Apache-2.0
// An alert's condition with the numbers that met it in the places of their names.
#pragma once

#include <string>

#include "tocsin/alert.hpp"

namespace tocsin {

/// "failures >= 3" with failures 5 -> "5 >= 3". In the place of a name stands the value that the
/// alert has for it: its values, and event_count, first_event_time, last_event_time, duration,
/// window.start, window.end and rule. A name that the alert tells nothing of stays; so do names in
/// texts, of labels, of functions, and all that stands in an aggregate's or has()'s brackets, which
/// are names of events' fields. A condition that is not an expression stays as it is.
[[nodiscard]] std::string condition_with_values(const alert& of);

}  // namespace tocsin
