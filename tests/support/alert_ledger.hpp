// SPDX-License-Identifier: Apache-2.0
// Keeps account of all that an alert book tells.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tocsin/alert_book.hpp"

namespace tocsin::testing {

/// Follows all that a book gives out, as a store would, and says what is wrong with it.
class alert_ledger {
 public:
  void take(const book_changes& changes, instant from, instant until);

  /// What the records say against what is active.
  void compare(const std::vector<transition>& active);

  [[nodiscard]] const std::string& found() const { return wrong_; }
  [[nodiscard]] const std::vector<fingerprint>& ended() const { return ended_; }
  [[nodiscard]] const std::set<std::string>& causes() const { return causes_; }
  /// The fingerprint under which an alert that is active has this id; else the id.
  [[nodiscard]] fingerprint print_of(const fingerprint& id) const;

 private:
  struct last_transition {
    std::uint64_t number = 0;
    alert_state state = alert_state::none;
  };

  void wrong(const std::string& what, const alert& of);

  void check(const alert& after, instant from, instant until);

  void check_active(const alert& after, bool ends);

  std::string wrong_;
  std::uint64_t seq_ = 0;
  instant at_ = instant::min();
  std::map<fingerprint, last_transition> lives_;
  std::map<fingerprint, fingerprint> active_;  ///< fingerprint -> alert id
  std::set<fingerprint> ids_;
  std::vector<fingerprint> ended_;
  std::set<std::string> causes_;
  std::map<fingerprint, transition> records_;
  std::set<fingerprint> in_this_;
};

}  // namespace tocsin::testing
