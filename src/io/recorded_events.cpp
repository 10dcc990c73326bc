// SPDX-License-Identifier: Apache-2.0
// Gathers the messages of a file into batches.
#include "io/recorded_events.hpp"

#include <utility>

namespace tocsin {

recorded_piece recorded_events::read(event_file& from) {
  recorded_piece piece;
  auto batch = std::make_shared<event_batch>();
  batch->events.reserve(last_events_ + last_events_ / 8);
  batch->labels.reserve(last_labels_ + last_labels_ / 8);
  const void* kept = nullptr;  // of the file's memory, by the batch
  while (batch->events.size() < events_wanted && piece.refused.size() < events_wanted) {
    const auto next = from.next();
    if (!next) piece.failure = next.failure();
    if (!next || !*next) {
      piece.ended = true;
      break;
    }
    const auto before = batch->events.size();
    decoder_.decode_recorded((*next)->bytes, clock_, *batch, refused_);
    for (rejection& each : refused_) piece.refused.push_back({(*next)->number, std::move(each)});
    refused_.clear();
    if (batch->events.size() == before) continue;
    auto memory = from.memory();
    if (memory.get() == kept) continue;
    kept = memory.get();
    batch->owners.push_back(std::move(memory));
  }
  last_events_ = batch->events.size();
  last_labels_ = batch->labels.size();
  if (batch->events.empty()) return piece;
  batch->first_position = next_position_;
  batch->clock = clock_;
  next_position_ += batch->events.size();
  if (enricher_) enricher_->apply(*batch);
  piece.events = std::move(batch);
  return piece;
}

}  // namespace tocsin
