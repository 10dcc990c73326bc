// SPDX-License-Identifier: Apache-2.0
// Counts every received event once, under what became of it, in all and per source.
#include "tocsin/ingest_ledger.hpp"

namespace tocsin {

void ingest_ledger::accept(std::string_view source) {
  ingest_counts& counts = of(source);
  ++counts.received;
  ++counts.accepted;
  ++total_.received;
  ++total_.accepted;
}

void ingest_ledger::duplicate(std::string_view source) {
  ingest_counts& counts = of(source);
  ++counts.received;
  ++counts.duplicate;
  ++total_.received;
  ++total_.duplicate;
}

void ingest_ledger::shed(std::string_view source) {
  ingest_counts& counts = of(source);
  ++counts.received;
  ++counts.shed;
  ++total_.received;
  ++total_.shed;
}

void ingest_ledger::reject(std::string_view source, std::string_view code) {
  ingest_counts& counts = of(source);
  ++counts.received;
  ++counts.rejected;
  ++total_.received;
  ++total_.rejected;
  const auto known = rejected_by_code_.find(code);
  if (known != rejected_by_code_.end()) {
    ++known->second;
  } else {
    rejected_by_code_.emplace(code, 1);
  }
}

std::map<std::string, ingest_counts> ingest_ledger::by_source() const {
  return {by_source_.begin(), by_source_.end()};
}

ingest_counts& ingest_ledger::of(std::string_view source) {
  if (last_ != nullptr && source == last_source_) return *last_;
  last_source_ = source;
  auto found = by_source_.find(last_source_);
  if (found == by_source_.end()) {
    // The two names that are not sources have a place beyond the bound.
    const std::size_t reserved =
        by_source_.count("") + by_source_.count(std::string{other_sources});
    const bool full = by_source_.size() - reserved >= sources_max;
    const bool bounded = !source.empty() && full;
    found = by_source_.try_emplace(bounded ? std::string{other_sources} : last_source_).first;
  }
  last_ = &found->second;
  return *last_;
}

}  // namespace tocsin
