// SPDX-License-Identifier: Apache-2.0
// Compiled enrichment steps: what the compiler makes and the enricher runs.
#pragma once

#include <re2/re2.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tocsin/enrichment.hpp"
#include "tocsin/expression.hpp"
#include "tocsin/rule_set.hpp"

namespace tocsin {

struct extract_step {
  group_field field;
  std::unique_ptr<const re2::RE2> pattern;
  std::vector<std::pair<int, std::string>> groups;  ///< number in the pattern -> label, ascending
};

struct lookup_step {
  group_field on;
  std::size_t table = 0;            ///< index in program::lookups
  std::vector<std::string> labels;  ///< by column
};

struct rename_step {
  std::vector<std::pair<std::string, std::string>> labels;
};

struct set_step {
  std::vector<std::pair<std::string, text_template>> labels;
};

struct drop_step {
  std::vector<std::string> labels;
};

struct compiled_step {
  std::string name;
  std::optional<expression> where;
  std::variant<extract_step, lookup_step, rename_step, set_step, drop_step> what;
};

struct enrichment::program {
  std::vector<compiled_step> steps;
  std::vector<lookup_request> lookups;
  event_limits limits;
};

}  // namespace tocsin
