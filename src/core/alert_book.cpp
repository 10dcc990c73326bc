// SPDX-License-Identifier: Apache-2.0
// The alert book's face: everything is the keeper's work.
#include "tocsin/alert_book.hpp"

#include <utility>

#include "core/alert_keeper.hpp"

namespace tocsin {

struct alert_book::state {
  alert_keeper keeper;
};

alert_book::alert_book(std::shared_ptr<const rule_set> rules,
                       std::shared_ptr<const alert_policy> policy)
    : state_(new state{alert_keeper{std::move(rules), std::move(policy)}}) {}
alert_book::~alert_book() = default;
alert_book::alert_book(alert_book&&) noexcept = default;

void alert_book::make_no_records() {
  state_->keeper.make_no_records();
}

book_changes alert_book::restore(book_state stored, instant clock, bool windows_kept) {
  return state_->keeper.restore(std::move(stored), clock, windows_kept);
}

book_changes alert_book::step(instant clock, std::vector<finding> findings) {
  return state_->keeper.step(clock, std::move(findings));
}

alert_book::operated alert_book::operate(const operation& wanted) {
  return state_->keeper.operate(wanted);
}

instant alert_book::clock() const noexcept {
  return state_->keeper.clock();
}

std::vector<transition> alert_book::active() const {
  std::vector<transition> all;
  all.reserve(active_count());
  for_each_active([&](const transition& each) {
    all.push_back(each);
    return true;
  });
  return all;
}

std::size_t alert_book::active_count() const noexcept {
  return state_->keeper.entries().size();
}

active_counts alert_book::counts() const {
  return state_->keeper.entries().counts();
}

void alert_book::for_each_active(const std::function<bool(const transition&)>& look) const {
  state_->keeper.entries().for_each([&](const active_alert& of) { return look(of.now); });
}

transition alert_book::find(const fingerprint& alert_id) const {
  const active_alert* const of = state_->keeper.entries().find_id(alert_id);
  return of == nullptr ? nullptr : of->now;
}

const silence_book& alert_book::silences() const noexcept {
  return state_->keeper.silences();
}

const group_dispatcher& alert_book::groups() const noexcept {
  return state_->keeper.groups();
}

const incident_book& alert_book::incidents() const noexcept {
  return state_->keeper.incidents();
}

const alert_policy& alert_book::policy() const noexcept {
  return state_->keeper.policy();
}

const check_failures& alert_book::failed_checks() const noexcept {
  return state_->keeper.failed_checks();
}

void alert_book::on_check(std::function<void(std::string_view check)> hook) {
  state_->keeper.on_check(std::move(hook));
}

}  // namespace tocsin
