// SPDX-License-Identifier: Apache-2.0
// Any bytes as a request to both HTTP interfaces: "METHOD TARGET", a line break, the body. What it
// asks is done by a book of its own, so that each request meets the same one.
#include <memory>
#include <string>

#include "fuzz/claim.hpp"
#include "io/alertmanager_api.hpp"
#include "io/json_tree.hpp"
#include "io/tocsin_api.hpp"
#include "support/alert_api_scene.hpp"
#include "support/route_caller.hpp"

namespace {

using namespace tocsin;
using fuzzing::claim;

/// Answers looks from a scene, and does operations on a copy of its book that is then thrown away.
class forgetful_backend final : public alert_backend {
 public:
  forgetful_backend() {
    scene_.disk_full("web-1");
    scene_.disk_full("db-1", 7, "b");
    scene_.fan_slow("web-1");
    scene_.pass(std::chrono::minutes{2});
    silence quiet;
    quiet.matchers = {*parse_label_matcher("alertname=\"disk-full\"")};
    quiet.starts_at = scene_.backend().now();
    quiet.ends_at = quiet.starts_at + std::chrono::hours{2};
    quiet.created_by = "ann";
    quiet.comment = "disks are replaced";
    claim(scene_.backend().operate(put_silence{quiet}).has_value(), "the scene's silence is taken");
    const bool looked = backend().inspect([&](const alert_book& book) {
      for (const transition& each : book.active()) state_.alerts.push_back({each, ""});
      for (const silence_ptr& each : book.silences().all()) state_.silences.push_back(*each);
      state_.clock = book.clock();
      policy_ = std::make_shared<const alert_policy>(book.policy());
    });
    claim(looked, "the scene's book is looked at");
    state_.seq = 1'000;
  }

  [[nodiscard]] result<operation_result> operate(operation wanted) override {
    // The scene's rules outlive the book.
    const std::shared_ptr<const rule_set> rules{std::shared_ptr<void>{}, &backend().rules()};
    alert_book book{rules, policy_};
    (void)book.restore(state_, state_.clock, true);
    auto done = book.operate(wanted);
    std::uint64_t seq = 0;
    const auto in_order = [&seq](const book_changes& changes) {
      for (const transition& each : changes.transitions) {
        claim(seq == 0 || each->seq == seq + 1, "transitions have no gap");
        seq = each->seq;
      }
    };
    in_order(done.changes);
    in_order(book.step(book.clock() + std::chrono::hours{3}, {}));
    for (const auto& [check, times] : book.failed_checks()) {
      // The alerts come without what the book knew beside them.
      claim(check == "restore", "no check has thrown", check);
    }
    return std::move(done.outcome);
  }
  [[nodiscard]] bool inspect(const std::function<void(const alert_book&)>& look) const override {
    return backend().inspect(look);
  }
  [[nodiscard]] const alert_store& store() const override { return backend().store(); }
  [[nodiscard]] const rule_set& rules() const override { return backend().rules(); }
  [[nodiscard]] instant now() const override { return backend().now(); }
  [[nodiscard]] instant started_at() const override { return backend().started_at(); }
  [[nodiscard]] std::string version() const override { return "1.2.3"; }

 private:
  [[nodiscard]] const testing::direct_backend& backend() const { return *shown_; }

  testing::alert_api_scene scene_;
  const testing::direct_backend* shown_ = &scene_.backend();
  book_state state_;
  std::shared_ptr<const alert_policy> policy_;
};

const testing::route_caller& routes() {
  static forgetful_backend backend;
  static const testing::route_caller all = [] {
    auto made = tocsin_routes(backend);
    for (http_route& each : alertmanager_routes(backend)) made.push_back(std::move(each));
    return testing::route_caller{std::move(made)};
  }();
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string input = fuzzing::input_of(bytes, size);
  const auto line_end = std::min(input.find('\n'), input.size());
  const auto space = std::min(input.find(' '), line_end);
  const std::string method = input.substr(0, space);
  const std::string target =
      input.substr(std::min(space + 1, line_end), line_end - std::min(space + 1, line_end));
  const auto called =
      routes().call(method, target, input.substr(std::min(line_end + 1, input.size())));
  const http_response& answer = called.response;
  claim(answer.status >= 200 && answer.status < 500, "no request is the server's fault",
        answer.body);
  if (answer.content_type == "application/json" && !answer.body.empty()) {
    claim(json_tree::parse(answer.body).has_value(), "an answer is JSON", answer.body);
  }
  return 0;
}
