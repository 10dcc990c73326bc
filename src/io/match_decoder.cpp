// SPDX-License-Identifier: Apache-2.0
// Decodes structured filters; what the terms mean is the compiler's business.
#include "io/match_decoder.hpp"

#include <algorithm>
#include <utility>

namespace tocsin {
namespace {

constexpr std::string_view empty_hint = "write 'where: true' to take every event";

void add_value(const yaml_node& node, yaml_decoder& decode, match_term& term) {
  if (node.type != yaml_node::kind::scalar) {
    decode.error(node, fmt::format("'value' must be a text or a list of texts, this is {}",
                                   to_text(node.type)));
    return;
  }
  term.values.push_back(placed(node));
  term.quoted.push_back(node.quoted);
}

match_term decode_map(const yaml_node& node, yaml_decoder& decode) {
  match_term term;
  decode.check_map(node, "a term of 'match'", {"field", "op", "value"});
  const yaml_fields fields(node, decode);
  fields.required_text("field", "a field of the event, or labels.NAME", term.field);
  fields.required_text("op", "eq, ne, in, contains, not_contains, re, gt, ge, lt or le", term.op);
  const yaml_entry* const value = fields.entry("value");
  if (value == nullptr) {
    decode.error(node, "'value' is missing (what the field is compared with)");
  } else if (value->value.type == yaml_node::kind::null) {
    decode.error(value->key, "'value' must be a text or a list of texts, this is an empty value");
  } else if (value->value.type != yaml_node::kind::list) {
    add_value(value->value, decode, term);
  } else if (value->value.items.empty()) {
    decode.error(value->value, "'value' is empty (a list needs at least one value)");
  } else {
    for (const yaml_node& one : value->value.items) add_value(one, decode, term);
  }
  return term;
}

match_term decode_term(const yaml_node& node, yaml_decoder& decode) {
  if (node.type == yaml_node::kind::map) return decode_map(node, decode);
  match_term term;
  if (node.type == yaml_node::kind::scalar) {
    term.matcher = placed(node);
  } else {
    decode.error(node, fmt::format("a term of 'match' must be a map {{field, op, value}} or a "
                                   "matcher such as 'item=\"cpu\"', this is {}",
                                   to_text(node.type)));
  }
  return term;
}

std::vector<match_term> decode_group(const std::vector<yaml_node>& nodes, yaml_decoder& decode) {
  std::vector<match_term> group;
  for (const yaml_node& node : nodes) group.push_back(decode_term(node, decode));
  return group;
}

}  // namespace

std::vector<std::vector<match_term>> decode_match(const yaml_fields& rule) {
  const std::vector<yaml_node>* const items = rule.list("match", empty_hint);
  if (items == nullptr) return {};
  const auto is_list = [](const yaml_node& one) { return one.type == yaml_node::kind::list; };
  if (std::none_of(items->begin(), items->end(), is_list)) {
    return {decode_group(*items, rule.decode())};
  }
  std::vector<std::vector<match_term>> groups;
  for (const yaml_node& node : *items) {
    if (!is_list(node)) {
      rule.decode().error(node,
                          "'match' is a list of terms or a list of lists of terms, not both "
                          "(put this term into a list of its own)");
    } else if (node.items.empty()) {
      rule.decode().error(node, fmt::format("a list in 'match' is empty ({})", empty_hint));
    } else {
      groups.push_back(decode_group(node.items, rule.decode()));
    }
  }
  return groups;
}

}  // namespace tocsin
