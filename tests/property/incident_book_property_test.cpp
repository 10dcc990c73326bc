// SPDX-License-Identifier: Apache-2.0
// Incidents against a naive twin: alerts that begin, change and end at random, incidents that are
// closed by hand, and restarts anywhere.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include <fmt/format.h>

#include "support/naive_incidents.hpp"
#include "support/window_scenario.hpp"
#include "tocsin/incident.hpp"

namespace tocsin::testing {
namespace {

std::string to_text(const incident_news& news) {
  std::string text =
      fmt::format("{} rule {} {} at {} severity {} first {}", static_cast<int>(news.what),
                  news.rule, to_text(news.print), to_unix_ms(news.at), to_text(news.severity),
                  to_unix_ms(news.first_started_at));
  for (const auto& [name, value] : news.values) text += fmt::format(" {}={:a}", name, value);
  for (const auto& [name, value] : news.group) text += fmt::format(" {}:{}", name, value);
  text += " members";
  for (const fingerprint& id : news.members) text += fmt::format(" {}", id.low);
  text += " joined";
  for (const fingerprint& print : news.joined) text += fmt::format(" {}", print.low);
  return text + "\n";
}

std::string to_text(const std::vector<incident_news>& all) {
  std::string text;
  for (const incident_news& one : all) text += to_text(one);
  return text;
}

/// One run: a random log of alerts through the book and through a twin for each rule.
class incident_run {
 public:
  explicit incident_run(std::uint64_t seed) : random_(seed) {
    const std::size_t count = 1 + below(3);
    for (std::size_t i = 0; i < count; ++i) rules_.push_back(random_rule(i));
    for (std::size_t i = 0; i < count; ++i) twins_.emplace_back(rules_[i], i);
    book_ = std::make_unique<incident_book>(rules_);
  }

  /// What is wrong with it, or nothing.
  std::string run() {
    for (int step = 0; step < 120; ++step) {
      now_ += duration{static_cast<std::int64_t>(below(3) * below(40))};
      std::string wrong = one_step();
      if (!wrong.empty()) return fmt::format("step {}: {}", step, wrong);
    }
    return "";
  }

 private:
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

  incident_rule random_rule(std::size_t index) {
    incident_rule made;
    made.name = fmt::format("many-{}", index);
    const std::vector<std::string> matchers{"", R"({team="a"})", R"({severity=~"critical|error"})",
                                            R"({rack!="1"})"};
    made.matchers = *parse_label_matchers(matchers[below(matchers.size())]);
    if (below(3) != 0) made.group_by.emplace_back("team");
    if (below(3) == 0) made.group_by.emplace_back("rack");
    made.within = duration{static_cast<std::int64_t>(below(120))};
    made.min_alerts = static_cast<std::uint32_t>(2 + below(3));
    if (below(2) == 0) made.value = "load";
    return made;
  }

  alert random_alert() {
    alert made;
    made.print = {0, below(12)};
    made.alert_id = {1, ++ids_};
    made.rule = "load";
    made.state = below(3) == 0 ? alert_state::acknowledged : alert_state::firing;
    made.started_at = now_ - duration{static_cast<std::int64_t>(below(3) * below(60))};
    dress(made);
    return made;
  }

  void dress(alert& what) {
    what.severity = static_cast<severity>(below(4));
    alert_texts texts;
    texts.labels = {{"team", below(2) == 0 ? "a" : "b"}, {"rack", fmt::format("{}", below(3))}};
    what.texts = std::make_shared<const alert_texts>(std::move(texts));
    what.proof.values.clear();
    if (below(3) != 0) {
      what.proof.values = {{"load", static_cast<double>(below(1000)) / 7}, {"other", 1}};
    }
  }

  std::string one_step() {
    const std::uint64_t what = below(20);
    if (what < 9) return told(random_alert());
    if (what < 13 && !active_.empty()) {
      alert changed = any_active();
      dress(changed);
      return told(std::move(changed));
    }
    if (what < 17 && !active_.empty()) {
      alert ended = any_active();
      ended.state = below(2) == 0 ? alert_state::resolved : alert_state::closed;
      return told(std::move(ended));
    }
    if (what == 17) forget_one();
    if (what == 18) return restart();
    return "";
  }

  const alert& any_active() {
    auto one = active_.begin();
    std::advance(one, static_cast<std::ptrdiff_t>(below(active_.size())));
    return one->second;
  }

  std::string told(alert now) {
    const bool active = now.state == alert_state::firing || now.state == alert_state::acknowledged;
    const std::string got = to_text(book_->update(now_, now));
    std::string wanted;
    for (naive_incidents& twin : twins_) wanted += to_text(twin.update(now_, now));
    if (active) {
      active_[now.print] = std::move(now);
    } else {
      active_.erase(now.print);
    }
    store();
    if (got != wanted) return fmt::format("got\n{}wanted\n{}", got, wanted);
    return "";
  }

  void forget_one() {
    for (naive_incidents& twin : twins_) {
      const auto open = twin.open();
      if (open.empty()) continue;
      const fingerprint incident = open[below(open.size())];
      twin.forget(incident);
      book_->forget(incident);
      store();
      return;
    }
  }

  void store() {
    for (auto& [print, bytes] : book_->take_changed()) {
      if (bytes.empty()) {
        stored_.erase(print);
      } else {
        stored_[print] = std::move(bytes);
      }
    }
  }

  std::string restart() {
    book_ = std::make_unique<incident_book>(rules_);
    for (const auto& [print, bytes] : stored_) {
      if (!book_->restore(bytes)) return "it did not take its own bytes back";
    }
    std::vector<alert> replayed;
    for (const auto& [print, one] : active_) replayed.push_back(one);
    std::shuffle(replayed.begin(), replayed.end(), random_);
    for (const alert& one : replayed) {
      const std::string news = to_text(book_->update(now_, one));
      if (!news.empty()) return fmt::format("news of the restart:\n{}", news);
    }
    for (naive_incidents& twin : twins_) {
      for (const fingerprint& incident : twin.open()) {
        if (book_->members_of(incident).empty()) return "an incident is lost";
      }
    }
    store();
    return "";
  }

  std::mt19937_64 random_;
  std::vector<incident_rule> rules_;
  std::vector<naive_incidents> twins_;
  std::unique_ptr<incident_book> book_;
  std::map<fingerprint, alert> active_;
  std::map<fingerprint, std::string> stored_;
  instant now_ = from_unix_ms(1'000'000);
  std::uint64_t ids_ = 0;
};

TEST(incident_book_property, equals_the_naive_twin_and_goes_on_after_restarts) {
  std::uint64_t first_seed = 1;
  std::uint64_t last_seed = 1500 * property_rounds();
  if (const auto only = property_seed()) first_seed = last_seed = *only;
  for (std::uint64_t seed = first_seed; seed <= last_seed; ++seed) {
    const std::string wrong = incident_run(seed).run();
    ASSERT_EQ(wrong, "") << "TOCSIN_PROPERTY_SEED=" << seed;
  }
}

}  // namespace
}  // namespace tocsin::testing
