// SPDX-License-Identifier: Apache-2.0
// Everything the actors say to each other: the message structs and each actor's typed interface.
// README.md draws who sends what to whom.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "caf/allowed_unsafe_message_type.hpp"
#include "caf/replies_to.hpp"
#include "caf/typed_actor.hpp"
#include "tocsin/alert_book.hpp"
#include "tocsin/burst.hpp"
#include "tocsin/enrichment.hpp"
#include "tocsin/event_log.hpp"
#include "tocsin/event_router.hpp"
#include "tocsin/ingest_ledger.hpp"
#include "tocsin/log_entry.hpp"
#include "tocsin/operation.hpp"
#include "tocsin/pipeline_counts.hpp"
#include "tocsin/snapshot_store.hpp"
#include "tocsin/window_engine.hpp"

namespace tocsin {

/// Held by every message that one burst or tick led to. When the last of them is gone, all its
/// effects have happened: a burst's credit is given back, the next tick may come.
using completion = std::shared_ptr<const void>;

/// To ingest: messages came in.
struct burst_in {
  std::shared_ptr<const burst> what;
  completion held;
};

/// To ingest, manual clock: time passes to `clock` with no event.
struct time_in {
  instant clock{};
  completion held;
};

/// To ingest, from itself: see whether a tick is due.
struct tick_due {};

/// To ingest: somebody asks for an operation. It travels with a step of its own, so that it has its
/// place in the log, and the alert book does it when all that came before has had its effect.
struct operation_in {
  operation wanted;
  std::function<void(result<operation_result>)> answer;
};
using operation_ptr = std::shared_ptr<const operation_in>;

/// To ingest, before anything else: an entry of the event log is gone through again.
struct replayed {
  std::shared_ptr<const log_entry> entry;
  completion held;
};

/// To ingest: nothing more comes from the log, time goes on by this clock (ingest_setup::now).
struct live_begins {
  std::function<instant()> now;
};

/// To the log writer: the next entry, or somebody who waits for those before, or both.
struct log_append {
  std::shared_ptr<const log_entry> entry;  ///< null: there is only an answer to give
  std::shared_ptr<const burst> asked;      ///< whose answers wait for the log; null: nobody's
  std::vector<burst_outcome> outcomes;     ///< what it is told, one a message
  completion held;
};

/// To the log writer: somebody waits for this step to last.
struct log_wanted {
  std::uint64_t step = 0;
};

/// To the log writer: forget what no restart needs.
struct log_trim {
  event_log::retention keep;
};

/// To the log writer, from itself: write what has come.
struct log_due {};
/// To the log writer, from itself: see whether a log that was full takes it now.
struct log_retry {};

/// To the recorder: the event log holds this step and all before for good.
struct log_reached {
  std::uint64_t step = 0;
};

/// To the recorder: the event log takes nothing at the moment; it is tried again.
struct log_refused {
  error why;
};

/// To a window aggregator: the next entry of the log that concerns it. A shard that has no event in
/// a step, and nothing to close by its clock, is left out.
struct logged_step {
  std::shared_ptr<const log_step> step;
  std::uint64_t after = 0;   ///< number of the step before it, which some shards got
  std::uint32_t shards = 1;  ///< how many get the step, at least one
  operation_ptr asked;       ///< null with most; else one of the shards passes it on
  completion held;
};

/// To the alert manager: what one shard found in one step. Each shard reports every step it got, in
/// order.
struct shard_findings {
  std::uint64_t step = 0;    ///< log_step::number
  std::uint64_t after = 0;   ///< logged_step::after
  std::uint32_t shards = 1;  ///< how many report the step
  instant clock{};           ///< log_step::clock
  std::vector<finding> found;
  operation_ptr asked;
  completion held;
  std::shared_ptr<const event_batch> batch;  ///< what it was found in; null: no events
};

class snapshot_builder;

/// To every window aggregator, behind a step: your state as it is now is wanted.
struct snapshot_wanted {
  std::shared_ptr<snapshot_builder> into;
  completion held;  ///< the next snapshot is made when it is gone
};

/// To the alert manager: one shard's state, behind its findings of the snapshot's step.
struct snapshot_part {
  std::shared_ptr<snapshot_builder> into;  ///< which only the alert manager touches
  std::uint32_t shard = 0;
  std::string state;
  completion held;
};

/// To the recorder, behind all changes of the snapshot's step; and on to the snapshot keeper, when
/// the store has them.
struct snapshot_made {
  std::shared_ptr<const pipeline_snapshot> what;
  completion held;
};

/// Told once what became of storing something: nothing, or why it failed.
using stored_answer = std::function<void(const std::optional<error>&)>;

/// To the alert manager: somebody wants to look at the book.
struct look_in {
  std::function<void(const alert_book&)> look;
};

/// To the recorder: what a step changed, by its findings and by its operation: one or both, in this
/// order, stored in one transaction.
struct changes_made {
  std::uint64_t step = 0;  ///< of the event log; 0: it waits for no log
  std::vector<std::shared_ptr<const book_changes>> what;
  stored_answer stored;  ///< may be empty
  completion held;
};

/// To the recorder: a try to deliver a notice ended.
struct notice_settled {
  notice_outcome what;
};

/// To the recorder, from itself: store what has come.
struct commit_due {
  bool for_tries = false;  ///< how tries to deliver ended is to be entered, too
};
/// To the recorder, from itself: tidy the store up.
struct maintenance_due {};

/// To the notifier: the transitions and notices of one step or operation, at least one.
struct step_transitions {
  std::shared_ptr<const book_changes> what;
  completion held;
};

/// To the notifier, from itself: tell the sinks that all is well.
struct heartbeat_due {};

/// To ingest, the window aggregators and the alert manager: what have you counted?
struct counts_wanted {};

/// ingest's answer.
struct ingest_report {
  ingest_counts events;
  std::map<std::string, std::uint64_t, std::less<>> rejected_by_code;
  std::map<std::string, ingest_counts> by_source;
  std::vector<enrichment_counts> enrichment;
  std::uint64_t unmatched = 0;
  std::uint64_t shielded = 0;
  std::uint64_t quarantined = 0;
  std::uint64_t steps = 0;
};

/// A window aggregator's answer.
struct shard_report {
  engine_totals totals;
  std::vector<rule_totals> rules;  ///< by rule_set::rules index
  std::map<std::string, std::uint64_t> late_by_source;
};

/// The alert manager's answer.
struct alerts_report {
  std::uint64_t transitions = 0;
  std::uint64_t active = 0;
  std::map<alert_state, std::uint64_t> by_state;
  std::uint64_t suppressed = 0;
  std::map<silence_state, std::uint64_t> silences;
  std::uint64_t groups = 0;
  std::map<std::string, std::uint64_t, std::less<>> notices;
  std::map<std::string, std::uint64_t, std::less<>> failed_checks;
};

}  // namespace tocsin

// Messages never leave the process, so none needs a serial form.
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::burst_in)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::time_in)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::tick_due)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::logged_step)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::shard_findings)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::step_transitions)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::heartbeat_due)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::counts_wanted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::ingest_report)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::shard_report)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::alerts_report)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::store_counts)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::operation_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::look_in)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::changes_made)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::notice_settled)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::commit_due)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::maintenance_due)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::replayed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::live_begins)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::log_append)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::log_wanted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::log_trim)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::log_due)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::log_retry)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::log_reached)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::log_refused)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::snapshot_wanted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::snapshot_part)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::snapshot_made)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::event_log_counts)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::snapshot_counts)

namespace tocsin {

/// Decodes bursts, stamps them with the log's clock and sends every shard its slice.
using ingest_actor = caf::typed_actor<caf::reacts_to<burst_in>, caf::reacts_to<time_in>,
                                      caf::reacts_to<tick_due>, caf::reacts_to<operation_ptr>,
                                      caf::reacts_to<replayed>, caf::reacts_to<live_begins>,
                                      caf::replies_to<counts_wanted>::with<ingest_report>>;

/// Owns one shard's windows.
using window_aggregator_actor =
    caf::typed_actor<caf::reacts_to<logged_step>, caf::reacts_to<snapshot_wanted>,
                     caf::replies_to<counts_wanted>::with<shard_report>>;

/// Owns the alerts of all shards.
using alert_manager_actor = caf::typed_actor<caf::reacts_to<shard_findings>,
                                             caf::reacts_to<look_in>, caf::reacts_to<snapshot_part>,
                                             caf::replies_to<counts_wanted>::with<alerts_report>>;

/// Puts into the store what the alert manager did.
using recorder_actor = caf::typed_actor<
    caf::reacts_to<changes_made>, caf::reacts_to<notice_settled>, caf::reacts_to<commit_due>,
    caf::reacts_to<maintenance_due>, caf::reacts_to<log_reached>, caf::reacts_to<log_refused>,
    caf::reacts_to<snapshot_made>, caf::replies_to<counts_wanted>::with<store_counts>>;

/// Appends to the event log, and answers when it lasts.
using log_writer_actor = caf::typed_actor<caf::reacts_to<log_append>, caf::reacts_to<log_wanted>,
                                          caf::reacts_to<log_trim>, caf::reacts_to<log_due>,
                                          caf::reacts_to<log_retry>, caf::reacts_to<recorder_actor>,
                                          caf::replies_to<counts_wanted>::with<event_log_counts>>;

/// Keeps snapshots, and lets the log forget what they make needless.
using snapshot_keeper_actor =
    caf::typed_actor<caf::reacts_to<snapshot_made>,
                     caf::replies_to<counts_wanted>::with<snapshot_counts>>;

/// Hands transitions to the sinks.
using notifier_actor =
    caf::typed_actor<caf::reacts_to<step_transitions>, caf::reacts_to<heartbeat_due>>;

}  // namespace tocsin
