// SPDX-License-Identifier: Apache-2.0
// What a store would hold of an alert book, in maps.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "tocsin/alert_book.hpp"

namespace tocsin::testing {

/// Takes an alert book's changes, and gives what a book begins with that goes on.
class stored_book {
 public:
  void take(const book_changes& changes);
  /// Alerts come back through their bytes, as from a file.
  [[nodiscard]] book_state state() const;

 private:
  struct stored_alert {
    std::string now;
    std::string bytes;
  };
  instant clock_{};
  std::uint64_t seq_ = 0;
  std::uint64_t step_ = 0;
  std::map<fingerprint, stored_alert> alerts_;  ///< active ones, by alert id
  std::map<std::string, silence> silences_;
  std::map<std::string, std::string> groups_;
  std::map<std::string, std::string> facts_;
};

}  // namespace tocsin::testing
