// SPDX-License-Identifier: Apache-2.0
// Checks the types of an expression's tree and writes its program.
#pragma once

#include <memory>
#include <string_view>

#include "core/expression_program.hpp"
#include "core/expression_syntax.hpp"

namespace tocsin::syntax {

/// The program of a tree, all but `required` (and what points into it) filled in. `source` is the
/// text the tree came from.
[[nodiscard]] result<std::shared_ptr<expression::program>> check(const node& root,
                                                                 std::string_view source,
                                                                 const schema& names);

}  // namespace tocsin::syntax
