// SPDX-License-Identifier: Apache-2.0
// One rule told the slow way: what every kind of window has in common in the naive engine.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/alert.hpp"
#include "tocsin/rule_set.hpp"

namespace tocsin::testing {

using key_values = std::vector<std::optional<std::string>>;  ///< by group field; nothing is NULL

/// An event of the log as it comes to a rule.
struct naive_arrival {
  std::shared_ptr<const event_batch> batch;
  std::uint32_t index = 0;

  [[nodiscard]] const event& what() const { return batch->events[index]; }
  [[nodiscard]] std::uint64_t position() const { return batch->first_position + index; }
};

/// An event that counted.
struct naive_event {
  std::shared_ptr<const event_batch> batch;
  const event* what = nullptr;
  instant time{};  ///< by the rule's clock
  std::uint64_t position = 0;
};

/// Whether an event comes before another by (time, position).
[[nodiscard]] bool comes_before(const naive_event* left, const naive_event* right);

/// A window with all it holds, in order of (time, position).
struct naive_window {
  window_bounds bounds;
  std::vector<const naive_event*> events;
  std::vector<const naive_event*> baseline;  ///< what the window is compared with
  const naive_event* speaker = nullptr;      ///< the event that templates take fields from
  instant judged_at{};                       ///< the time, by the rule's clock, of the judgement
};

/// The greatest log position of a window's events; 0 when it has none.
[[nodiscard]] std::uint64_t newest_position(const naive_window& in);

/// Which events' ids a key remembers: the first event_ids_max of each pane or session enter, the
/// newest event_ids_max that entered stay.
struct id_memory {
  struct entry {
    instant time{};
    std::uint64_t position = 0;
  };
  std::vector<entry> seen;                ///< all events with ids
  std::vector<std::uint64_t> remembered;  ///< positions, in order of arrival

  void remember(std::uint64_t position);
};

/// All that one rule knows of one key.
struct naive_key {
  key_values name;
  std::deque<naive_event> events;  ///< in log order, since the last recovery
  bool met = false;
  std::uint64_t newest = 0;  ///< greatest log position in the last met or updated's window
  std::shared_ptr<id_memory> ids = std::make_shared<id_memory>();
};

/// A rule over all its keys, by itself: it shares nothing with other rules but, where the engine
/// shares panes, the memory of ids. A derived class says what a kind of window means.
class naive_rule {
 public:
  naive_rule(const rule_set& rules, const rule& by);
  virtual ~naive_rule() = default;
  naive_rule(const naive_rule&) = delete;
  naive_rule& operator=(const naive_rule&) = delete;

  /// The first step's clock.
  virtual void begin(instant clock);
  /// Closes all that this watermark is beyond and the one before was not.
  virtual void pass_time(instant watermark, std::vector<finding>& out) = 0;
  /// Whether the event counts for this rule; then it has been noted. `ids` is the key's memory
  /// where rules share it, else null.
  bool accept(const naive_arrival& from, const std::shared_ptr<id_memory>& ids);
  /// Judges what the accepted event brings about at once.
  virtual void judge_arrival(const naive_arrival& from, std::vector<finding>& out) = 0;
  /// An event with action resolved or closed.
  void recover(const naive_arrival& from, std::vector<finding>& out);

  [[nodiscard]] std::uint64_t late() const noexcept { return late_; }
  /// True when the condition is met for some key.
  [[nodiscard]] bool any_met() const;
  [[nodiscard]] key_values key_of(const naive_arrival& from) const;

 protected:
  /// What a kind of window makes of an event that meets the rule's conditions: whether it was
  /// taken (appended to key.events).
  virtual bool take(naive_key& key, const naive_event& what, instant watermark) = 0;
  /// Conditions on the event itself; the rule's `where` unless a kind says otherwise.
  [[nodiscard]] virtual bool concerns(const naive_arrival& from) const;
  /// A key's state of the derived class is to be forgotten.
  virtual void forget(const naive_key& key);

  [[nodiscard]] const rule_spec& spec() const noexcept { return by_.spec; }
  [[nodiscard]] duration lateness() const noexcept { return *by_.spec.lateness; }
  [[nodiscard]] bool meets_where(const event_batch& batch, const event& what) const;
  /// An expression over events that must compile.
  [[nodiscard]] static expression condition(const std::string& text);

  [[nodiscard]] bool holds(const naive_key& key, const naive_window& in) const;
  /// Reports met, or updated when it was met already and the window holds news.
  void report_holding(naive_key& key, instant at, std::string_view cause, const naive_window& in,
                      std::vector<finding>& out) const;
  void report(finding::kind kind, naive_key& key, instant at, std::uint64_t position,
              std::string_view cause, const naive_window& in, std::vector<finding>& out) const;

  const rule_set& rules_;
  const rule& by_;
  std::map<key_values, naive_key> keys_;
  std::uint64_t late_ = 0;

 private:
  [[nodiscard]] fingerprint print_of(const naive_key& key) const;

  expression where_;
};

/// The naive rule of its window's kind.
[[nodiscard]] std::unique_ptr<naive_rule> make_naive_rule(const rule_set& rules, const rule& by);

}  // namespace tocsin::testing
