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
#include "tocsin/event_router.hpp"
#include "tocsin/ingest_ledger.hpp"
#include "tocsin/operation.hpp"
#include "tocsin/pipeline_counts.hpp"
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

/// To a window aggregator: the next entry of the log that concerns it. A shard that has no event in
/// a step, and nothing to close by its clock, is left out.
struct logged_step {
  std::shared_ptr<const log_step> step;
  std::uint32_t shards = 1;  ///< how many get the step, at least one
  operation_ptr asked;       ///< null with most; else one of the shards passes it on
  completion held;
};

/// To the alert manager: what one shard found in one step. Each shard reports every step it got, in
/// order.
struct shard_findings {
  std::uint64_t step = 0;    ///< log_step::number
  std::uint32_t shards = 1;  ///< how many report the step
  instant clock{};           ///< log_step::clock
  std::vector<finding> found;
  operation_ptr asked;
  completion held;
};

/// Told once what became of storing something: nothing, or why it failed.
using stored_answer = std::function<void(const std::optional<error>&)>;

/// To the alert manager: somebody wants to look at the book.
struct look_in {
  std::function<void(const alert_book&)> look;
};

/// To the recorder: what a step or an operation changed.
struct changes_made {
  std::shared_ptr<const book_changes> what;
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

namespace tocsin {

/// Decodes bursts, stamps them with the log's clock and sends every shard its slice.
using ingest_actor = caf::typed_actor<caf::reacts_to<burst_in>, caf::reacts_to<time_in>,
                                      caf::reacts_to<tick_due>, caf::reacts_to<operation_ptr>,
                                      caf::replies_to<counts_wanted>::with<ingest_report>>;

/// Owns one shard's windows.
using window_aggregator_actor =
    caf::typed_actor<caf::reacts_to<logged_step>,
                     caf::replies_to<counts_wanted>::with<shard_report>>;

/// Owns the alerts of all shards.
using alert_manager_actor =
    caf::typed_actor<caf::reacts_to<shard_findings>, caf::reacts_to<look_in>,
                     caf::replies_to<counts_wanted>::with<alerts_report>>;

/// Puts into the store what the alert manager did.
using recorder_actor =
    caf::typed_actor<caf::reacts_to<changes_made>, caf::reacts_to<notice_settled>,
                     caf::reacts_to<commit_due>, caf::reacts_to<maintenance_due>,
                     caf::replies_to<counts_wanted>::with<store_counts>>;

/// Hands transitions to the sinks.
using notifier_actor =
    caf::typed_actor<caf::reacts_to<step_transitions>, caf::reacts_to<heartbeat_due>>;

}  // namespace tocsin
