// SPDX-License-Identifier: Apache-2.0
// Makes messages of the entries, as an agent would, and has the decoder look at each of them.
#include "io/rule_test_events.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <deque>
#include <map>

#include "io/event_decoder.hpp"
#include "io/event_encoder.hpp"
#include "tocsin/event.hpp"

namespace tocsin {
namespace {

constexpr std::string_view number_mark = "${n}";

bool read_number(std::string_view& from, double& into) {
  const auto [end, failed] = std::from_chars(from.data(), from.data() + from.size(), into);
  if (failed != std::errc{} || !std::isfinite(into)) return false;
  from.remove_prefix(static_cast<std::size_t>(end - from.data()));
  return true;
}

bool read_count(std::string_view& from, std::size_t& into) {
  const auto [end, failed] = std::from_chars(from.data(), from.data() + from.size(), into);
  if (failed != std::errc{} || into > test_events_max) return false;
  from.remove_prefix(static_cast<std::size_t>(end - from.data()));
  return true;
}

bool take(std::string_view& from, char wanted) {
  if (from.empty() || from.front() != wanted) return false;
  from.remove_prefix(1);
  return true;
}

/// One part of the notation. False when it is none.
bool expand_part(std::string_view part, std::vector<std::optional<double>>& into) {
  std::size_t times = 0;
  if (take(part, '_')) {
    if (part.empty()) {
      times = 1;
    } else if (!take(part, 'x') || !read_count(part, times) || !part.empty()) {
      return false;
    }
    into.insert(into.end(), times, std::nullopt);
    return true;
  }
  double first = 0;
  double step = 0;
  if (!read_number(part, first)) return false;
  if (part.empty()) {
    into.emplace_back(first);
    return true;
  }
  if (part.front() != 'x') {
    const bool down = part.front() == '-';
    if (!down && part.front() != '+') return false;
    part.remove_prefix(1);
    if (!read_number(part, step)) return false;
    if (down) step = -step;
  }
  if (!take(part, 'x') || !read_count(part, times) || !part.empty()) return false;
  for (std::size_t n = 0; n <= times; ++n) into.emplace_back(first + static_cast<double>(n) * step);
  return true;
}

/// How often, how far apart, and with which values an entry's event comes.
struct repetition {
  duration every{};
  std::vector<std::optional<double>> values;  ///< nothing: no event comes; empty: `count` events
  std::size_t count = 1;
  bool has_values = false;
};

/// What an entry writes, before it is repeated.
class entry_decoder {
 public:
  entry_decoder(yaml_decoder& decode, const yaml_node& node, instant start)
      : decode_(decode), node_(node), start_(start) {}

  void read_into(std::vector<test_event>& into) {
    if (!decode_.check_map(node_, "an event",
                           {"at", "arrives", "tick", "repeat", "values", "event_id", "source_id",
                            "resource_id", "resource_type", "resource_name", "item", "level",
                            "value", "title", "description", "action", "labels"})) {
      return;
    }
    const std::size_t before = decode_.errors();
    if (const yaml_entry* const tick = find(node_, "tick")) {
      if (node_.entries.size() > 1) decode_.error(tick->key, "'tick' stands alone: time passes");
      const auto at = decode_test_time(decode_, *tick, start_);
      if (at && decode_.errors() == before) into.push_back({*at, ""});
      return;
    }
    read_times();
    read_repetition();
    read_fields();
    if (decode_.errors() == before) expand(into);
  }

 private:
  void read_times() {
    const yaml_entry* const at = find(node_, "at");
    const yaml_entry* const arrives = find(node_, "arrives");
    if (at == nullptr && arrives == nullptr) {
      decode_.error(node_, "'at' is missing (when the event happened, e.g. at: 5m)");
    }
    if (at != nullptr) at_ = decode_test_time(decode_, *at, start_);
    if (arrives != nullptr) arrives_ = decode_test_time(decode_, *arrives, start_);
  }

  void read_repetition() {
    const yaml_entry* const repeat = find(node_, "repeat");
    const yaml_entry* const values = find(node_, "values");
    if (values != nullptr) read_values(*values, repeat != nullptr);
    if (repeat == nullptr) return;
    if (!decode_.check_map(repeat->value, "'repeat'", {"every", "count"})) return;
    if (const yaml_entry* const every = find(repeat->value, "every")) {
      if (const auto length = decode_.length(*every, duration{0})) repeated_.every = *length;
    } else {
      decode_.error(repeat->key, "'repeat' needs 'every' (repeat: {every: 10s, count: 30})");
    }
    const yaml_entry* const count = find(repeat->value, "count");
    if (count != nullptr && values != nullptr) {
      decode_.error(count->key, "'count' cannot stand with 'values', which have their own number");
    } else if (count != nullptr) {
      read_repeat_count(*count);
    } else if (values == nullptr) {
      decode_.error(repeat->key, "'repeat' needs 'count', or 'values' beside it");
    }
  }

  void read_values(const yaml_entry& values, bool has_repeat) {
    if (!has_repeat) {
      decode_.error(values.key, "'values' needs repeat: {every: 10s} beside it");
    }
    if (find(node_, "value") != nullptr) {
      decode_.error(values.key, "'values' and 'value' cannot stand together");
    }
    const auto written = decode_.text(values);
    if (!written) return;
    auto expanded = expand_series(written->text);
    if (!expanded) {
      decode_.error(values.value, "'values': " + expanded.failure().message);
      return;
    }
    repeated_.values = std::move(*expanded);
    repeated_.count = repeated_.values.size();
    repeated_.has_values = true;
  }

  void read_repeat_count(const yaml_entry& entry) {
    const auto written = decode_.text(entry);
    if (!written) return;
    std::string_view rest = written->text;
    if (!read_count(rest, repeated_.count) || !rest.empty() || repeated_.count == 0) {
      decode_.error(entry.value, fmt::format("'count': \"{}\" is not a number from 1 to {}",
                                             written->text, test_events_max));
    }
  }

  void read_fields() {
    for (const yaml_entry& entry : node_.entries) {
      const auto field = parse_event_field(entry.key.text);
      if (!field) continue;
      if (*field == event_field::labels) {
        read_labels(entry);
      } else if (const auto written = decode_.text(entry)) {
        read_field(*field, entry, written->text);
      }
    }
  }

  void read_field(event_field field, const yaml_entry& entry, const std::string& text) {
    if (is_text(field)) {
      texts_[field] = text;
    } else if (field == event_field::level) {
      const bool number = text.size() == 1 && text[0] >= '0' && text[0] <= '3';
      made_.level = number ? static_cast<severity>(text[0] - '0') : parse_severity(text);
      if (!made_.level) wrong(entry, text, "0 to 3, or critical, error, warning or info");
    } else if (field == event_field::value) {
      std::string_view rest = text;
      if (!read_number(rest, made_.value) || !rest.empty()) wrong(entry, text, "a number");
    } else if (field == event_field::action) {
      if (text == "resolved") {
        made_.action = event_action::resolved;
      } else if (text == "closed") {
        made_.action = event_action::closed;
      } else if (text != "firing") {
        wrong(entry, text, "firing, resolved or closed");
      }
    }
  }

  void wrong(const yaml_entry& entry, const std::string& seen, std::string_view wanted) {
    decode_.error(entry.value,
                  fmt::format("'{}': seen \"{}\", wanted {}", entry.key.text, seen, wanted));
  }

  void read_labels(const yaml_entry& entry) {
    if (!decode_.check(entry, yaml_node::kind::map, "'labels'")) return;
    for (const yaml_entry& one : entry.value.entries) {
      label made;
      made.name = one.key.text;
      if (one.value.type == yaml_node::kind::scalar) {
        read_label_value(one.value, made);
      } else if (one.value.type != yaml_node::kind::null) {
        decode_.error(one.value, fmt::format("label '{}' must be a text, a number, true, false or "
                                             "null, this is {}",
                                             one.key.text, to_text(one.value.type)));
      }
      labels_.push_back(made);
    }
  }

  /// As in JSON: what is not quoted and reads as a number or a boolean is one.
  static void read_label_value(const yaml_node& value, label& into) {
    std::string_view rest = value.text;
    if (!value.quoted && (value.text == "true" || value.text == "false")) {
      into.type = label::kind::boolean;
      into.number = value.text == "true" ? 1 : 0;
    } else if (!value.quoted && read_number(rest, into.number) && rest.empty()) {
      into.type = label::kind::number;
    } else {
      into.type = label::kind::text;
      into.text = value.text;
      into.number = 0;
    }
  }

  void expand(std::vector<test_event>& into) {
    if (into.size() + repeated_.count > test_events_max) {
      decode_.error(node_, fmt::format("more than {} events in one test", test_events_max));
      return;
    }
    for (std::size_t n = 0; n < repeated_.count; ++n) {
      if (repeated_.has_values && !repeated_.values[n]) continue;
      if (!expand_one(n, into)) return;
    }
  }

  /// The n-th repetition. False when it is wrong: the others would be so too.
  bool expand_one(std::size_t n, std::vector<test_event>& into) {
    const duration shift = repeated_.every * static_cast<duration::rep>(n);
    const instant arrival = (arrives_ ? *arrives_ : *at_) + shift;
    if (arrival < start_) {
      decode_.error(node_, fmt::format("the event arrives at {}, before the test's start {}",
                                       format_rfc3339(arrival), format_rfc3339(start_)));
      return false;
    }
    event one = made_;
    one.has_time = at_.has_value();
    if (at_) one.time = *at_ + shift;
    if (repeated_.has_values) one.value = *repeated_.values[n];
    std::deque<std::string> numbered;
    for (const auto& [field, text] : texts_) {
      one.set_text(field, numbered.emplace_back(with_number(text, n + 1)));
    }
    std::vector<label> labels = labels_;
    for (label& each : labels) {
      if (each.type == label::kind::text) {
        each.text = numbered.emplace_back(with_number(std::string(each.text), n + 1));
      }
    }
    test_event fresh{arrival, encode_event(one, labels)};
    if (!accepted(fresh)) return false;
    into.push_back(std::move(fresh));
    return true;
  }

  static std::string with_number(std::string text, std::size_t number) {
    for (auto at = text.find(number_mark); at != std::string::npos; at = text.find(number_mark)) {
      text.replace(at, number_mark.size(), std::to_string(number));
    }
    return text;
  }

  bool accepted(const test_event& one) {
    event_batch batch;
    std::vector<rejection> refused;
    event_decoder(event_limits{}).decode(one.message, one.arrival, batch, refused);
    for (const rejection& each : refused) {
      decode_.error(node_,
                    fmt::format("the event would be rejected: {}: {}", each.code, each.message));
    }
    return refused.empty();
  }

  yaml_decoder& decode_;
  const yaml_node& node_;
  instant start_;
  std::optional<instant> at_;
  std::optional<instant> arrives_;
  repetition repeated_;
  event made_;
  std::map<event_field, std::string> texts_;
  std::vector<label> labels_;  ///< views into node_
};

}  // namespace

result<std::vector<std::optional<double>>> expand_series(std::string_view notation) {
  constexpr std::string_view blanks = " \t\r\n";
  std::vector<std::optional<double>> values;
  for (auto begin = notation.find_first_not_of(blanks); begin != std::string_view::npos;) {
    const auto end = std::min(notation.find_first_of(blanks, begin), notation.size());
    const auto part = notation.substr(begin, end - begin);
    if (!expand_part(part, values)) {
      return error{"bad_series",
                   fmt::format("\"{}\" is none of 5, 1+2x10, 10-1x5, 3x7, _ and _x4", part)};
    }
    if (values.size() > test_events_max) {
      return error{"bad_series", fmt::format("these are more than {} values", test_events_max)};
    }
    begin = notation.find_first_not_of(blanks, end);
  }
  if (values.empty()) return error{"bad_series", "there is no value"};
  return values;
}

std::optional<instant> decode_test_time(yaml_decoder& decode, const yaml_entry& entry,
                                        instant start) {
  const auto written = decode.text(entry);
  if (!written) return std::nullopt;
  if (const auto length = parse_duration(written->text)) return start + *length;
  if (const auto at = parse_rfc3339(written->text)) return at;
  decode.error(entry.value, fmt::format("'{}': \"{}\" is neither a length after the start (5m, "
                                        "1h30m) nor RFC 3339",
                                        entry.key.text, written->text));
  return std::nullopt;
}

void decode_test_event(yaml_decoder& decode, const yaml_node& node, instant start,
                       std::vector<test_event>& into) {
  entry_decoder(decode, node, start).read_into(into);
}

}  // namespace tocsin
