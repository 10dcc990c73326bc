// SPDX-License-Identifier: Apache-2.0
// Random lives of alerts: the store's history, statistics and active alerts are those of a naive
// twin in memory, whatever was forgotten, indexed or reopened on the way.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>

#include "io/sqlite_store.hpp"
#include "support/naive_alert_history.hpp"
#include "support/stored_alerts.hpp"
#include "support/window_scenario.hpp"

namespace tocsin::testing {
namespace {

constexpr const char* words[] = {"disk", "Full", "latency", "payment", "gate", "reboot", "x7"};
constexpr const char* operators[] = {"ann", "bob"};

class random_history {
 public:
  explicit random_history(std::uint64_t seed) : random_(seed), in_file_(seed % 4 == 0) { open(); }

  /// What differs, or "".
  std::string run() {
    for (int step = 0; step < 100; ++step) {
      act();
      if (one_in(3)) hand_over();
      if (one_in(4)) {
        if (auto wrong = store(); !wrong.empty()) return wrong;
      }
      if (one_in(8)) maintain(one_in(2));
      if (in_file_ && one_in(20)) {
        if (auto wrong = store(); !wrong.empty()) return wrong;
        store_.reset();
        open();
      }
      if (one_in(3)) {
        if (auto wrong = store(); !wrong.empty()) return wrong;
        if (auto wrong = compare(); !wrong.empty()) return fmt::format("step {}: {}", step, wrong);
      }
    }
    return {};
  }

 private:
  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  std::string word() { return words[below(std::size(words))]; }
  std::string some_words() { return one_in(3) ? word() + " " + word() : word(); }

  void open() {
    auto opened = open_sqlite_store(in_file_ ? folder_.path() : "");
    if (!opened) throw std::runtime_error{opened.failure().message};
    store_ = std::move(*opened);
  }

  alert fresh() {
    alert made = sample_alert(++made_, below(4));
    // Few distinct starts, so that pages cut through alerts of one time.
    made.started_at = sample_noon + std::chrono::hours{below(60)};
    made.at = clock_;
    made.severity = static_cast<severity>(below(4));
    made.origin = static_cast<alert_origin>(below(3));
    made.state = one_in(3) ? alert_state::pending : alert_state::firing;
    alert_texts texts = *made.texts;
    texts.title = some_words() + " " + texts.title;
    texts.labels.emplace_back("service", word());
    made.texts = std::make_shared<const alert_texts>(std::move(texts));
    if (made.origin == alert_origin::posted) {
      made.posted = std::make_shared<const posted_facts>();
      // Some come again under the id of one that has ended.
      if (!ended_posted_.empty() && one_in(2)) {
        made.alert_id = ended_posted_.back();
        ended_posted_.pop_back();
      }
    }
    return made;
  }

  void act() {
    clock_ += std::chrono::milliseconds{below(5) * 1'234'567};
    if (active_.empty() || one_in(3)) {
      active_.push_back(maker_.begin(fresh()));
      return;
    }
    const std::size_t place = below(active_.size());
    transition& now = active_[place];
    const std::string by = operators[below(2)];
    switch (below(8)) {
      case 0:
        now = maker_.move(now, alert_state::firing, clock_, "rule", "still met");
        break;
      case 1:
        if (now->state == alert_state::pending) break;
        now = maker_.move(now, alert_state::acknowledged, clock_, by, "acknowledged", word());
        break;
      case 2:
        now = maker_.move(now, now->state, clock_, by, "note", some_words());
        break;
      case 3:
        end(place, alert_state::resolved, one_in(4) ? by : "rule");
        break;
      case 4:
        end(place, alert_state::closed, one_in(2) ? by : "checker");
        break;
      case 5:
        now = maker_.update(now, [&](alert& of) {
          if (of.origin != alert_origin::posted) return;
          alert_texts texts = *of.texts;
          texts.description = some_words();
          of.texts = std::make_shared<const alert_texts>(std::move(texts));
        });
        break;
      default:
        now = maker_.update(now, [](alert& of) { ++of.proof.event_count; });
    }
  }

  void end(std::size_t place, alert_state how, const std::string& by) {
    const transition over = maker_.move(active_[place], how, clock_, by, "over");
    if (over->origin == alert_origin::posted) ended_posted_.push_back(over->alert_id);
    active_.erase(active_.begin() + static_cast<std::ptrdiff_t>(place));
  }

  void hand_over() {
    waiting_.push_back(maker_.take());
    twin_.apply(waiting_.back());
  }

  std::string store() {
    hand_over();
    const auto failure = store_->commit(waiting_);
    waiting_.clear();
    return failure ? failure->message : "";
  }

  void maintain(bool forget) {
    if (!store().empty()) return;
    const instant before = forget ? clock_ - std::chrono::hours{below(30)} : instant{};
    for (;;) {
      const auto more = store_->maintain(before);
      if (!more) throw std::runtime_error{more.failure().message};
      if (!*more) break;
    }
    twin_.forget(before);
  }

  history_query any_query() {
    history_query query;
    if (one_in(4)) query.from = sample_noon + std::chrono::hours{below(60)};
    if (one_in(4)) query.until = sample_noon + std::chrono::hours{below(60)};
    if (one_in(4)) query.rule = fmt::format("rule-{}", below(5));
    if (one_in(4)) query.severity = static_cast<severity>(below(4));
    while (one_in(3)) query.states.push_back(static_cast<alert_state>(1 + below(5)));
    if (one_in(4)) query.matchers.push_back(any_matcher());
    if (one_in(2)) query.text = some_words();
    query.unacknowledged = one_in(5);
    query.limit = 1 + below(7);
    return query;
  }

  label_matcher any_matcher() {
    const bool team = one_in(2);
    return *label_matcher::make(team ? "team" : "service",
                                one_in(2) ? matcher_operator::equal : matcher_operator::matches,
                                team ? "web" : word());
  }

  std::string compare() {
    for (int i = 0; i < 4; ++i) {
      if (auto wrong = compare_history(any_query()); !wrong.empty()) return wrong;
    }
    if (auto wrong = compare_statistics(); !wrong.empty()) return wrong;
    if (auto wrong = compare_active(); !wrong.empty()) return wrong;
    return compare_lives();
  }

  static std::string as_text(const std::vector<transition>& all) {
    std::string text;
    for (const transition& each : all) {
      text += fmt::format("\n  {} {} started {} seq {} {}", to_text(each->alert_id), each->rule,
                          format_rfc3339(each->started_at), each->seq, to_text(each->state));
    }
    return text;
  }

  static bool same(const std::vector<transition>& left, const std::vector<transition>& right) {
    return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                      [](const transition& one, const transition& other) {
                        return alert_bytes(*one) == alert_bytes(*other);
                      });
  }

  std::string compare_history(history_query query) {
    const auto wanted = twin_.history(query);
    std::vector<transition> seen;
    for (;;) {
      const auto page = store_->history(query);
      if (!page) return page.failure().message;
      if (page->alerts.size() > query.limit) return "a page is longer than its limit";
      if (!page->next.empty() && page->alerts.size() != query.limit)
        return "a page before the last is not full";
      seen.insert(seen.end(), page->alerts.begin(), page->alerts.end());
      if (page->next.empty()) break;
      query.after = page->next;
    }
    if (same(seen, wanted)) return {};
    return fmt::format(
        "history of text \"{}\" rule \"{}\" unacknowledged {} states {}: wanted{}\nseen{}",
        query.text, query.rule, query.unacknowledged, query.states.size(), as_text(wanted),
        as_text(seen));
  }

  static std::string as_text(const alert_statistics& of) {
    const auto ms = [](const std::optional<duration>& each) {
      return each ? fmt::format("{}", each->count()) : std::string{"-"};
    };
    std::string text = fmt::format("total {} active {} acknowledged {} resolved {} closed {} {} {}",
                                   of.total, of.active, of.acknowledged, of.resolved, of.closed,
                                   ms(of.mean_time_to_acknowledge), ms(of.mean_time_to_resolve));
    for (const auto& each : of.rules) {
      text += fmt::format("\n {} {} {} {} {} {} {}", each.rule, each.total, each.acknowledged,
                          each.self_resolved, ms(each.mean_time_to_acknowledge),
                          ms(each.mean_time_to_resolve), ms(each.median_time_to_resolve));
    }
    for (const auto& each : of.days) {
      text += "\n " + format_rfc3339(each.start);
      for (const auto& [level, count] : each.by_severity)
        text += fmt::format(" {} {}", to_text(level), count);
    }
    return text;
  }

  std::string compare_statistics() {
    const instant from = sample_noon + std::chrono::minutes{below(2000)};
    const instant until = from + std::chrono::minutes{below(3000)};
    const auto seen = store_->statistics(from, until);
    if (!seen) return seen.failure().message;
    const std::string wanted = as_text(twin_.statistics(from, until));
    if (as_text(*seen) == wanted) return {};
    return fmt::format("statistics: wanted {}\nseen {}", wanted, as_text(*seen));
  }

  std::string compare_active() {
    const auto state = store_->load();
    if (!state) return state.failure().message;
    std::vector<transition> seen;
    for (const alert_record& each : state->alerts) seen.push_back(each.now);
    if (state->seq != maker_.seq()) return fmt::format("seq is {}", state->seq);
    if (same(seen, twin_.active())) return {};
    return fmt::format("active: wanted{}\nseen{}", as_text(twin_.active()), as_text(seen));
  }

  std::string compare_lives() {
    for (const transition& each : twin_.history({})) {
      const auto seen = store_->explain(each->alert_id);
      if (!seen) return seen.failure().message;
      if (alert_bytes(*seen->now) != alert_bytes(*twin_.find(each->alert_id)))
        return "explain: another state of " + to_text(each->alert_id);
      if (!same(seen->transitions, twin_.transitions(each->alert_id)))
        return "explain: other transitions of " + to_text(each->alert_id);
    }
    return {};
  }

  std::mt19937_64 random_;
  bool in_file_;
  scratch_folder folder_;
  std::unique_ptr<alert_store> store_;
  naive_alert_history twin_;
  change_maker maker_;
  instant clock_ = sample_noon;
  std::uint64_t made_ = 0;
  std::vector<transition> active_;
  std::vector<fingerprint> ended_posted_;
  std::vector<book_changes> waiting_;
};

TEST(alert_history_property, history_and_statistics_are_those_of_a_naive_twin) {
  std::uint64_t first = 1;
  std::uint64_t last = 40 * property_rounds();
  if (const auto only = property_seed()) first = last = *only;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    const std::string wrong = random_history{seed}.run();
    if (!wrong.empty()) FAIL() << "TOCSIN_PROPERTY_SEED=" << seed << ": " << wrong;
  }
}

}  // namespace
}  // namespace tocsin::testing
