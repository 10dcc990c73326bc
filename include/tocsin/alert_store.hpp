// SPDX-License-Identifier: Apache-2.0
// Where alerts, transitions, silences, notes, groups and notices last, and how they are asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tocsin/alert.hpp"
#include "tocsin/alert_book.hpp"
#include "tocsin/label_matcher.hpp"
#include "tocsin/notice.hpp"
#include "tocsin/operation.hpp"
#include "tocsin/result.hpp"
#include "tocsin/severity.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

/// Which alerts of the past. What is not given does not choose.
struct history_query {
  std::optional<instant> from;   ///< started at or after
  std::optional<instant> until;  ///< started before
  std::string rule;
  std::optional<tocsin::severity> severity;
  std::vector<alert_state> states;  ///< as they stand; empty: any
  label_matchers matchers;          ///< on alert_labels()
  /// Full text: all its words must be in title, description, labels, resource or notes
  /// (docs/store.md). Without any word in it it does not choose.
  std::string text;
  bool unacknowledged = false;  ///< only those nobody ever acknowledged
  std::size_t limit = 100;      ///< 1 to 10,000
  std::string after;            ///< the page token of the page before; "": the first page
};

/// Newest first: by start, then alert id, then (a posted alert can come again under its id) the
/// order in which they came, all descending.
struct history_page {
  std::vector<transition> alerts;  ///< each as it stands
  std::string next;                ///< token of the next page; "": this is the last one
};

/// Over alerts that began to fire in [from, until). Incidents are left out.
struct alert_statistics {
  std::uint64_t total = 0;
  std::uint64_t active = 0;        ///< of them, still
  std::uint64_t acknowledged = 0;  ///< of them, at some time
  std::uint64_t resolved = 0;
  std::uint64_t closed = 0;
  std::optional<duration> mean_time_to_acknowledge;  ///< from firing to the first acknowledge
  std::optional<duration> mean_time_to_resolve;      ///< from firing to resolved or closed
  struct of_rule {
    std::string rule;
    std::uint64_t total = 0;
    std::uint64_t acknowledged = 0;
    std::uint64_t self_resolved =
        0;  ///< resolved, never acknowledged, by no operator: false alarms
    std::optional<duration> mean_time_to_acknowledge;
    std::optional<duration> mean_time_to_resolve;
    std::optional<duration> median_time_to_resolve;
  };
  std::vector<of_rule> rules;  ///< by total, most first, then name
  struct of_day {
    instant start{};  ///< midnight UTC
    /// As the alerts stand; all four, zeros too.
    std::map<tocsin::severity, std::uint64_t> by_severity;
  };
  std::vector<of_day> days;  ///< every day of [from, until), oldest first
};

/// A notice and how its delivery stands.
struct stored_notice {
  notice_ptr what;
  /// Rises from notice to notice; that of one that was forgotten may come again.
  std::int64_t place = 0;
  enum class state : std::uint8_t { pending, delivered, failed } standing = state::pending;
  std::uint32_t tries = 0;
  std::string failure;  ///< of the last try
};

struct alert_history {
  transition now;
  std::vector<transition> transitions;  ///< by number
};

/// Safe for any number of threads, but commit(), settle() and maintain(), which one thread calls at
/// a time. Everything that fails says store_failed with the reason, and changes nothing.
class alert_store {
 public:
  virtual ~alert_store() = default;

  /// What a book that goes on begins with. No book goes on with a store that is not durable: it
  /// gives alerts and the number of the last transition, and need not keep the rest.
  [[nodiscard]] virtual result<book_state> load() = 0;
  /// Stores several changes, none null, in their order, in one transaction: durable when it returns
  /// (nullopt). Transitions must be numbered on from the last one stored.
  [[nodiscard]] virtual std::optional<error> commit(
      std::span<const std::shared_ptr<const book_changes>> changes) = 0;
  /// The same of copies of the changes.
  [[nodiscard]] std::optional<error> commit(std::span<const book_changes> changes) {
    std::vector<std::shared_ptr<const book_changes>> copies;
    copies.reserve(changes.size());
    for (const book_changes& each : changes)
      copies.push_back(std::make_shared<const book_changes>(each));
    return commit(copies);
  }

  /// Notices that wait for delivery to a receiver, oldest first, at most `limit`, of those whose
  /// place is after `after`.
  [[nodiscard]] virtual result<std::vector<stored_notice>> pending_notices(
      const std::string& receiver, std::size_t limit, std::int64_t after) const = 0;
  /// The same of all.
  [[nodiscard]] result<std::vector<stored_notice>> pending_notices(const std::string& receiver,
                                                                   std::size_t limit) const {
    return pending_notices(receiver, limit, 0);
  }
  /// Enters how tries to deliver ended, in their order, in one transaction. Of a notice that is
  /// delivered or has failed for good nothing changes. Errors: no notice has one of the ids.
  [[nodiscard]] virtual std::optional<error> settle(std::span<const notice_outcome> outcomes) = 0;
  /// The same of one try.
  [[nodiscard]] std::optional<error> settle(const notice_outcome& outcome) {
    return settle(std::span{&outcome, 1});
  }

  /// Errors: bad_query (the limit, the token, more than 64 different words).
  [[nodiscard]] virtual result<history_page> history(const history_query& query) const = 0;
  /// An alert of the past or present with all its transitions; those of all that had the id, in
  /// their order, where several had it. Errors: not_found.
  [[nodiscard]] virtual result<alert_history> explain(const fingerprint& alert_id) const = 0;
  /// The last transitions that were stored, oldest first, numbered without a gap up to the last
  /// one; at most `limit`.
  [[nodiscard]] virtual result<std::vector<transition>> recent_transitions(
      std::size_t limit) const = 0;
  /// Errors: bad_query (more than 10,000 days).
  [[nodiscard]] virtual result<alert_statistics> statistics(instant from, instant until) const = 0;

  /// Forgets alerts that ended (with their transitions) and notices that were settled and are older
  /// than `before`, and brings the full-text index up to date, a bounded piece of each at a time.
  /// True: there is more to do.
  [[nodiscard]] virtual result<bool> maintain(instant before) = 0;

  /// The stream's name: made once, with the store. 16 hex digits.
  [[nodiscard]] virtual std::string name() const = 0;
  /// False: what it holds is gone when it closes.
  [[nodiscard]] virtual bool durable() const = 0;
  /// Bytes on disk.
  [[nodiscard]] virtual std::uint64_t bytes() const = 0;
};

}  // namespace tocsin
