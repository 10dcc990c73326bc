// SPDX-License-Identifier: Apache-2.0
// Random alerts and their comparison, field by field.
#include "support/random_alert.hpp"

#include <array>
#include <bit>
#include <limits>

namespace tocsin::testing {
namespace {

class alert_maker {
 public:
  explicit alert_maker(std::mt19937_64& random) : random_(random) {}

  alert make() {
    alert made;
    made.seq = number();
    made.origin = static_cast<alert_origin>(below(3));
    made.alert_id = {random_(), random_()};
    made.print = {random_(), random_()};
    made.rule = text();
    made.revision = text();
    made.number = number();
    made.at = time();
    made.state = static_cast<alert_state>(below(6));
    made.previous_state = static_cast<alert_state>(below(6));
    made.cause = text();
    made.actor = text();
    made.note = text();
    made.severity = static_cast<severity>(below(4));
    if (coin()) made.texts = std::make_shared<const alert_texts>(texts());
    made.proof = proof();
    made.condition = text();
    made.started_at = time();
    if (coin()) made.resolved_at = time();
    if (coin()) made.closed_at = time();
    if (coin()) {
      made.acknowledged = acknowledgement{text(), time(), std::nullopt};
      if (coin()) made.acknowledged->until = time();
    }
    made.assignee = text();
    made.shields = {list(), list(), list()};
    made.flapping = coin();
    if (coin()) made.incident_id = fingerprint{random_(), random_()};
    if (coin()) {
      made.posted =
          std::make_shared<const posted_facts>(posted_facts{time(), time(), coin(), text()});
    }
    return made;
  }

 private:
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
  bool coin() { return below(2) == 0; }
  /// Small ones, large ones, and the ends of what 64 bits hold.
  std::uint64_t number() { return below(8) == 0 ? no_position - below(2) : random_() >> below(64); }
  instant time() {
    constexpr std::array<long long, 4> rare{0, -1, std::numeric_limits<long long>::min(),
                                            std::numeric_limits<long long>::max()};
    if (below(16) == 0) return from_unix_ms(rare[below(rare.size())]);
    return from_unix_ms(1'780'000'000'000 + static_cast<long long>(random_() >> (24 + below(40))));
  }
  double value() {
    constexpr std::array<double, 5> rare{0.0, -0.0, 1e308, std::numeric_limits<double>::infinity(),
                                         std::numeric_limits<double>::quiet_NaN()};
    return coin() ? rare[below(rare.size())] : std::bit_cast<double>(random_());
  }
  std::string text() {
    std::string made(below(below(16) == 0 ? 400 : 12), '\0');
    for (char& each : made) each = static_cast<char>(below(256));
    return made;
  }
  std::vector<std::string> list() {
    std::vector<std::string> made(below(4));
    for (std::string& each : made) each = text();
    return made;
  }
  text_map map() {
    text_map made(below(4));
    for (auto& [name, content] : made) name = text(), content = text();
    return made;
  }
  alert_texts texts() {
    alert_texts made{text(), text(), map(), map(), {}, text(), text(), text(), text(), text()};
    for (std::uint64_t left = below(4); left > 0; --left) {
      made.group.emplace_back(text(), coin() ? std::optional{text()} : std::nullopt);
    }
    return made;
  }
  evidence proof() {
    evidence made;
    made.event_count = number();
    made.event_ids = list();
    made.event_ids_truncated = coin();
    made.first_event_time = time();
    made.last_event_time = time();
    made.first_event_position = number();
    made.window = {static_cast<window_kind>(below(5)), time(), time()};
    for (std::uint64_t left = below(4); left > 0; --left) made.values.emplace_back(text(), value());
    return made;
  }

  std::mt19937_64& random_;
};

bool same(const alert_texts& left, const alert_texts& right) {
  const auto tied = [](const alert_texts& of) {
    return std::tie(of.title, of.description, of.labels, of.annotations, of.group, of.resource_id,
                    of.resource_type, of.resource_name, of.item, of.source_id);
  };
  return tied(left) == tied(right);
}

bool same(const posted_facts& left, const posted_facts& right) {
  return left.starts_at == right.starts_at && left.ends_at == right.ends_at &&
         left.times_out == right.times_out && left.generator_url == right.generator_url;
}

template <class Held>
bool same(const std::shared_ptr<const Held>& left, const std::shared_ptr<const Held>& right) {
  if (!left || !right) return !left && !right;
  return same(*left, *right);
}

bool same(const evidence& left, const evidence& right) {
  const auto tied = [](const evidence& of) {
    return std::tie(of.event_count, of.event_ids, of.event_ids_truncated, of.first_event_time,
                    of.last_event_time, of.first_event_position, of.window.kind, of.window.start,
                    of.window.end);
  };
  if (tied(left) != tied(right) || left.values.size() != right.values.size()) return false;
  for (std::size_t i = 0; i < left.values.size(); ++i) {
    if (left.values[i].first != right.values[i].first) return false;
    if (std::bit_cast<std::uint64_t>(left.values[i].second) !=
        std::bit_cast<std::uint64_t>(right.values[i].second)) {
      return false;
    }
  }
  return true;
}

}  // namespace

alert random_alert(std::mt19937_64& random) {
  return alert_maker{random}.make();
}

std::string first_difference(const alert& left, const alert& right) {
  const std::array<std::pair<const char*, bool>, 26> fields{{
      {"seq", left.seq == right.seq},
      {"origin", left.origin == right.origin},
      {"alert_id", left.alert_id == right.alert_id},
      {"print", left.print == right.print},
      {"rule", left.rule == right.rule},
      {"revision", left.revision == right.revision},
      {"number", left.number == right.number},
      {"at", left.at == right.at},
      {"state", left.state == right.state},
      {"previous_state", left.previous_state == right.previous_state},
      {"cause", left.cause == right.cause},
      {"actor", left.actor == right.actor},
      {"note", left.note == right.note},
      {"severity", left.severity == right.severity},
      {"texts", same(left.texts, right.texts)},
      {"proof", same(left.proof, right.proof)},
      {"condition", left.condition == right.condition},
      {"started_at", left.started_at == right.started_at},
      {"resolved_at", left.resolved_at == right.resolved_at},
      {"closed_at", left.closed_at == right.closed_at},
      {"acknowledged", left.acknowledged == right.acknowledged},
      {"assignee", left.assignee == right.assignee},
      {"shields", left.shields == right.shields},
      {"flapping", left.flapping == right.flapping},
      {"incident_id", left.incident_id == right.incident_id},
      {"posted", same(left.posted, right.posted)},
  }};
  for (const auto& [name, equal] : fields) {
    if (!equal) return name;
  }
  return "";
}

}  // namespace tocsin::testing
