// SPDX-License-Identifier: Apache-2.0
// Goes from segment to segment.
#include "io/segment_log_reader.hpp"

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

}  // namespace tocsin
