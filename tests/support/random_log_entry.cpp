// SPDX-License-Identifier: Apache-2.0
// Random log entries; what they are compared by.
#include "support/random_log_entry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <deque>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace tocsin::testing {
namespace {

bool one_in(std::mt19937_64& random, std::uint64_t count) {
  return random() % count == 0;
}

std::string random_text(std::mt19937_64& random) {
  std::string text(one_in(random, 20) ? random() % 400 : random() % 12, '\0');
  for (char& each : text) each = static_cast<char>(random());
  return text;
}

instant random_time(std::mt19937_64& random) {
  if (one_in(random, 30)) return from_unix_ms(static_cast<long long>(random()));
  return from_unix_ms(1'700'000'000'000 + static_cast<long long>(random() % 100'000));
}

double random_number(std::mt19937_64& random) {
  switch (random() % 3) {
    case 0:
      return static_cast<double>(random() % 1000);
    case 1:
      return -static_cast<double>(random()) / 7;
    default:
      return one_in(random, 2) ? -0.0 : 1e300;
  }
}

/// Keeps the texts of a batch.
class text_keeper {
 public:
  std::string_view keep(std::string text) { return texts_.emplace_back(std::move(text)); }

 private:
  std::deque<std::string> texts_;
};

label random_label(std::mt19937_64& random, text_keeper& keeper) {
  label made;
  made.name = keeper.keep(random_text(random));
  made.type = static_cast<label::kind>(random() % 4);
  if (made.type == label::kind::text) made.text = keeper.keep(random_text(random));
  if (made.type == label::kind::number) made.number = random_number(random);
  if (made.type == label::kind::boolean) made.number = static_cast<double>(random() % 2);
  return made;
}

void add_labels(std::mt19937_64& random, text_keeper& keeper, const event& before, event& to,
                event_batch& into) {
  std::vector<label> labels;
  if (one_in(random, 2)) {
    const auto same = into.labels_of(before);
    labels.assign(same.begin(), same.end());
  }
  if (one_in(random, 3)) labels.push_back(random_label(random, keeper));
  if (!labels.empty() && one_in(random, 4)) labels.front() = random_label(random, keeper);
  to.labels_begin = static_cast<std::uint32_t>(into.labels.size());
  to.labels_count = static_cast<std::uint32_t>(labels.size());
  into.labels.insert(into.labels.end(), labels.begin(), labels.end());
}

event random_event(std::mt19937_64& random, text_keeper& keeper, const event& before) {
  event made;
  for (std::size_t i = 0; i < made.texts.size(); ++i) {
    if (one_in(random, 3)) continue;
    const bool same = one_in(random, 2) && before.texts[i].data() != nullptr;
    made.texts[i] = keeper.keep(same ? std::string{before.texts[i]} : random_text(random));
  }
  made.arrived = one_in(random, 2) ? before.arrived : random_time(random);
  made.has_time = one_in(random, 2);
  made.time = made.has_time && !one_in(random, 5) ? random_time(random) : made.arrived;
  if (one_in(random, 2)) made.value = random_number(random);
  if (one_in(random, 2)) made.level = static_cast<severity>(random() % 4);
  made.action = static_cast<event_action>(random() % 3);
  return made;
}

alert_selector random_selector(std::mt19937_64& random) {
  alert_selector made;
  for (auto left = random() % 4; left > 0; --left) made.ids.push_back({random(), random()});
  for (auto left = random() % 3; left > 0; --left) {
    const auto op = static_cast<matcher_operator>(random() % 4);
    made.matchers.push_back(
        label_matcher::make("a" + std::to_string(random() % 9), op, "x.*").value());
  }
  return made;
}

std::optional<instant> perhaps_time(std::mt19937_64& random) {
  if (one_in(random, 2)) return std::nullopt;
  return random_time(random);
}

text_map random_texts(std::mt19937_64& random) {
  text_map made;
  for (auto left = random() % 4; left > 0; --left) {
    made.emplace_back(random_text(random), random_text(random));
  }
  return made;
}

std::vector<calendar_range> random_ranges(std::mt19937_64& random) {
  std::vector<calendar_range> made;
  for (auto left = random() % 3; left > 0; --left) {
    made.push_back({static_cast<int>(random() % 62) - 31, static_cast<int>(random())});
  }
  return made;
}

silence random_silence(std::mt19937_64& random) {
  silence made;
  made.id = random_text(random);
  made.matchers = random_selector(random).matchers;
  made.starts_at = random_time(random);
  made.ends_at = random_time(random);
  made.updated_at = random_time(random);
  made.created_by = random_text(random);
  made.comment = random_text(random);
  made.scope = static_cast<silence_scope>(random() % 2);
  for (auto left = random() % 3; left > 0; --left) {
    time_interval& each = made.recurs.emplace_back();
    if (one_in(random, 2)) each.times.push_back({static_cast<int>(random() % 1440), 1440});
    each.weekdays = random_ranges(random);
    each.days_of_month = random_ranges(random);
    each.months = random_ranges(random);
    each.years = random_ranges(random);
    each.location = random_text(random);
  }
  return made;
}

post_alerts random_posting(std::mt19937_64& random) {
  post_alerts made;
  for (auto left = random() % 4; left > 0; --left) {
    made.alerts.push_back({random_texts(random), random_texts(random), perhaps_time(random),
                           perhaps_time(random), random_text(random)});
  }
  made.by = random_text(random);
  return made;
}

bool same_text(std::string_view left, std::string_view right) {
  return left == right && (left.data() == nullptr) == (right.data() == nullptr);
}

bool same_number(double left, double right) {
  return std::bit_cast<std::uint64_t>(left) == std::bit_cast<std::uint64_t>(right);
}

std::string difference(const event& left, const event& right) {
  for (std::size_t i = 0; i < left.texts.size(); ++i) {
    if (!same_text(left.texts[i], right.texts[i])) return fmt::format("texts[{}]", i);
  }
  if (left.time != right.time) return "time";
  if (left.arrived != right.arrived) return "arrived";
  if (!same_number(left.value, right.value)) return "value";
  if (left.level != right.level) return "level";
  if (left.action != right.action) return "action";
  return left.has_time == right.has_time ? "" : "has_time";
}

bool same_label(const label& left, const label& right) {
  return left.name == right.name && left.type == right.type && left.text == right.text &&
         same_number(left.number, right.number);
}

/// unacknowledge, close and note have the same fields.
template <class Operation>
auto fields_of(const Operation& of) {
  return std::tie(of.which.ids, of.which.matchers, of.by, of.note);
}
auto fields_of(const acknowledge_alerts& of) {
  return std::tie(of.which.ids, of.which.matchers, of.by, of.note, of.until, of.replace);
}
auto fields_of(const assign_alerts& of) {
  return std::tie(of.which.ids, of.which.matchers, of.by, of.note, of.to);
}
auto fields_of(const put_silence& of) {
  return std::tie(of.wanted);
}
auto fields_of(const expire_silence& of) {
  return std::tie(of.id, of.by);
}

bool same_posting(const post_alerts& left, const post_alerts& right) {
  if (left.by != right.by || left.alerts.size() != right.alerts.size()) return false;
  for (std::size_t i = 0; i < left.alerts.size(); ++i) {
    const posted_alert& one = left.alerts[i];
    const posted_alert& other = right.alerts[i];
    if (std::tie(one.labels, one.annotations, one.starts_at, one.ends_at, one.generator_url) !=
        std::tie(other.labels, other.annotations, other.starts_at, other.ends_at,
                 other.generator_url)) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::shared_ptr<event_batch> random_batch(std::mt19937_64& random, std::size_t events) {
  auto keeper = std::make_shared<text_keeper>();
  auto batch = std::make_shared<event_batch>();
  batch->first_position = 1 + random() % 1'000'000;
  batch->clock = random_time(random);
  event before;
  before.arrived = batch->clock;
  for (auto left = random() % (events + 1); left > 0; --left) {
    event made = random_event(random, *keeper, before);
    add_labels(random, *keeper, before, made, *batch);
    batch->events.push_back(made);
    before = made;
  }
  batch->owners.push_back(std::move(keeper));
  return batch;
}

operation random_operation(std::mt19937_64& random, std::size_t kind) {
  alert_selector which = random_selector(random);
  std::string by = random_text(random);
  std::string note = random_text(random);
  switch (kind) {
    case 0:
      return acknowledge_alerts{which, by, note, perhaps_time(random), one_in(random, 2)};
    case 1:
      return unacknowledge_alerts{which, by, note};
    case 2:
      return close_alerts{which, by, note};
    case 3:
      return note_on_alerts{which, by, note};
    case 4:
      return assign_alerts{which, by, note, random_text(random)};
    case 5:
      return random_posting(random);
    case 6:
      return put_silence{random_silence(random)};
    default:
      return expire_silence{by, note};
  }
}

log_entry random_log_entry(std::mt19937_64& random) {
  log_entry made;
  made.step = one_in(random, 10) ? random() : 1 + random() % 10'000;
  made.clock = random_time(random);
  if (!one_in(random, 3)) made.batch = random_batch(random, 20);
  if (one_in(random, 2)) {
    for (auto left = random() % 10; left > 0; --left) {
      const auto time = perhaps_time(random);
      made.seen.push_back(
          {{random(), random()}, random(), time.value_or(remembered_event::no_time)});
    }
  }
  made.batch_is_seen = made.batch && one_in(random, 2);
  if (one_in(random, 3)) {
    made.asked = std::make_shared<const operation>(
        random_operation(random, random() % std::variant_size_v<operation>));
  }
  return made;
}

std::string first_difference(const event_batch& left, const event_batch& right) {
  if (left.first_position != right.first_position) return "first_position";
  if (left.clock != right.clock) return "clock";
  if (left.events.size() != right.events.size()) return "number of events";
  for (std::size_t i = 0; i < left.events.size(); ++i) {
    if (const auto differs = difference(left.events[i], right.events[i]); !differs.empty()) {
      return fmt::format("event {}: {}", i, differs);
    }
    const auto labels = left.labels_of(left.events[i]);
    const auto others = right.labels_of(right.events[i]);
    if (!std::equal(labels.begin(), labels.end(), others.begin(), others.end(), same_label)) {
      return fmt::format("event {}: labels", i);
    }
  }
  return "";
}

std::string first_difference(const operation& left, const operation& right) {
  if (left.index() != right.index()) return "kind";
  const bool same = std::visit(
      [&]<class Operation>(const Operation& one) {
        const auto& other = std::get<Operation>(right);
        if constexpr (std::is_same_v<Operation, post_alerts>) {
          return same_posting(one, other);
        } else {
          return fields_of(one) == fields_of(other);
        }
      },
      left);
  return same ? "" : fmt::format("operation of kind {}", left.index());
}

std::string first_difference(const log_entry& left, const log_entry& right) {
  if (left.step != right.step) return "step";
  if (left.clock != right.clock) return "clock";
  if (left.seen != right.seen) return "seen";
  if (left.batch_is_seen != right.batch_is_seen) return "whether the batch is seen";
  if ((left.batch == nullptr) != (right.batch == nullptr)) return "whether there is a batch";
  if ((left.asked == nullptr) != (right.asked == nullptr)) return "whether there is an operation";
  if (left.batch) {
    if (auto differs = first_difference(*left.batch, *right.batch); !differs.empty()) {
      return "batch: " + differs;
    }
  }
  return left.asked ? first_difference(*left.asked, *right.asked) : "";
}

}  // namespace tocsin::testing
