// SPDX-License-Identifier: Apache-2.0
// Structured filters: each term is written as the expression that means the same.
#pragma once

#include <optional>
#include <string>

#include "core/rule_findings.hpp"

namespace tocsin {

/// The expression over one event that a term of `match` stands for; nothing when the term is wrong,
/// which is then reported at its field, operator or value.
///
/// A term is true only of what is there, as in expressions: `ne`, `not_contains`, != and !~ leave
/// out events that have no such field (Prometheus would take them), and nothing equals "" but "".
///
/// | term | expression |
/// |---|---|
/// | {field: f, op: eq, value: a} | f == a; of a list f in [a, b] |
/// | ne | f != a; of a list f != a && f != b |
/// | in | f in [a, b] |
/// | gt, ge, lt, le | f > a, f >= a, f < a, f <= a |
/// | contains, not_contains | f.contains(a); has(f) && !f.contains(a) |
/// | re | f.matches(a), which searches |
/// | 'f="a"', 'f!="a"' | f == "a", f != "a" |
/// | 'f=~"a"', 'f!~"a"' | f.matches("^(?:a)$"); has(f) && !f.matches("^(?:a)$") |
///
/// A field is one of the event's or labels.NAME. The name of a matcher that is no field of the
/// event is a label's. Matchers are read as Alertmanager reads them: the value may stand without
/// quotes;
/// \", \\, \n, \r and \t are escapes, any other backslash stays.
[[nodiscard]] std::optional<std::string> match_expression(const match_term& term,
                                                          rule_findings& findings);

}  // namespace tocsin
