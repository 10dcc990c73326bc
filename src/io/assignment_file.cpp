// SPDX-License-Identifier: Apache-2.0
// Decodes rules of assignment, each of which says in one way who it is.
#include "io/assignment_file.hpp"

#include <algorithm>
#include <array>

#include "io/interval_decoder.hpp"
#include "io/policy_fields.hpp"

namespace tocsin {
namespace {

constexpr std::array<std::string_view, 5> ways{"to", "label", "by_type", "last_handler",
                                               "round_robin"};
constexpr std::string_view ways_text = "to, label, by_type, last_handler or round_robin";

class assignment_decoder {
 public:
  explicit assignment_decoder(yaml_decoder& decode) : decode_(&decode) {}

  assignment_rule decode(const yaml_node& node) {
    assignment_rule made;
    if (!decode_->check_map(node, "a rule of assignment",
                            {"name", "matchers", "times", "to", "label", "by_type", "last_handler",
                             "round_robin"})) {
      return made;
    }
    const yaml_fields fields(node, *decode_);
    made.name = take_name(fields, "what alerts call it");
    take_matchers(fields, "matchers", made.matchers);
    take_times(fields, made.times);
    const yaml_entry* way = nullptr;
    for (const yaml_entry& entry : node.entries) {
      if (std::find(ways.begin(), ways.end(), entry.key.text) == ways.end()) continue;
      if (way != nullptr) {
        decode_->error(entry.key, fmt::format("a rule says in one way who it is, and this one has "
                                              "'{}' already: make '{}' a rule of its own",
                                              way->key.text, entry.key.text));
        continue;
      }
      way = &entry;
      take_way(fields, entry, made);
    }
    if (way == nullptr) {
      decode_->error(node,
                     fmt::format("a rule of assignment without anybody (wanted {})", ways_text));
    }
    return made;
  }

 private:
  void take_times(const yaml_fields& fields, std::vector<time_interval>& into) {
    const auto* times = fields.list("times", "leave it out for always");
    if (times == nullptr) return;
    for (const yaml_node& node : *times)
      decode_interval(node, midnight::is_crossed, *decode_, into);
  }

  void take_way(const yaml_fields& fields, const yaml_entry& entry, assignment_rule& into) {
    const std::string& way = entry.key.text;
    if (way == "to") {
      into.by = assign_by::person;
      into.to = person(entry);
    } else if (way == "label") {
      into.by = assign_by::label;
      into.label = person(entry);
    } else if (way == "by_type") {
      into.by = assign_by::resource_type;
      take_types(entry, into.by_type);
    } else if (way == "last_handler") {
      into.by = assign_by::last_handler;
      bool on = true;
      take_flag(fields, "last_handler", on);
      if (!on) decode_->error(entry.value, "'last_handler': false is nobody (leave the rule out)");
    } else {
      into.by = assign_by::round_robin;
      (void)fields.list("round_robin", "the people who take turns");
      if (entry.value.type != yaml_node::kind::list) return;
      for (const yaml_node* item : take_list(fields, "round_robin")) {
        into.people.push_back(person({entry.key, *item}));
      }
    }
  }

  std::string person(const yaml_entry& entry) {
    const auto text = decode_->text(entry);
    if (!text) return "";
    if (text->text.empty()) {
      decode_->error(entry.value, fmt::format("'{}': a name is empty", entry.key.text));
    }
    return text->text;
  }

  void take_types(const yaml_entry& entry, std::vector<std::pair<std::string, std::string>>& into) {
    if (!decode_->check(entry, yaml_node::kind::map, "'by_type'")) return;
    if (entry.value.entries.empty()) {
      decode_->error(entry.value, "'by_type' is empty (wanted resource types with people)");
    }
    for (const yaml_entry& type : entry.value.entries) {
      into.emplace_back(type.key.text, person(type));
    }
  }

  yaml_decoder* decode_;
};

}  // namespace

assignment_policy decode_assignment(const yaml_entry& assignment, yaml_decoder& decode) {
  assignment_policy made;
  if (!decode.check_map(assignment.value, "'assignment'", {"rules", "fallback"})) return made;
  const yaml_fields fields(assignment.value, decode);
  placed_text fallback;
  fields.text("fallback", fallback);
  made.fallback = fallback.text;
  const yaml_entry* const rules = fields.entry("rules");
  if (rules == nullptr || !decode.check(*rules, yaml_node::kind::list, "'rules'")) return made;
  assignment_decoder one(decode);
  distinct_names names("rule of assignment");
  for (const yaml_node& node : rules->value.items) {
    assignment_rule rule = one.decode(node);
    if (names.add(rule.name, node, decode)) made.rules.push_back(std::move(rule));
  }
  return made;
}

}  // namespace tocsin
