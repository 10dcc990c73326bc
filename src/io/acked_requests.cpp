// SPDX-License-Identifier: Apache-2.0
// Keeps requests by number, so that the oldest goes first whenever several are due.
#include "io/acked_requests.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace tocsin {

std::uint64_t acked_requests::add(std::string message, std::uint64_t events) {
  assert(room());
  const std::uint64_t number = next_number_++;
  under_way_.emplace(number, request{std::move(message), events, 0, moment{}});
  events_ += events;
  return number;
}

const acked_requests::request* acked_requests::next_due(moment now, std::uint64_t& number) const {
  if (now < not_before_) return nullptr;
  for (const auto& [each_number, each] : under_way_) {
    if (each.due > now) continue;
    number = each_number;
    return &each;
  }
  return nullptr;
}

void acked_requests::sent(std::uint64_t number, moment now) {
  const auto found = under_way_.find(number);
  assert(found != under_way_.end());
  if (found->second.sent++ > 0) ++resent_;
  found->second.due = now + limits_.resend_after;
}

std::optional<acked_requests::moment> acked_requests::next_moment() const {
  std::optional<moment> first;
  for (const auto& [number, each] : under_way_) {
    if (!first || each.due < *first) first = each.due;
  }
  if (first) first = std::max(*first, not_before_);
  return first;
}

std::optional<acked_requests::request> acked_requests::answered(std::uint64_t number,
                                                                const acked_reply& with,
                                                                moment now) {
  const auto found = under_way_.find(number);
  if (found == under_way_.end()) return std::nullopt;
  if (with.status == acked_status::retry) {
    const auto wait = std::clamp(with.retry_after, duration{1}, duration{limits_.retry_after_max});
    not_before_ = std::max(not_before_, now + wait);
    found->second.due = now + wait;
    return std::nullopt;
  }
  request ended = std::move(found->second);
  under_way_.erase(found);
  events_ -= ended.events;
  return ended;
}

void acked_requests::reconnected() {
  for (auto& [number, each] : under_way_) each.due = moment{};
  not_before_ = moment{};
}

}  // namespace tocsin
