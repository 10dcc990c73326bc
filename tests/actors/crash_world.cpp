// SPDX-License-Identifier: Apache-2.0
// The sender's patience and the power failures.
#include "crash_world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "tocsin/label_matcher.hpp"
#include "tocsin/operation.hpp"

namespace tocsin::testing {

using namespace std::chrono_literals;

crash_world::crash_world(traffic input, settings how)
    : input_(std::move(input)), how_(how), random_(how.seed) {
  for (std::size_t i = 0; i < input_.messages.size(); ++i) {
    items_.push_back({i, ""});
    if (i % 40 == 20) items_.push_back({i, "silence " + std::to_string(i)});
  }
}

void crash_world::run() {
  start();
  while (!all_answered()) {
    if (!crew_) start();
    if (!crew_) continue;
    send_some();
    for (std::uint32_t jobs = random_() % 60; crew_ && jobs > 0; --jobs) {
      if (!crew_->run_one(random_)) break;
      maybe_crash();
    }
    if (!crew_) continue;
    look_at_silences();
    maybe_fail();
  }
  how_.crash_in = 0;
  if (!crew_) start();
  parts_.log->fill(false);
  parts_.snapshots->fail(false);
  crew_->advance(input_.end());
  crew_->run_shuffled(random_());
  crew_->pass(2s);
  crew_->run();
  silences_ = silences_there();
  EXPECT_FALSE(crew_->gate().failure()) << *crew_->gate().failure();
  crew_.reset();
}

void crash_world::start() {
  alert_side lasting;
  lasting.store = parts_.store;
  lasting.log = parts_.log;
  lasting.snapshots = parts_.snapshots;
  if (how_.changes_shards) lasting.log_horizon = std::chrono::hours{24};
  const std::size_t shards = how_.changes_shards ? 1 + crashes_ % 3 : how_.shards;
  ++life_;
  // The power may fail while a sync or a commit is under way, too.
  const auto here = [this, life = life_] {
    if (life != life_ || left_ || how_.crash_in == 0 || random_() % (how_.crash_in / 4 + 1) != 0)
      return;
    left_ = parts_.after_crash(random_() % (parts_.log->unsynced() + 1));
  };
  parts_.log->on_sync(here);
  parts_.store->on_commit(here);
  parts_.snapshots->on_put([here](std::uint64_t) { here(); });
  crew_.emplace(rules_, shards, std::function<instant()>{}, std::optional<duration>{}, lasting);
  EXPECT_FALSE(crew_->not_recovered());
  steps_gone_through_ += crew_->recovered().steps;
  if (crew_->recovered().snapshot_step > 0) ++snapshots_used_;
  // What was asked for is there, or is asked for again: nobody knows before looking.
  const std::vector<std::string> there = silences_there();
  for (item& each : items_) {
    each.under_way = false;
    each.asked = nullptr;
    if (!each.silence.empty() && std::find(there.begin(), there.end(), each.silence) != there.end())
      each.answered = true;
  }
  if (left_) crash();
}

void crash_world::send_some() {
  std::size_t under_way = 0;
  for (item& each : items_) {
    if (each.answered) continue;
    if (++under_way > 1 + random_() % 12) return;
    if (each.under_way) continue;
    if (each.silence.empty()) {
      send(each);
    } else {
      ask_for(each);
    }
  }
}

void crash_world::send(item& next) {
  burst one = burst_of({input_.messages[next.message]}, {input_.arrivals[next.message]});
  one.answer = [this, &next, life = life_](const burst_outcome& told) {
    // Once the power has failed, nothing reaches the sender.
    if (life == life_ && !left_) take(next, told);
  };
  next.under_way = true;
  crew_->send(std::move(one));
}

void crash_world::ask_for(item& next) {
  silence wanted;
  wanted.comment = next.silence;
  wanted.created_by = "operator";
  wanted.starts_at = input_.arrivals[next.message];
  wanted.ends_at = wanted.starts_at + 20s;
  wanted.matchers.push_back(*label_matcher::make("resource_id", matcher_operator::equal,
                                                 "host-" + std::to_string(next.message % 17)));
  next.under_way = true;
  next.asked = crew_->operate(put_silence{std::move(wanted)});
}

void crash_world::look_at_silences() {
  const auto stored = parts_.store->load();
  for (item& each : items_) {
    if (!each.asked || !*each.asked) continue;
    const bool kept = std::any_of(stored->silences.begin(), stored->silences.end(),
                                  [&](const silence& of) { return of.comment == each.silence; });
    // One that was told of a failure is kept later all the same.
    if (**each.asked) {
      EXPECT_TRUE(kept) << each.silence << " was answered before it was stored";
    }
    each.answered = each.answered || kept;
  }
}

void crash_world::take(item& of, const burst_outcome& told) {
  if (told.retry) {
    of.under_way = false;
    return;
  }
  of.answered = true;
  accepted_ += told.accepted;
  duplicates_ += told.duplicate;
}

void crash_world::maybe_crash() {
  if (!left_ && how_.crash_in > 0 && random_() % how_.crash_in == 0) {
    left_ = parts_.after_crash(random_() % (parts_.log->unsynced() + 1));
  }
  if (left_) crash();
}

void crash_world::crash() {
  ++crashes_;
  ++life_;
  lasting_parts left = *std::move(left_);
  parts_.log->fill(false);
  crew_.reset();  // what it still does is done to what is thrown away
  left_.reset();
  parts_ = std::move(left);
}

void crash_world::maybe_fail() {
  if (!how_.fails_at_times) return;
  if (random_() % 3 == 0) parts_.log->fill(random_() % 3 == 0);
  if (random_() % 3 == 0) parts_.snapshots->fail(random_() % 2 == 0);
  crew_->pass(1s);
}

bool crash_world::all_answered() const {
  return std::all_of(items_.begin(), items_.end(), [](const item& each) { return each.answered; });
}

std::vector<std::string> crash_world::silences_there() {
  std::vector<std::string> there;
  crew_->inspect([&](const alert_book& book) {
    for (const silence_ptr& each : book.silences().all()) there.push_back(each->comment);
  });
  std::sort(there.begin(), there.end());
  return there;
}

}  // namespace tocsin::testing
