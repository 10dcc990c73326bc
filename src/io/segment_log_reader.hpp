// SPDX-License-Identifier: Apache-2.0
// Reads the records of several segments one behind the other, without a copy.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "io/segment_log_chain.hpp"
#include "tocsin/event_log.hpp"

namespace tocsin {

class segment_reader : public log_reader {
 public:
  /// Segments by number, each with its header and the end that holds for this reader. Records
  /// before step `from` are passed over.
  segment_reader(std::vector<segment_file> segments, std::uint64_t from)
      : segments_(std::move(segments)), from_(from) {}

  [[nodiscard]] result<std::optional<log_record>> next() override;
  [[nodiscard]] std::shared_ptr<const void> owner() const override { return owner_; }

 private:
  std::vector<segment_file> segments_;
  std::size_t place_ = 0;  ///< in segments_
  std::optional<record_cursor> cursor_;
  std::shared_ptr<const void> owner_;
  std::uint64_t from_;
};

}  // namespace tocsin
