// SPDX-License-Identifier: Apache-2.0
// Notices on their way to real webhooks: once, again, given up, through the store, side by side.
#include "io/notice_courier.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "io/webhook_body.hpp"
#include "support/scripted_store.hpp"
#include "support/stored_alerts.hpp"
#include "support/webhook_receiver.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using testing::answering;
using testing::scripted_store;
using testing::webhook_receiver;

constexpr courier_limits hurried{.waiting_max = 100, .first_pause = 1ms, .longest_pause = 4ms};
const std::string external = "http://tocsin.example:9093";

instant wall_clock() {
  return std::chrono::time_point_cast<duration>(std::chrono::system_clock::now());
}

notice_ptr notice_of(const std::string& id, const std::string& receiver = "ops",
                     bool resolved = false) {
  auto of = testing::sample_alert(1);
  if (resolved) of.state = alert_state::resolved;
  notice made;
  made.id = id;
  made.receiver = receiver;
  made.group_key = "{}:{}";
  made.at = wall_clock();
  made.alerts = {std::make_shared<const alert>(std::move(of))};
  return std::make_shared<const notice>(std::move(made));
}

webhook_target target(const std::string& url) {
  webhook_target made;
  made.url = url;
  return made;
}

notify_receiver ops(std::vector<webhook_target> webhooks) {
  return {"ops", std::move(webhooks)};
}

/// A store that holds what the tests put into it, and hears of tries as the recorder would let it.
class couriers : public ::testing::Test {
 protected:
  void start(std::vector<notify_receiver> receivers, courier_limits limits = hurried) {
    make(std::move(receivers), limits);
    courier->start();
  }
  void make(std::vector<notify_receiver> receivers, courier_limits limits = hurried) {
    courier = std::make_unique<notice_courier>(
        std::move(receivers), store, external,
        [this](notice_outcome outcome) { hear(std::move(outcome)); }, limits);
  }
  /// As the pipeline does: stored, then told.
  void tell(const notice_ptr& what) {
    if (store) store->put(what);
    courier->notify({&what, 1});
  }

  void hear(notice_outcome outcome) {
    if (store && enters_tries) (void)store->settle(outcome);
    {
      const std::scoped_lock lock(mutex);
      outcomes.push_back(std::move(outcome));
    }
    changed.notify_all();
  }
  template <class Condition>
  [[nodiscard]] bool wait(Condition condition) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, 20s, condition);
  }
  /// Waits until as many notices are through, for good or bad.
  [[nodiscard]] bool wait_for_settled(std::size_t count) {
    return wait([&] { return settled_now().size() >= count; });
  }
  [[nodiscard]] bool wait_for_tries(std::size_t count) {
    return wait([&] { return outcomes.size() >= count; });
  }
  /// "ID delivered" or "ID failed: WHY", retries left out.
  [[nodiscard]] std::vector<std::string> settled() {
    const std::scoped_lock lock(mutex);
    return settled_now();
  }
  [[nodiscard]] std::vector<std::string> retried() {
    const std::scoped_lock lock(mutex);
    std::vector<std::string> lines;
    for (const notice_outcome& each : outcomes) {
      if (!each.delivered && !each.final) lines.push_back(each.failure);
    }
    return lines;
  }
  static std::vector<std::string> ids(const webhook_receiver& of) {
    std::vector<std::string> found;
    for (const auto& each : of.requests()) found.push_back(each.header("webhook-id"));
    return found;
  }

  std::shared_ptr<scripted_store> store = std::make_shared<scripted_store>();
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<notice_outcome> outcomes;
  bool enters_tries = true;
  std::unique_ptr<notice_courier> courier;  ///< ends before what it tells

 private:
  [[nodiscard]] std::vector<std::string> settled_now() const {
    std::vector<std::string> lines;
    for (const notice_outcome& each : outcomes) {
      if (each.delivered) lines.push_back(each.id + " delivered");
      if (each.final) lines.push_back(each.id + " failed: " + each.failure);
    }
    return lines;
  }
};

using texts = std::vector<std::string>;

TEST_F(couriers, a_notice_is_delivered_once_with_its_id_and_alertmanagers_body) {
  const webhook_receiver hook;
  start({ops({target(hook.url("/a?b=c"))})});
  const auto told = notice_of("n1");
  tell(told);
  ASSERT_TRUE(wait_for_settled(1));
  courier->stop();
  EXPECT_EQ(settled(), texts{"n1 delivered"});
  const auto requests = hook.requests();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].method, "POST");
  EXPECT_EQ(requests[0].target, "/a?b=c");
  EXPECT_EQ(requests[0].header("webhook-id"), "n1");
  EXPECT_EQ(requests[0].header("content-type"), "application/json");
  EXPECT_EQ(requests[0].header("authorization"), "");
  EXPECT_EQ(requests[0].body, webhook_body(*told, 0, external));
  EXPECT_TRUE(store->waiting_notices().empty());
}

TEST_F(couriers, a_bearer_token_and_the_bound_on_alerts_are_the_webhooks_own) {
  const webhook_receiver hook;
  auto to = target(hook.url());
  to.bearer_token = "s3cret";
  to.max_alerts = 1;
  start({ops({to})});
  auto of = *notice_of("n1");
  of.alerts.push_back(std::make_shared<const alert>(testing::sample_alert(2)));
  const auto told = std::make_shared<const notice>(std::move(of));
  tell(told);
  ASSERT_TRUE(wait_for_settled(1));
  const auto requests = hook.requests();
  EXPECT_EQ(requests[0].header("authorization"), "Bearer s3cret");
  EXPECT_EQ(requests[0].body, webhook_body(*told, 1, external));
}

TEST_F(couriers, an_answer_that_may_change_is_asked_for_again_with_the_same_id) {
  const webhook_receiver hook{answering({503, 429, 408, 500, 204})};
  start({ops({target(hook.url())})});
  tell(notice_of("n1"));
  ASSERT_TRUE(wait_for_settled(1));
  EXPECT_EQ(settled(), texts{"n1 delivered"});
  EXPECT_EQ(ids(hook), texts(5, "n1"));
  EXPECT_EQ(retried(), (texts{"the webhook answered 503", "the webhook answered 429",
                              "the webhook answered 408", "the webhook answered 500"}));
}

TEST_F(couriers, a_receiver_that_is_not_there_yet_gets_its_notice_when_it_is) {
  const auto port = testing::port_without_listener();
  start({ops({target("http://127.0.0.1:" + std::to_string(port) + "/")})});
  tell(notice_of("n1"));
  ASSERT_TRUE(wait_for_tries(2));
  EXPECT_TRUE(settled().empty());
  EXPECT_FALSE(retried().front().empty());
  const webhook_receiver hook{{}, port};
  ASSERT_TRUE(wait_for_settled(1));
  EXPECT_EQ(settled(), texts{"n1 delivered"});
  EXPECT_EQ(ids(hook), texts{"n1"});
}

TEST_F(couriers, an_answer_that_takes_too_long_is_a_failed_try) {
  std::promise<void> open;
  const auto opened = open.get_future().share();
  const webhook_receiver hook{[&](const webhook_receiver::request&, std::size_t before) {
    if (before == 0) opened.wait();
    return webhook_receiver::answer{};
  }};
  auto to = target(hook.url());
  to.timeout = 20ms;
  start({ops({to})});
  tell(notice_of("n1"));
  ASSERT_TRUE(wait_for_tries(1));
  EXPECT_EQ(retried().size(), 1U);
  open.set_value();
  ASSERT_TRUE(wait_for_settled(1));
  EXPECT_EQ(settled(), texts{"n1 delivered"});
}

TEST_F(couriers, an_answer_that_will_not_change_is_final) {
  for (const unsigned status : {400U, 401U, 404U, 410U}) {
    outcomes.clear();
    const webhook_receiver hook{answering({status})};
    start({ops({target(hook.url())})});
    tell(notice_of("n" + std::to_string(status)));
    ASSERT_TRUE(wait_for_settled(1));
    EXPECT_EQ(settled()[0], "n" + std::to_string(status) + " failed: the webhook answered " +
                                std::to_string(status));
    courier->stop();
    EXPECT_EQ(hook.requests().size(), 1U);
    EXPECT_TRUE(retried().empty());
  }
}

TEST_F(couriers, redirects_are_not_followed) {
  const webhook_receiver elsewhere;
  const webhook_receiver hook{[&](const webhook_receiver::request&, std::size_t) {
    return webhook_receiver::answer{307, "", {{"Location", elsewhere.url()}}};
  }};
  start({ops({target(hook.url())})});
  tell(notice_of("n1"));
  ASSERT_TRUE(wait_for_settled(1));
  EXPECT_EQ(settled(), texts{"n1 failed: the webhook answered 307: redirects are not followed"});
  EXPECT_TRUE(elsewhere.requests().empty());
}

TEST_F(couriers, an_address_that_is_no_http_is_not_called) {
  start({ops({target("file:///etc/hostname")})}, {.waiting_max = 10, .first_pause = 1ms});
  tell(notice_of("n1"));
  ASSERT_TRUE(wait_for_tries(1));
  EXPECT_TRUE(std::none_of(outcomes.begin(), outcomes.end(),
                           [](const notice_outcome& each) { return each.delivered; }));
}

TEST_F(couriers, an_answer_without_end_is_cut_off_and_counts_by_its_status) {
  const webhook_receiver hook{[](const webhook_receiver::request&, std::size_t) {
    return webhook_receiver::answer{200, std::string(1 << 20, 'x'), {}};
  }};
  start({ops({target(hook.url())})});
  tell(notice_of("n1"));
  ASSERT_TRUE(wait_for_settled(1));
  EXPECT_EQ(settled(), texts{"n1 delivered"});
}

TEST_F(couriers, after_the_last_notice_the_next_ones_come_in_their_order) {
  const webhook_receiver hook{answering({503, 503, 200})};
  start({ops({target(hook.url())})});
  for (const char* id : {"n1", "n2", "n3"}) tell(notice_of(id));
  ASSERT_TRUE(wait_for_settled(3));
  EXPECT_EQ(settled(), (texts{"n1 delivered", "n2 delivered", "n3 delivered"}));
  EXPECT_EQ(ids(hook), (texts{"n1", "n1", "n1", "n2", "n3"})) << "none overtakes";
}

TEST_F(couriers, a_webhook_that_does_not_want_ends_is_told_of_those_that_fire) {
  const webhook_receiver hook;
  auto to = target(hook.url());
  to.send_resolved = false;
  start({ops({to})});
  tell(notice_of("over", "ops", true));
  tell(notice_of("firing"));
  ASSERT_TRUE(wait_for_settled(2));
  EXPECT_EQ(settled(), (texts{"over delivered", "firing delivered"}));
  EXPECT_EQ(ids(hook), texts{"firing"});
}

TEST_F(couriers, of_a_mixed_notice_a_webhook_that_does_not_want_ends_gets_the_firing_ones) {
  const webhook_receiver firing_only;
  const webhook_receiver both;
  auto to = target(firing_only.url());
  to.send_resolved = false;
  start({ops({to, target(both.url())})});
  auto of = *notice_of("n1");
  auto over = testing::sample_alert(2);
  over.state = alert_state::resolved;
  of.alerts.push_back(std::make_shared<const alert>(std::move(over)));
  const auto mixed = std::make_shared<const notice>(of);
  of.alerts.pop_back();
  tell(mixed);
  ASSERT_TRUE(wait_for_settled(1));
  EXPECT_EQ(firing_only.requests().at(0).body, webhook_body(of, 0, external));
  EXPECT_EQ(both.requests().at(0).body, webhook_body(*mixed, 0, external));
}

TEST_F(couriers, of_several_webhooks_only_the_one_that_failed_is_told_again) {
  const webhook_receiver well;
  const webhook_receiver shaky{answering({503, 503, 200})};
  start({ops({target(shaky.url()), target(well.url())})});
  tell(notice_of("n1"));
  ASSERT_TRUE(wait_for_settled(1));
  EXPECT_EQ(settled(), texts{"n1 delivered"});
  EXPECT_EQ(well.requests().size(), 1U);
  EXPECT_EQ(shaky.requests().size(), 3U);
}

TEST_F(couriers, a_webhook_that_refuses_for_good_does_not_take_the_notice_from_the_others) {
  const webhook_receiver refuses{answering({404})};
  const webhook_receiver shaky{answering({503, 200})};
  start({ops({target(refuses.url()), target(shaky.url())})});
  tell(notice_of("n1"));
  ASSERT_TRUE(wait_for_settled(1));
  EXPECT_EQ(settled(), texts{"n1 failed: the webhook answered 404"});
  EXPECT_EQ(shaky.requests().size(), 2U);
}

TEST_F(couriers, a_receiver_without_webhooks_has_all_it_needs) {
  start({ops({})});
  tell(notice_of("n1"));
  ASSERT_TRUE(wait_for_settled(1));
  EXPECT_EQ(settled(), texts{"n1 delivered"});
}

TEST_F(couriers, one_too_old_to_be_tried_again_has_failed) {
  const webhook_receiver hook{answering({503})};
  start({ops({target(hook.url())})});
  auto old = *notice_of("n1");
  old.at = wall_clock() - 7h;
  tell(std::make_shared<const notice>(std::move(old)));
  ASSERT_TRUE(wait_for_settled(1));
  EXPECT_EQ(settled(), texts{"n1 failed: the webhook answered 503"});
  EXPECT_EQ(hook.requests().size(), 1U);
}

TEST_F(couriers, what_waited_in_the_store_comes_first_and_each_once) {
  const webhook_receiver hook;
  store->put(notice_of("old1"));
  store->put(notice_of("old2"));
  store->put(notice_of("another's", "boss"));
  make({ops({target(hook.url())})});
  tell(notice_of("new1"));
  courier->start();
  ASSERT_TRUE(wait_for_settled(3));
  tell(notice_of("new2"));
  ASSERT_TRUE(wait_for_settled(4));
  courier->stop();
  EXPECT_EQ(ids(hook), (texts{"old1", "old2", "new1", "new2"}));
  EXPECT_EQ(store->waiting_notices(), texts{"another's"});
}

TEST_F(couriers, one_that_is_told_while_the_store_is_asked_is_delivered_once) {
  const webhook_receiver hook;
  make({ops({target(hook.url())})});
  bool told = false;
  store->on_pending([&] {
    if (!std::exchange(told, true)) tell(notice_of("meanwhile"));
  });
  courier->start();
  ASSERT_TRUE(wait_for_settled(1));
  tell(notice_of("last"));
  ASSERT_TRUE(wait_for_settled(2));
  courier->stop();
  EXPECT_EQ(ids(hook), (texts{"meanwhile", "last"}));
  store->on_pending({});
}

TEST_F(couriers, one_that_is_told_before_it_is_stored_is_not_lost) {
  const webhook_receiver hook;
  make({ops({target(hook.url())})});
  const auto early = notice_of("early");
  courier->notify({&early, 1});
  std::promise<void> asked;
  std::size_t times = 0;
  store->on_pending([&] {
    if (++times == 2) asked.set_value();
  });
  courier->start();
  ASSERT_EQ(asked.get_future().wait_for(20s), std::future_status::ready)
      << "the store is asked until it holds it";
  store->put(early);
  ASSERT_TRUE(wait_for_settled(1));
  EXPECT_EQ(ids(hook), texts{"early"});
  courier->stop();
  store->on_pending({});
}

TEST_F(couriers, a_store_that_cannot_be_read_is_asked_again) {
  const webhook_receiver hook;
  store->put(notice_of("n1"));
  store->fail(true);
  make({ops({target(hook.url())})});
  std::promise<void> asked;
  std::size_t times = 0;
  store->on_pending([&] {
    if (++times == 2) asked.set_value();
  });
  courier->start();
  ASSERT_EQ(asked.get_future().wait_for(20s), std::future_status::ready);
  store->fail(false);
  ASSERT_TRUE(wait_for_settled(1));
  EXPECT_EQ(ids(hook), texts{"n1"});
  courier->stop();
  store->on_pending({});
}

TEST_F(couriers, what_there_is_no_room_for_goes_through_the_store_in_order_and_once) {
  std::promise<void> open;
  const auto opened = open.get_future().share();
  const webhook_receiver hook{[&](const webhook_receiver::request&, std::size_t before) {
    if (before == 0) opened.wait();
    return webhook_receiver::answer{};
  }};
  start({ops({target(hook.url())})}, {.waiting_max = 3, .first_pause = 1ms});
  texts expected;
  for (int i = 0; i < 20; ++i) {
    expected.push_back("n" + std::to_string(i));
    tell(notice_of(expected.back()));
  }
  open.set_value();
  ASSERT_TRUE(wait_for_settled(20));
  courier->stop();
  EXPECT_EQ(ids(hook), expected);
  EXPECT_TRUE(store->waiting_notices().empty());
}

TEST_F(couriers, a_store_that_is_behind_with_what_is_done_holds_up_nothing_and_repeats_nothing) {
  std::promise<void> open;
  const auto opened = open.get_future().share();
  const webhook_receiver hook{[&](const webhook_receiver::request&, std::size_t before) {
    if (before == 0) opened.wait();
    return webhook_receiver::answer{};
  }};
  enters_tries = false;
  start({ops({target(hook.url())})}, {.waiting_max = 10, .first_pause = 1h});
  texts expected;
  for (int i = 0; i < 150; ++i) {
    expected.push_back("n" + std::to_string(i));
    tell(notice_of(expected.back()));
  }
  open.set_value();
  ASSERT_TRUE(wait_for_settled(150));
  courier->stop();
  EXPECT_EQ(ids(hook), expected);
  EXPECT_LE(store->pending_given(), 2 * expected.size()) << "each is read once, or nearly";
}

TEST_F(couriers, without_a_store_what_there_is_no_room_for_has_failed_and_says_so) {
  store = nullptr;
  const webhook_receiver hook;
  make({ops({target(hook.url())})}, {.waiting_max = 2});
  for (const char* id : {"n1", "n2", "n3"}) tell(notice_of(id));
  EXPECT_EQ(settled(), texts{"n3 failed: too many notices wait for this receiver"});
  courier->start();
  ASSERT_TRUE(wait_for_settled(3));
  EXPECT_EQ(ids(hook), (texts{"n1", "n2"}));
}

TEST_F(couriers, a_receiver_that_does_not_answer_does_not_delay_another) {
  std::promise<void> open;
  const auto opened = open.get_future().share();
  const webhook_receiver stuck{[&](const webhook_receiver::request&, std::size_t) {
    opened.wait();
    return webhook_receiver::answer{};
  }};
  const webhook_receiver well;
  start({ops({target(stuck.url())}), {"boss", {target(well.url())}}});
  tell(notice_of("n1"));
  ASSERT_TRUE(stuck.wait_for_requests(1));
  tell(notice_of("n2", "boss"));
  tell(notice_of("n3", "boss"));
  ASSERT_TRUE(wait_for_settled(2));
  EXPECT_EQ(settled(), (texts{"n2 delivered", "n3 delivered"}));
  open.set_value();
  ASSERT_TRUE(wait_for_settled(3));
}

TEST_F(couriers, stopping_breaks_off_what_is_under_way_and_leaves_it_in_the_store) {
  std::promise<void> open;
  const auto opened = open.get_future().share();
  const webhook_receiver stuck{[&](const webhook_receiver::request&, std::size_t) {
    opened.wait();
    return webhook_receiver::answer{};
  }};
  auto to = target(stuck.url());
  to.timeout = 1h;
  start({ops({to}), {"boss", {to}}});
  tell(notice_of("n1"));
  tell(notice_of("n2"));
  tell(notice_of("n3", "boss"));
  ASSERT_TRUE(stuck.wait_for_requests(1));
  courier->stop();
  courier->stop();
  EXPECT_TRUE(outcomes.empty());
  EXPECT_EQ(store->waiting_notices(), (texts{"n1", "n2", "n3"}));
  open.set_value();
}

TEST_F(couriers, stopping_does_not_wait_for_the_next_try) {
  const webhook_receiver hook{[](const webhook_receiver::request&, std::size_t) {
    return webhook_receiver::answer{503, "", {{"Retry-After", "3600"}}};
  }};
  start({ops({target(hook.url())})});
  tell(notice_of("n1"));
  ASSERT_TRUE(wait_for_tries(1));
  courier->stop();
  EXPECT_EQ(hook.requests().size(), 1U) << "it was to be an hour";
  EXPECT_EQ(store->waiting_notices(), texts{"n1"});
}

TEST_F(couriers, one_that_never_started_ends_too) {
  make({ops({})});
  tell(notice_of("n1"));
  courier->stop();
  EXPECT_TRUE(outcomes.empty());
}

}  // namespace
}  // namespace tocsin
