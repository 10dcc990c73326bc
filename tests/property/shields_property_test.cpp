// SPDX-License-Identifier: Apache-2.0
// Silences, inhibition and time intervals against what they mean, computed anew each time.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>

#include "support/window_scenario.hpp"
#include "tocsin/alert_labels.hpp"
#include "tocsin/inhibition.hpp"
#include "tocsin/silence.hpp"
#include "tocsin/time_interval.hpp"

namespace tocsin::testing {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

class chance {
 public:
  explicit chance(std::uint64_t seed) : engine_(seed) {}
  /// From 0 to `count` - 1.
  int below(int count) { return static_cast<int>(engine_() % static_cast<std::uint64_t>(count)); }
  bool one_in(int count) { return below(count) == 0; }
  int between(int first, int last) { return first + below(last - first + 1); }
  template <class Choices>
  const auto& of(const Choices& choices) {
    return choices[static_cast<std::size_t>(below(static_cast<int>(std::size(choices))))];
  }

 private:
  std::mt19937_64 engine_;
};

void for_seeds(std::uint64_t count, const std::function<std::string(std::uint64_t)>& wrong_with) {
  std::uint64_t first = 1;
  std::uint64_t last = count * property_rounds();
  if (const auto only = property_seed()) first = last = *only;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    const std::string wrong = wrong_with(seed);
    if (!wrong.empty()) FAIL() << "TOCSIN_PROPERTY_SEED=" << seed << ": " << wrong;
  }
}

constexpr std::array<const char*, 4> label_names{"a", "b", "c", "d"};
constexpr std::array<const char*, 4> label_values{"", "x", "y", "xy"};

label_matchers random_matchers(chance& pick, int most) {
  constexpr std::array<const char*, 5> patterns{"x", "x|y", "x.*", ".+", "y?"};
  label_matchers all;
  for (int count = pick.between(1, most); count > 0; --count) {
    const auto op = static_cast<matcher_operator>(pick.below(4));
    const bool pattern = op == matcher_operator::matches || op == matcher_operator::does_not_match;
    const std::string value = pattern ? pick.of(patterns) : pick.of(label_values);
    all.push_back(*label_matcher::make(pick.of(label_names), op, value));
  }
  return all;
}

alert random_alert(chance& pick, std::uint64_t number) {
  alert made;
  made.origin = alert_origin::posted;
  made.print = {number % 3, number};
  made.alert_id = {number * 0x9e3779b97f4a7c15U, number};
  auto texts = std::make_shared<alert_texts>();
  for (const char* name : label_names) {
    if (!pick.one_in(4)) texts->labels.emplace_back(name, pick.of(label_values));
  }
  made.texts = std::move(texts);
  return made;
}

// Inhibition.

struct told {
  alert now;
  bool active = false;
  bool firing = false;
};

/// The rule's words, for each pair of alerts.
std::vector<std::string> naive_inhibited_by(const std::vector<inhibit_rule>& rules,
                                            const std::map<fingerprint, told>& all,
                                            const fingerprint& print) {
  std::set<std::string> by;
  const auto target = all.find(print);
  if (target == all.end() || !target->second.active) return {};
  for (const inhibit_rule& rule : rules) {
    const alert& to = target->second.now;
    if (!matches(rule.target, to)) continue;
    for (const auto& [other, from] : all) {
      if (!from.firing || !matches(rule.source, from.now)) continue;
      const bool equal =
          std::all_of(rule.equal.begin(), rule.equal.end(), [&](const std::string& name) {
            return alert_label(from.now, name) == alert_label(to, name);
          });
      const bool both_two_sided = matches(rule.source, to) && matches(rule.target, from.now);
      if (equal && !both_two_sided) by.insert(to_text(from.now.alert_id));
    }
  }
  return {by.begin(), by.end()};
}

std::string wrong_with_inhibition(std::uint64_t seed) {
  chance pick{seed};
  std::vector<inhibit_rule> rules;
  for (int count = pick.between(1, 4); count > 0; --count) {
    inhibit_rule& rule = rules.emplace_back();
    rule.source = random_matchers(pick, 2);
    rule.target = random_matchers(pick, 2);
    for (const char* name : label_names) {
      if (pick.one_in(4)) rule.equal.emplace_back(name);
    }
  }
  inhibitor tested{rules};
  std::map<fingerprint, told> all;
  std::map<fingerprint, std::vector<std::string>> before;
  for (int step = 0; step < 60; ++step) {
    const auto number = static_cast<std::uint64_t>(pick.between(1, 12));
    alert now = random_alert(pick, number);
    const auto known = all.find(now.print);
    if (known != all.end() && pick.one_in(2)) now.texts = known->second.now.texts;
    if (pick.one_in(5)) now.alert_id.low += 100;
    const bool active = !pick.one_in(3);
    const bool firing = active && !pick.one_in(4);
    const auto affected = tested.update(now, active, firing);
    if (!std::is_sorted(affected.begin(), affected.end()) ||
        std::adjacent_find(affected.begin(), affected.end()) != affected.end()) {
      return "step " + std::to_string(step) + ": the affected are not each once, in order";
    }
    all[now.print] = {now, active, firing};
    for (const fingerprint& print : affected) {
      if (print != now.print && !all[print].active) {
        return "step " + std::to_string(step) + ": told of one that has ended: " + to_text(print);
      }
    }
    for (const auto& [print, each] : all) {
      const auto wanted = naive_inhibited_by(rules, all, print);
      if (tested.inhibited_by(print) != wanted) {
        return "step " + std::to_string(step) + ": other inhibitors of " + to_text(print);
      }
      const bool is_told = std::binary_search(affected.begin(), affected.end(), print);
      if (wanted != before[print] && !is_told) {
        return "step " + std::to_string(step) + ": a change was not told for " + to_text(print);
      }
      before[print] = wanted;
    }
  }
  return {};
}

TEST(shields_property, the_inhibitor_equals_all_pairs_of_alerts) {
  for_seeds(150, wrong_with_inhibition);
}

// Time intervals.

/// The C library's wall clock, which reads the same tables by other code.
class wall_clock {
 public:
  explicit wall_clock(const std::string& zone) {
    const char* old = std::getenv("TZ");
    if (old != nullptr) old_ = old;
    had_one_ = old != nullptr;
    setenv("TZ", zone.empty() ? "UTC" : (":" + zone).c_str(), 1);
    tzset();
  }
  wall_clock(const wall_clock&) = delete;
  wall_clock& operator=(const wall_clock&) = delete;
  ~wall_clock() {
    if (had_one_) {
      setenv("TZ", old_.c_str(), 1);
    } else {
      unsetenv("TZ");
    }
    tzset();
  }
  static std::tm at(instant when) {
    const auto unix_s = static_cast<std::time_t>(to_unix_ms(when) / 1000);
    std::tm out{};
    localtime_r(&unix_s, &out);
    return out;
  }

 private:
  std::string old_;
  bool had_one_ = false;
};

int naive_month_length(const std::tm& day) {
  const int year = day.tm_year + 1900;
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  constexpr std::array<int, 12> lengths{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return day.tm_mon == 1 && leap ? 29 : lengths[static_cast<std::size_t>(day.tm_mon)];
}

/// Lists what each part holds, one number after the other.
bool naive_contains(const time_interval& interval, const std::tm& wall) {
  const auto part = [](const auto& ranges, int now, auto members) {
    if (ranges.empty()) return true;
    for (const auto& range : ranges) {
      for (const int member : members(range)) {
        if (member == now) return true;
      }
    }
    return false;
  };
  const auto plain = [](calendar_range range) {
    std::vector<int> out;
    for (int i = range.first; i <= range.last; ++i) out.push_back(i);
    return out;
  };
  const auto days = [&](calendar_range range) {
    const int length = naive_month_length(wall);
    std::vector<int> out;
    for (int day = 1; day <= length; ++day) {
      const int from_end = day - length - 1;
      const bool begun = range.first > 0 ? day >= range.first : from_end >= range.first;
      const bool over = range.last > 0 ? day > range.last : from_end > range.last;
      if (begun && !over) out.push_back(day);
    }
    return out;
  };
  const auto in_times = [&] {
    if (interval.times.empty()) return true;
    const int minute = wall.tm_hour * 60 + wall.tm_min;
    return std::any_of(interval.times.begin(), interval.times.end(), [&](minute_range one) {
      return !(minute < one.start) && !(minute >= one.end);
    });
  };
  return in_times() && part(interval.weekdays, wall.tm_wday, plain) &&
         part(interval.days_of_month, wall.tm_mday, days) &&
         part(interval.months, wall.tm_mon + 1, plain) &&
         part(interval.years, wall.tm_year + 1900, plain);
}

calendar_range random_days(chance& pick) {
  for (;;) {
    const auto end = [&] { return pick.between(1, 31) * (pick.one_in(2) ? -1 : 1); };
    const auto read = parse_days_of_month(std::to_string(end()) + ":" + std::to_string(end()));
    if (read) return *read;
  }
}

time_interval random_interval(chance& pick) {
  time_interval made;
  const auto range = [&](int least, int most) {
    const int one = pick.between(least, most);
    const int other = pick.between(least, most);
    return calendar_range{std::min(one, other), std::max(one, other)};
  };
  for (int count = pick.below(3); count > 0; --count) {
    const int start = pick.below(1440);
    made.times.push_back({start, pick.between(start + 1, 1440)});
  }
  if (pick.one_in(3)) made.weekdays.push_back(range(0, 6));
  if (pick.one_in(6)) made.weekdays.push_back(range(0, 6));
  for (int count = pick.below(3); count > 0; --count) {
    made.days_of_month.push_back(random_days(pick));
  }
  if (pick.one_in(3)) made.months.push_back(range(1, 12));
  if (pick.one_in(5)) made.years.push_back(range(2027, 2029));
  return made;
}

std::string wrong_with_intervals(std::uint64_t seed) {
  constexpr std::array<const char*, 6> zones{"",
                                             "Europe/Berlin",
                                             "America/New_York",
                                             "Asia/Kolkata",
                                             "Australia/Lord_Howe",
                                             "Pacific/Apia"};
  chance pick{seed};
  const std::string zone = zones[seed % zones.size()];
  const wall_clock clock{zone};
  std::vector<time_interval> intervals;
  for (int i = 0; i < 6; ++i) {
    intervals.push_back(random_interval(pick));
    intervals.back().location = zone;
  }
  // Nine weeks, which begin in any month: the changes of the clocks lie in some of them.
  const instant first = *parse_rfc3339("2027-01-01T00:00:00Z") +
                        std::chrono::days{pick.below(600)} + duration{pick.below(60'000)};
  for (instant at = first; at < first + std::chrono::days{63}; at += minutes{1}) {
    const std::tm wall = wall_clock::at(at);
    for (std::size_t i = 0; i < intervals.size(); ++i) {
      if (contains(intervals[i], at) != naive_contains(intervals[i], wall)) {
        return "interval " + std::to_string(i) + " in '" + zone + "' at " + format_rfc3339(at);
      }
    }
  }
  return {};
}

TEST(shields_property, intervals_hold_the_minutes_that_a_wall_clock_shows) {
  for_seeds(12, wrong_with_intervals);
}

TEST(shields_property, within_a_minute_no_interval_changes) {
  for_seeds(40, [](std::uint64_t seed) -> std::string {
    chance pick{seed};
    time_interval some = random_interval(pick);
    some.location = pick.one_in(2) ? "Europe/Berlin" : "";
    for (int i = 0; i < 200; ++i) {
      const instant at = *parse_rfc3339("2027-01-01T00:00:00Z") + minutes{pick.below(1'000'000)};
      const instant within = at + duration{pick.below(60'000)};
      if (next_minute(within) != at + minutes{1}) return "another minute begins first";
      if (contains(some, at) != contains(some, within)) return format_rfc3339(within);
    }
    return {};
  });
}

// Silences.

/// What a silence book says, kept by its turns alone, beside a plain list of its silences.
class silence_world {
 public:
  explicit silence_world(std::uint64_t seed) : pick_(seed) {
    for (std::uint64_t i = 1; i <= 6; ++i) alerts_.push_back(random_alert(pick_, i));
  }

  /// An hour of random calls, looked at every ten seconds.
  std::string run() {
    const instant begin = *parse_rfc3339("2027-03-28T00:30:00Z");
    for (instant at = begin; at < begin + minutes{60}; at += seconds{10}) {
      if (std::string wrong = turns_up_to(at); !wrong.empty()) return wrong;
      now_ = at;
      if (pick_.one_in(8)) act();
      if (std::string wrong = turn(at); !wrong.empty()) return wrong;
      if (std::string wrong = compare(at); !wrong.empty()) return wrong;
    }
    return {};
  }

 private:
  instant random_time(int from_tens, int to_tens) {
    return now_ + seconds{10} * pick_.between(from_tens, to_tens);
  }

  silence random_request() {
    silence made;
    made.matchers = random_matchers(pick_, 3);
    made.starts_at = random_time(-20, 60);
    made.ends_at = made.starts_at + seconds{10} * pick_.between(1, 90);
    made.created_by = "ann";
    made.comment = pick_.one_in(2) ? "one" : "another";
    if (pick_.one_in(4)) made.scope = silence_scope::events;
    if (pick_.one_in(3)) {
      time_interval& recurs = made.recurs.emplace_back();
      const int start = pick_.between(0, 200);
      recurs.times.push_back({start, start + pick_.between(1, 20)});
      recurs.location = pick_.one_in(2) ? "Europe/Berlin" : "";
    }
    return made;
  }

  std::string any_id() {
    if (known_.empty()) return {};
    auto chosen = known_.begin();
    std::advance(chosen, pick_.below(static_cast<int>(known_.size())));
    return chosen->first;
  }

  void act() {
    const std::string id = any_id();
    switch (pick_.below(8)) {
      case 0:
        (void)book_.expire(now_, id);
        break;
      case 1:
      case 2:
        edit(id);
        break;
      case 3:
        for (const auto& gone : book_.forget_expired(now_ - minutes{3})) known_.erase(gone);
        break;
      case 4:
        restart();
        break;
      default:
        (void)book_.put(now_, random_request());
    }
    for (const silence_ptr& each : book_.take_changed()) known_[each->id] = *each;
  }

  void edit(const std::string& id) {
    const silence_ptr old = book_.find(id);
    if (!old) return;
    silence wanted = *old;
    if (pick_.one_in(2)) wanted.ends_at = random_time(1, 60);
    if (pick_.one_in(3)) wanted.starts_at = random_time(-5, 20);
    if (pick_.one_in(4)) wanted.matchers = random_matchers(pick_, 3);
    (void)book_.put(now_, wanted);
  }

  void restart() {
    silence_book fresh;
    for (const auto& [id, each] : known_) fresh.restore(each);
    book_ = std::move(fresh);
    in_force_.clear();
  }

  std::string turns_up_to(instant at) {
    for (;;) {
      const auto next = book_.next_change(last_);
      if (!next || *next >= at) return {};
      if (*next <= last_) return "a change in the past";
      if (std::string wrong = turn(*next); !wrong.empty()) return wrong;
    }
  }

  std::string turn(instant at) {
    last_ = at;
    const auto turned = book_.advance(at);
    for (const auto& each : turned.began) {
      if (!in_force_.insert(each->id).second) return "one began that was in force";
    }
    for (const auto& each : turned.ended) {
      if (in_force_.erase(each->id) == 0) return "one ended that was not in force";
    }
    return in_force_ == naive_in_force(at) ? "" : "others in force at " + format_rfc3339(at);
  }

  std::set<std::string> naive_in_force(instant at) const {
    std::set<std::string> out;
    for (const auto& [id, each] : known_) {
      if (each.scope == silence_scope::alerts && naive_holds(each, at)) out.insert(id);
    }
    return out;
  }

  static bool naive_holds(const silence& one, instant at) {
    if (at < one.starts_at || at >= one.ends_at) return false;
    return one.recurs.empty() || contains(one.recurs, at);
  }

  std::string compare(instant at) {
    if (book_.size() != known_.size()) return "another number of silences";
    for (const alert& each : alerts_) {
      std::vector<std::string> wanted;
      for (const auto& [id, one] : known_) {
        if (one.scope == silence_scope::alerts && naive_holds(one, at) &&
            matches(one.matchers, each)) {
          wanted.push_back(id);
        }
      }
      if (book_.silencing(each, at) != wanted) return "others silence at " + format_rfc3339(at);
    }
    std::vector<std::string> shielding;
    for (const auto& each : book_.shielding_events(at)) shielding.push_back(each->id);
    std::vector<std::string> wanted;
    for (const auto& [id, one] : known_) {
      if (one.scope == silence_scope::events && naive_holds(one, at)) wanted.push_back(id);
    }
    return shielding == wanted ? "" : "others shield events at " + format_rfc3339(at);
  }

  chance pick_;
  silence_book book_;
  std::map<std::string, silence> known_;
  std::set<std::string> in_force_;
  std::vector<alert> alerts_;
  instant now_{};
  instant last_ = *parse_rfc3339("2027-03-28T00:00:00Z");
};

TEST(shields_property, silences_turn_exactly_when_looking_every_time_would_show_it) {
  for_seeds(120, [](std::uint64_t seed) { return silence_world{seed}.run(); });
}

}  // namespace
}  // namespace tocsin::testing
