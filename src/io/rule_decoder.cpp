// SPDX-License-Identifier: Apache-2.0
// Decodes rules; what their texts mean is the compiler's business.
#include "io/rule_decoder.hpp"

#include <utility>

#include "io/match_decoder.hpp"
#include "io/window_decoder.hpp"
#include "io/yaml_fields.hpp"

namespace tocsin {
namespace {

void decode_filter(const yaml_fields& rule, rule_spec& spec) {
  if (!rule.has("match") && !rule.has("then")) {
    rule.required_text("where", "write 'where: true' to take every event", spec.where);
  } else {
    rule.text("where", spec.where);
  }
  if (spec.where.line != 0 && spec.where.text.empty()) {
    rule.decode().error(rule.entry("where")->value,
                        "'where' is empty (write 'where: true' to take every event)");
  }
  spec.match = decode_match(rule);
}

void decode_group_by(const yaml_fields& rule, rule_spec& spec) {
  const auto* const fields = rule.list("group_by", "name at least one field");
  if (fields == nullptr) return;
  for (const yaml_node& field : *fields) {
    if (auto text = rule.decode().text({rule.entry("group_by")->key, field})) {
      spec.group_by.push_back(std::move(*text));
    }
  }
}

void decode_texts(const yaml_fields& rule, rule_spec& spec) {
  rule.texts("select", spec.select);
  rule.text("having", spec.having);
  rule.text("severity", spec.severity);
  rule.text("title", spec.title);
  rule.text("description", spec.description);
  rule.texts("labels", spec.labels);
  rule.texts("annotations", spec.annotations);
}

void decode_times(const yaml_fields& rule, rule_spec& spec) {
  rule.length("for", spec.pending_for);
  rule.length("keep_firing_for", spec.keep_firing_for);
  rule.length("close_after", spec.close_after);
  if (rule.has("lateness")) rule.length("lateness", spec.lateness.emplace());
  rule.choose("clock", spec.clock,
              {{"event", rule_clock::event}, {"arrival", rule_clock::arrival}});
  rule.choose("fire", spec.fire, {{"early", fire_mode::early}, {"close", fire_mode::close}});
}

rule_spec decode_rule(const yaml_node& node, const std::string& file, yaml_decoder& decode) {
  rule_spec spec;
  spec.file = file;
  spec.line = node.line;
  if (!decode.check_map(
          node, "a rule",
          {"name",        "where",    "match",           "group_by",    "window",     "then",
           "expect",      "baseline", "select",          "having",      "severity",   "title",
           "description", "for",      "keep_firing_for", "lateness",    "clock",      "fire",
           "fire_on",     "limits",   "labels",          "annotations", "close_after"})) {
    return spec;
  }
  for (const yaml_entry& entry : node.entries) {
    spec.places.push_back({entry.key.text, entry.value.line, entry.value.column});
  }
  const yaml_fields rule(node, decode);
  rule.required_text("name", "every rule has one", spec.name);
  decode_filter(rule, spec);
  decode_group_by(rule, spec);
  decode_texts(rule, spec);
  decode_times(rule, spec);
  decode_window(rule, spec);
  return spec;
}

}  // namespace

std::vector<rule_spec> decode_rules(const yaml_node& root, const std::string& file,
                                    diagnostics& found) {
  std::vector<rule_spec> specs;
  yaml_decoder decode(file, found);
  if (root.type == yaml_node::kind::null) {
    decode.error(0, 0, "the file is empty (wanted 'rules:' and a list)");
    return specs;
  }
  if (!decode.check_map(root, "a rule file", {"rules"})) return specs;
  const yaml_entry* rules = find(root, "rules");
  if (rules == nullptr) {
    decode.error(root, "'rules' is missing");
    return specs;
  }
  if (!decode.check(*rules, yaml_node::kind::list, "'rules'")) return specs;
  for (const yaml_node& node : rules->value.items) {
    const std::size_t before = decode.errors();
    rule_spec spec = decode_rule(node, file, decode);
    if (decode.errors() == before) specs.push_back(std::move(spec));
  }
  return specs;
}

}  // namespace tocsin
