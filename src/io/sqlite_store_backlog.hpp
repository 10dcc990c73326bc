// SPDX-License-Identifier: Apache-2.0
// What a temporary alert store has still to write.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>

#include "io/sqlite_store_writer.hpp"
#include "tocsin/alert_book.hpp"
#include "tocsin/result.hpp"

namespace tocsin {

/// Nobody finds a temporary store again after a crash, so nobody has to wait until it is written: a
/// storm of alerts is taken as it comes and written when there is time, or somebody asks. Nor does
/// any alert book go on with it: what only the book reads (records, silences, groups, facts) is
/// left out. Used by one thread at a time.
class sqlite_store_backlog {
 public:
  /// Over a store without transitions.
  explicit sqlite_store_backlog(sqlite_store_writer& into) : into_(into) {}

  /// Takes all of them or none. Errors: store_failed: the transitions' numbers have a gap; there
  /// was too much to keep and writing it failed.
  [[nodiscard]] std::optional<error> commit(
      std::span<const std::shared_ptr<const book_changes>> changes);
  /// What could not be written is kept. Errors: those of sqlite_store_writer::commit().
  [[nodiscard]] std::optional<error> write_all();
  /// Notices without the states that came before them: who delivers them need not wait for those.
  [[nodiscard]] std::optional<error> write_notices();
  /// A piece: some 5,000 states of alerts, below 100 ms; after those, notices.
  [[nodiscard]] std::optional<error> write_some();
  [[nodiscard]] bool empty() const noexcept { return waiting_.empty() && notices_.empty(); }

  /// States of alerts that wait before commits write some of them; and those of them that are not
  /// the first of their alert: the book holds newer ones, so they take memory that nobody else
  /// needs.
  static constexpr std::size_t states_max = 100'000;
  static constexpr std::size_t later_states_max = 10'000;
  /// Times as many may wait before a commit writes all that is too much.
  static constexpr std::size_t patience = 4;
  /// Notices that wait at most: who delivers them has few of them in memory.
  static constexpr std::size_t notices_max = 5'000;

 private:
  struct part {
    std::shared_ptr<const book_changes> what;
    std::size_t states = 0;
    std::size_t later_states = 0;
  };

  [[nodiscard]] static part part_of(const book_changes& changes);
  [[nodiscard]] std::optional<error> write(std::size_t states);
  [[nodiscard]] bool over(std::size_t times) const noexcept {
    return states_ >= times * states_max || later_states_ >= times * later_states_max;
  }

  sqlite_store_writer& into_;
  std::deque<part> waiting_;
  std::size_t states_ = 0;
  std::size_t later_states_ = 0;
  std::deque<notice_ptr> notices_;
  instant clock_{};        ///< of the newest change
  std::uint64_t seq_ = 0;  ///< of the last transition that was taken
};

}  // namespace tocsin
