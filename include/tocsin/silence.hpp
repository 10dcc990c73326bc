// SPDX-License-Identifier: Apache-2.0
// Silences: who asked that which alerts shall not notify, and when.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tocsin/alert.hpp"
#include "tocsin/label_matcher.hpp"
#include "tocsin/result.hpp"
#include "tocsin/time.hpp"
#include "tocsin/time_interval.hpp"

namespace tocsin {

enum class silence_scope : std::uint8_t {
  alerts,  ///< matching alerts are recorded, and do not notify
  events,  ///< matching events are kept out of the rules
};

enum class silence_state : std::uint8_t { pending, active, expired };
[[nodiscard]] std::string_view to_text(silence_state state) noexcept;

struct silence {
  std::string id;  ///< a UUID's form; "" in a request for a new one
  label_matchers matchers;
  instant starts_at{};
  instant ends_at{};  ///< exclusive
  instant updated_at{};
  std::string created_by;
  std::string comment;
  silence_scope scope = silence_scope::alerts;
  /// Not empty: within [starts_at, ends_at) it silences only while one of these holds.
  std::vector<time_interval> recurs;
  friend bool operator==(const silence&, const silence&) = default;
};

/// Alertmanager's states, by start and end alone.
[[nodiscard]] silence_state state_of(const silence& of, instant at) noexcept;
/// True while it silences: active, and recurring ones in one of their intervals.
[[nodiscard]] bool in_force(const silence& of, instant at);

using silence_ptr = std::shared_ptr<const silence>;

/// All silences. Not thread-safe; owned by the alert book. Changes only by its calls; time is given
/// with them and never runs backwards.
class silence_book {
 public:
  /// Makes or edits one as Alertmanager does: a request without id is new (a start before `at`
  /// becomes `at`); with an id it changes that one in place when only what is harmless differs
  /// (same matchers, scope and recurrence; an active one with the same start, to the second; a
  /// pending one with a start that is not before `at`), otherwise the old one expires and a new one
  /// with a new id is made. Errors: silence_not_found (an unknown id), bad_silence (no matcher,
  /// only
  /// `=` and `=~` matchers that accept "", end not after start, end not after `at`, comment or
  /// author missing, a recurrence in an unknown time zone).
  [[nodiscard]] result<silence_ptr> put(instant at, silence wanted);
  /// Ends it at `at`; a pending one never begins. Errors: silence_not_found, silence_expired.
  [[nodiscard]] result<silence_ptr> expire(instant at, std::string_view id);

  /// Null when unknown.
  [[nodiscard]] silence_ptr find(std::string_view id) const;
  /// All, by id.
  [[nodiscard]] std::vector<silence_ptr> all() const;
  [[nodiscard]] std::size_t size() const noexcept { return by_id_.size(); }

  /// Ids of those in force with scope `alerts` whose matchers accept the alert, sorted.
  [[nodiscard]] std::vector<std::string> silencing(const alert& of, instant at) const;

  /// When one of them (of any scope) may next come into force or end, after `after`; recurring ones
  /// at each full minute while active. Nothing: never by itself.
  [[nodiscard]] std::optional<instant> next_change(instant after) const;
  /// How the set in force has changed since the last call: silences with scope `alerts`, by id,
  /// that came into force or ended, for the book to look at the alerts they match. What began and
  /// ended between two calls is in neither.
  struct turn {
    std::vector<silence_ptr> began;
    std::vector<silence_ptr> ended;
  };
  [[nodiscard]] turn advance(instant at);

  /// Those with scope `events` in force at `at`, by id.
  [[nodiscard]] std::vector<silence_ptr> shielding_events(instant at) const;

  /// Takes back what put() and expire() gave, at a restart.
  void restore(silence known);
  /// Forgets those that expired before `before`; gives their ids, those that expired first before
  /// others.
  std::vector<std::string> forget_expired(instant before);
  /// Those changed by put() and expire() since the last call, as they are now, each once, in the
  /// order of their last change (an edit may change two).
  [[nodiscard]] std::vector<silence_ptr> take_changed();

 private:
  using silences_by_id = std::map<std::string, silence_ptr, std::less<>>;
  using times_of_ids = std::set<std::pair<instant, std::string>>;

  silence_ptr keep(silence_ptr made);
  silence_ptr end(const silence& old, instant at);
  [[nodiscard]] std::string new_id(const silence& wanted) const;
  void add(const silence_ptr& known);
  void remove(const silence& known);
  void look_out_for(const silence_ptr& known);
  void look_away_from(const silence& known);
  silences_by_id& bucket_for(const silence& known);

  silences_by_id by_id_;
  times_of_ids ends_;  ///< of all
  times_of_ids due_;   ///< starts and ends that advance() has not seen

  /// Those whose end advance() has not seen, by what they can apply to: one with scope `alerts` is
  /// in the bucket of one of its `=` matchers, or else in everywhere_.
  std::map<std::string, std::map<std::string, silences_by_id, std::less<>>, std::less<>> buckets_;
  std::map<std::string, std::size_t, std::less<>> bucket_of_;  ///< id -> index of that matcher
  silences_by_id everywhere_;
  silences_by_id of_events_;
  silences_by_id recurring_;  ///< of any scope

  silences_by_id in_force_;                     ///< scope `alerts`, as of the last advance()
  std::set<std::string, std::less<>> touched_;  ///< ids that advance() has to look at
  std::vector<std::string> changed_;
};

}  // namespace tocsin
