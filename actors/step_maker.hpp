// SPDX-License-Identifier: Apache-2.0
// What ingest thinks: makes log steps of bursts, operations and passing time, tells events that are
// sent again from new ones, and keeps the books of what came in.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/event_decoder.hpp"
#include "messages.hpp"
#include "shield_board.hpp"
#include "tocsin/burst.hpp"
#include "tocsin/dedup_index.hpp"
#include "tocsin/dedup_limits.hpp"
#include "tocsin/enrichment.hpp"
#include "tocsin/event_router.hpp"
#include "tocsin/ingest_ledger.hpp"
#include "tocsin/ingest_quotas.hpp"
#include "tocsin/log_entry.hpp"
#include "tocsin/quarantine.hpp"
#include "tocsin/snapshot_store.hpp"
#include "tocsin/source_quotas.hpp"

namespace tocsin {

struct step_maker_setup {
  event_limits limits;
  std::shared_ptr<const rule_set> rules;
  std::size_t shards = 1;  ///< >= 1
  std::shared_ptr<const enrichment> enrich =
      nullptr;  ///< null: events go to the rules as they came
  std::shared_ptr<const shield_board> shields = nullptr;  ///< null: no silence keeps events out
  dedup_limits dedup;                                     ///< of bursts that are answered
  ingest_quotas quotas;                                   ///< what each source may send
  std::shared_ptr<quarantine> poison = nullptr;           ///< null: nothing is kept out
  bool logged = false;              ///< whether there is a log: without it no entries are made
  instant clock{};                  ///< the log's clock goes on from here
  std::uint64_t last_step = 0;      ///< the first step gets the next number
  std::uint64_t next_position = 1;  ///< log position of the next event
};

/// What came of a burst, an operation or of time.
struct made_step {
  std::shared_ptr<const log_step> step;    ///< for the shards; null: nothing for them
  std::shared_ptr<const log_entry> entry;  ///< the same for the log; null when there is no log
  /// Of a burst with an answer, one a message; retry: nothing of that message was taken.
  std::vector<burst_outcome> outcomes;
};

/// Not thread-safe; owned by ingest. Deterministic: the same bursts and times (and lookup tables)
/// give the same steps.
class step_maker {
 public:
  explicit step_maker(step_maker_setup setup);

  /// The step of a burst whose messages arrive at `arrivals` where these are given, and otherwise
  /// at `now`; times before the log's clock are taken as the clock. The step's clock is the arrival
  /// of its last event. No step when no event is for the rules and none must be remembered; a step
  /// without batch when there are only such to remember. A burst with an answer has outcomes in any
  /// case. `pressure` is how full the pipeline is, 0 to 1, for what is shed. A burst that was
  /// decoded before is not held to quotas, nor deduplicated.
  [[nodiscard]] made_step of_burst(const std::shared_ptr<const burst>& what, instant now,
                                   double pressure = 0);
  /// The step of time passing to `now`, with or without an operation.
  [[nodiscard]] made_step of_time(instant now, std::shared_ptr<const operation> asked = nullptr);

  /// The step of an entry of the log that is gone through again: as it was decided then, without
  /// what the quarantine leaves out; but for that nothing is counted. Entries come in their order,
  /// before anything else, those behind a snapshot after restore(). Where there is no snapshot and
  /// the log's beginning is gone, what came before it counts as forgotten.
  [[nodiscard]] std::shared_ptr<const log_step> of_entry(const log_entry& entry);

  /// A snapshot behind the last step, as far as ingest knows it: without the shards' states.
  [[nodiscard]] pipeline_snapshot begin_snapshot() const;
  /// Goes on from such a snapshot. Steps and clock do not go back by it. Errors: snapshot_damaged,
  /// snapshot_newer; then nothing has changed.
  [[nodiscard]] std::optional<error> restore(const pipeline_snapshot& from);

  /// The log's clock: the latest time that was given.
  [[nodiscard]] instant clock() const noexcept { return clock_; }
  /// Number of the last step.
  [[nodiscard]] std::uint64_t last_step() const noexcept { return last_step_; }
  /// Log position of the next event.
  [[nodiscard]] std::uint64_t next_position() const noexcept { return next_position_; }
  [[nodiscard]] ingest_report report() const;

 private:
  /// Of the burst at hand.
  struct verdicts {
    std::vector<rejection> refused;       ///< by message and index
    std::vector<std::string> duplicates;  ///< their sources
    std::vector<std::string> shed;        ///< their sources
    std::vector<remembered_event> seen;   ///< new, to be recognised
    std::uint64_t accepted = 0;
    void clear();
  };

  [[nodiscard]] std::shared_ptr<event_batch> begin_batch(const std::shared_ptr<const burst>& what);
  void decode_message(const burst& of, std::size_t message, event_batch& into);
  [[nodiscard]] std::shared_ptr<event_batch> decode(const std::shared_ptr<const burst>& what);
  /// The same, with the outcome of each message.
  [[nodiscard]] std::shared_ptr<event_batch> decode_answered(
      const std::shared_ptr<const burst>& what, std::vector<burst_outcome>& outcomes);
  /// The batch of a burst that was decoded before, numbered and stamped for this log.
  [[nodiscard]] std::shared_ptr<const event_batch> adopt(
      const std::shared_ptr<const event_batch>& decoded);
  /// When the answered events would be beyond a quota: how long to wait. Otherwise they are within
  /// it and are counted.
  [[nodiscard]] std::optional<duration> beyond_quota(std::span<const event> events);
  /// Takes those that have no effect out of one message's events, which are the batch's from
  /// `begin` on; what was refused of them is there from `refused` on.
  void sort_out_answered(event_batch& batch, std::size_t begin, std::size_t refused);
  [[nodiscard]] bool takes_answered(const event& one, const std::optional<remembered_event>& what,
                                    std::uint32_t index);
  /// Otherwise says what it is instead.
  [[nodiscard]] bool is_new(const event& one, const remembered_event& what, std::uint32_t index);
  void sort_out_pushed(event_batch& batch, double pressure);
  [[nodiscard]] bool takes_pushed(const event& one, double pressure);
  void refuse(std::uint32_t index, std::string_view code, std::string message, const event& one);
  void enter_in_books(const event_batch& batch);
  /// The batch without the events that a silence keeps out of the rules.
  [[nodiscard]] std::shared_ptr<const event_batch> without_shielded(
      std::shared_ptr<const event_batch> batch);
  [[nodiscard]] made_step step_of(std::shared_ptr<const event_batch> batch, instant clock,
                                  std::shared_ptr<const operation> asked);

  event_decoder decoder_;
  ingest_ledger ledger_;
  std::optional<enricher> enricher_;
  std::shared_ptr<const shield_board> shields_;
  event_router router_;
  duration horizon_;
  duration time_ahead_max_;
  dedup_index known_;
  source_quotas quotas_;
  std::shared_ptr<quarantine> poison_;
  bool logged_;
  verdicts found_;
  std::vector<std::optional<remembered_event>> identities_;  ///< of the message at hand
  instant clock_;
  std::size_t last_events_ = 0;  ///< accepted in the burst before
  std::uint64_t last_step_;
  std::uint64_t next_position_;
  std::uint64_t steps_made_ = 0;
  std::uint64_t shielded_ = 0;
  std::uint64_t quarantined_ = 0;
  std::uint64_t unmatched_before_ = 0;  ///< events of entries gone through again
  bool knows_the_past_ = false;         ///< restored, or went through entries
};

}  // namespace tocsin
