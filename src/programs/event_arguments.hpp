// SPDX-License-Identifier: Apache-2.0
// One event given by command line arguments, and the check of events before they are sent.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "io/event_decoder.hpp"
#include "tocsin/result.hpp"

namespace tocsin {

class event_arguments {
 public:
  /// Adds an option for each field. Called once; this object must stay where it is.
  void add_to(CLI::App& command);

  /// True when any of them was used.
  [[nodiscard]] bool given() const;

  /// The event in msgpack: with a random event_id, user@host as source_id and the time of now where
  /// none was given. Errors: the argument, what was seen and what was wanted.
  [[nodiscard]] result<std::string> encode() const;

 private:
  std::string event_id_, source_id_, resource_id_, resource_type_, resource_name_, item_, title_,
      description_, level_, time_, action_;
  std::optional<double> value_;
  std::vector<std::string> labels_;
  std::vector<CLI::Option*> options_;
};

/// 32 hexadecimal digits that nobody had before.
[[nodiscard]] std::string random_id();
/// The source of events that name none.
[[nodiscard]] std::string user_at_host();

/// Refuses what a daemon with default limits will, so that nobody learns of a refusal from its log
/// alone. Only the daemon knows its clock: times of the future pass.
[[nodiscard]] event_decoder checking_decoder();

}  // namespace tocsin
