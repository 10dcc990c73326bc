// SPDX-License-Identifier: Apache-2.0
// What a rule's keys are made of, and which of them it expects.
#pragma once

#include <string>
#include <vector>

#include "core/rule_findings.hpp"
#include "tocsin/rule_set.hpp"

namespace tocsin {

/// The fields of `group_by`, or the default ones. Reports what is wrong with them.
[[nodiscard]] std::vector<group_field> compile_group_by(const rule_spec& spec,
                                                        rule_findings& findings);

/// The keys of `expect`, in ascending order. Reports what is wrong with them. Precondition:
/// `fields` are right.
[[nodiscard]] std::vector<expected_key> compile_expected(const rule_spec& spec,
                                                         const std::vector<group_field>& fields,
                                                         rule_findings& findings);

/// The field as an expression: `labels.env`, or `labels["k8s.io/app"]` for what is no name there.
[[nodiscard]] std::string as_expression(const group_field& field);

}  // namespace tocsin
