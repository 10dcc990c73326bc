// SPDX-License-Identifier: Apache-2.0
// Everything that settings say about alerts after they fire.
#pragma once

#include <memory>
#include <vector>

#include "tocsin/assignment.hpp"
#include "tocsin/incident.hpp"
#include "tocsin/notify_policy.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

struct alert_policy {
  std::shared_ptr<const notify_policy> notify = std::make_shared<notify_policy>();
  std::vector<incident_rule> incidents;
  assignment_policy assignment;
  bool detect_flapping = true;
  duration flap_memory = std::chrono::hours{1};  ///< how long an ended alert's evaluations are kept
  duration keep_expired_silences = std::chrono::hours{120};
};

}  // namespace tocsin
