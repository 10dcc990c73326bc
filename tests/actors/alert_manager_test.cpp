// SPDX-License-Identifier: Apache-2.0
// What the alert manager hands to the recorder: all of a step at once, and nothing of a step that
// the store has.
#include "actors/alert_manager.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "deterministic_crew.hpp"
#include "tocsin/operation.hpp"
#include "traffic.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using testing::deterministic_crew;
using testing::traffic_start;

recorder_actor::behavior_type collect(recorder_actor::pointer, std::vector<changes_made>* into) {
  return {[into](changes_made& in) { into->push_back(std::move(in)); },
          [](const notice_settled&) {},
          [](commit_due) {},
          [](maintenance_due) {},
          [](const log_reached&) {},
          [](const log_refused&) {},
          [](const snapshot_made&) {},
          [](counts_wanted) { return store_counts{}; }};
}

class alert_managers : public ::testing::Test {
 protected:
  void begin(std::shared_ptr<book_state> stored, std::uint64_t after) {
    recorder = crew.system().spawn(collect, &made);
    alert_manager_setup setup;
    setup.rules = testing::every_event_fires();
    setup.stored = std::move(stored);
    setup.logged = true;
    setup.after = after;
    setup.shields = std::make_shared<shield_board>();
    setup.recorder = recorder;
    setup.store_first = true;
    manager = spawn_alert_manager(crew.system(), std::move(setup), burst_gate::open(1));
  }
  ~alert_managers() override {
    caf::anon_send_exit(manager, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(recorder, caf::exit_reason::user_shutdown);
    crew.run();
  }
  void step(std::uint64_t number, instant clock, operation wanted) {
    auto asked = std::make_shared<operation_in>();
    asked->wanted = std::move(wanted);
    shard_findings part{number, number - 1, 1, clock, {}, std::move(asked), nullptr, nullptr};
    caf::anon_send(manager, std::move(part));
    crew.run();
  }
  static post_alerts an_alert_until(instant end) {
    posted_alert posted;
    posted.labels = {{"alertname", "disk"}};
    posted.ends_at = end;
    return {{std::move(posted)}, "api"};
  }

  deterministic_crew crew{testing::every_event_fires(), 1};
  std::vector<changes_made> made;
  recorder_actor recorder;
  alert_manager_actor manager;
};

TEST_F(alert_managers, hand_over_a_steps_findings_and_its_operation_as_one) {
  begin(nullptr, 0);
  step(1, traffic_start, an_alert_until(traffic_start + 10s));
  ASSERT_EQ(made.size(), 1U);
  EXPECT_EQ(made[0].step, 1U);
  // By its clock the step ends the alert, and then it does what is asked.
  step(2, traffic_start + 20s, an_alert_until(traffic_start + 40s));
  ASSERT_EQ(made.size(), 2U) << "a crash between two would keep half";
  ASSERT_EQ(made[1].what.size(), 2U);
  EXPECT_EQ(made[1].what[0]->transitions.at(0)->state, alert_state::resolved);
  EXPECT_EQ(made[1].what[1]->transitions.at(0)->state, alert_state::firing);
  for (const auto& each : made[1].what) EXPECT_EQ(each->step, 2U);
}

TEST_F(alert_managers, pass_over_steps_that_the_store_has) {
  auto stored = std::make_shared<book_state>();
  stored->step = 7;
  stored->clock = traffic_start;
  begin(std::move(stored), 5);
  step(6, traffic_start - 1s, an_alert_until(traffic_start + 10s));
  step(7, traffic_start, an_alert_until(traffic_start + 10s));
  EXPECT_TRUE(made.empty());
  step(8, traffic_start + 1s, an_alert_until(traffic_start + 10s));
  ASSERT_EQ(made.size(), 1U);
  EXPECT_EQ(made[0].step, 8U);
  EXPECT_EQ(made[0].what.at(0)->transitions.at(0)->seq, 1U);
}

}  // namespace
}  // namespace tocsin
