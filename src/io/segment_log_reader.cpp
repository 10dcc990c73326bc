// SPDX-License-Identifier: Apache-2.0
// Goes from segment to segment.
#include "io/segment_log_reader.hpp"

#include "io/segment_log.hpp"

namespace tocsin {

result<std::optional<log_record>> segment_reader::next() {
  while (place_ < segments_.size()) {
    const segment_file& segment = segments_[place_];
    if (!cursor_) {
      if (!segment.header) return segment.trouble;
      cursor_ = segment.cursor();
      owner_ = segment.held.owner;
    }
    const auto read = cursor_->next();
    if (!read) return read.failure();
    if (!*read) {
      // Its mapping goes with its last user.
      segments_[place_++].held = {};
      cursor_.reset();
      continue;
    }
    const segment_record& record = **read;
    if (record.is_gap || record.step < from_) continue;
    return std::optional{log_record{record.step, record.clock, record.payload}};
  }
  return std::optional<log_record>{};
}

result<std::unique_ptr<log_reader>> read_segment_log(const file_system& files) {
  auto segments = load_segments(files);
  if (!segments) return segments.failure();
  if (const auto found = chain_trouble(*segments, files); !found.empty()) return found.front();
  if (!segments->empty()) {
    segment_file& newest = segments->back();
    const segment_survey found = survey_segment(newest, true);
    // With damage the reader comes upon it.
    if (found.damage.empty()) newest.end = found.last.bytes;
  }
  return std::unique_ptr<log_reader>(std::make_unique<segment_reader>(*std::move(segments), 0));
}

}  // namespace tocsin
