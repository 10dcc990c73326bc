// SPDX-License-Identifier: Apache-2.0
// What operators and other systems do to alerts and silences, and what comes of it.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tocsin/alert.hpp"
#include "tocsin/label_matcher.hpp"
#include "tocsin/result.hpp"
#include "tocsin/silence.hpp"

namespace tocsin {

/// Which active alerts: those with one of the ids, or, when there are no ids, all that the matchers
/// accept. Without ids and matchers: none (an error: nothing_chosen).
struct alert_selector {
  std::vector<fingerprint> ids;  ///< alert ids
  label_matchers matchers;
};

struct acknowledge_alerts {
  alert_selector which;
  std::string by;  ///< not empty
  std::string note;
  std::optional<instant> until;  ///< later than now
  bool replace = false;          ///< also those that are acknowledged already
};
struct unacknowledge_alerts {
  alert_selector which;
  std::string by, note;
};
struct close_alerts {
  alert_selector which;
  std::string by, note;
};
struct note_on_alerts {
  alert_selector which;
  std::string by, note;  ///< not empty
};
struct assign_alerts {
  alert_selector which;
  std::string by, note;
  std::string to;  ///< "": nobody
};

/// An alert as Prometheus posts it. Labels by name, none empty, at least one.
struct posted_alert {
  text_map labels;
  text_map annotations;
  std::optional<instant> starts_at;
  std::optional<instant> ends_at;
  shared_text generator_url;
};
struct post_alerts {
  std::vector<posted_alert> alerts;
  std::string by;  ///< who posted: "api"
};

struct put_silence {
  silence wanted;
};
struct expire_silence {
  std::string id;
  std::string by;
};

using operation =
    std::variant<acknowledge_alerts, unacknowledge_alerts, close_alerts, note_on_alerts,
                 assign_alerts, post_alerts, put_silence, expire_silence>;

/// What came of an operation for one alert.
struct operation_outcome {
  fingerprint alert_id;
  std::optional<error> refused;  ///< not_found, illegal_transition, already_acknowledged, bad_alert
  transition now;                ///< the alert after it; when refused as it stands, or null
};

struct operation_result {
  std::vector<operation_outcome> alerts;  ///< by alert, in the order of ids or of posting
  silence_ptr silence;                    ///< of put_silence and expire_silence
};

}  // namespace tocsin
