// SPDX-License-Identifier: Apache-2.0
// Order, bytes and snapshots of events that wait for their turn.
#include "core/reorder_buffer.hpp"

#include <gtest/gtest.h>

#include <utility>

#include "core/deadline_queue.hpp"
#include "core/packed_event.hpp"

namespace tocsin {
namespace {

waiting_event waiting(std::int64_t time_ms, std::uint64_t position) {
  return {time_ms, position, time_ms + 5, position % 2, "packed"};
}

using place = std::pair<std::int64_t, std::uint64_t>;

std::vector<place> take_all(reorder_buffer& from) {
  std::vector<place> order;
  while (!from.empty()) {
    const waiting_event next = from.take_first();
    order.emplace_back(next.time_ms, next.position);
  }
  return order;
}

const std::vector<place> in_order{{10, 4}, {20, 2}, {20, 3}, {20, 5}, {30, 1}};

void fill(reorder_buffer& into) {
  for (const auto& [time_ms, position] :
       {place{30, 1}, place{20, 2}, place{20, 3}, place{10, 4}, place{20, 5}})
    into.add(waiting(time_ms, position));
}

TEST(reorder_buffer, gives_events_by_time_and_then_by_log_position) {
  reorder_buffer buffer;
  EXPECT_EQ(buffer.first_ms(), never_ms);
  fill(buffer);
  EXPECT_EQ(buffer.first_ms(), 10);
  EXPECT_EQ(take_all(buffer), in_order);
  EXPECT_EQ(buffer.first_ms(), never_ms);
}

TEST(reorder_buffer, counts_the_bytes_of_what_waits) {
  reorder_buffer buffer;
  EXPECT_EQ(buffer.bytes(), 0u);
  fill(buffer);
  EXPECT_EQ(buffer.bytes(), 5 * waiting(0, 0).bytes());
  const std::uint64_t first = buffer.take_first().bytes();
  EXPECT_EQ(buffer.bytes(), 4 * first);
  buffer.clear();
  EXPECT_EQ(buffer.bytes(), 0u);
  EXPECT_TRUE(buffer.empty());
}

TEST(reorder_buffer, is_the_same_after_a_save_and_a_load) {
  reorder_buffer buffer;
  fill(buffer);
  std::string saved;
  state_writer to{saved};
  buffer.save(to);
  reorder_buffer loaded;
  state_reader from{saved};
  loaded.load(from);
  EXPECT_FALSE(from.failed());
  EXPECT_TRUE(from.at_end());
  EXPECT_EQ(loaded.bytes(), buffer.bytes());
  std::string again;
  state_writer once_more{again};
  loaded.save(once_more);
  EXPECT_EQ(again, saved);
  const waiting_event first = loaded.take_first();
  EXPECT_EQ(first.arrived_ms, 15);
  EXPECT_EQ(first.marks, 0u);
  EXPECT_EQ(first.packed, "packed");
  EXPECT_EQ(take_all(loaded), (std::vector<place>{in_order.begin() + 1, in_order.end()}));
}

TEST(reorder_buffer, bytes_that_are_cut_off_are_a_failure_wherever_they_end) {
  reorder_buffer buffer;
  fill(buffer);
  std::string saved;
  state_writer to{saved};
  buffer.save(to);
  for (std::size_t kept = 0; kept < saved.size(); ++kept) {
    reorder_buffer loaded;
    state_reader from{std::string_view{saved}.substr(0, kept)};
    loaded.load(from);
    EXPECT_TRUE(from.failed()) << kept << " of " << saved.size() << " bytes";
  }
}

TEST(reorder_buffer, an_event_comes_back_whole_with_its_arrival) {
  event_batch batch;
  event& made = batch.events.emplace_back();
  made.time = from_unix_ms(1'000);
  made.arrived = from_unix_ms(1'234);
  made.value = 2.5;
  made.set_text(event_field::item, "cpu");
  batch.labels.push_back({"env", "prod", 0, label::kind::text});
  made.labels_count = 1;
  waiting_event kept{1'000, 7, to_unix_ms(made.arrived), 0, {}};
  pack_event(batch, made, kept.packed);
  const event_batch back = unpack(kept);
  ASSERT_EQ(back.events.size(), 1u);
  EXPECT_EQ(back.first_position, 7u);
  EXPECT_EQ(back.events[0].time, made.time);
  EXPECT_EQ(back.events[0].arrived, made.arrived);
  EXPECT_EQ(back.events[0].value, 2.5);
  EXPECT_EQ(back.events[0].text(event_field::item), "cpu");
  ASSERT_EQ(back.labels_of(back.events[0]).size(), 1u);
  EXPECT_EQ(back.labels[0].text, "prod");
}

}  // namespace
}  // namespace tocsin
