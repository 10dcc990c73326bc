// SPDX-License-Identifier: Apache-2.0
// Forwards to the pipeline.
#include "programs/daemon_backend.hpp"

#include <chrono>

namespace tocsin {

daemon_backend::daemon_backend(pipeline& running, std::shared_ptr<const alert_store> store,
                               std::shared_ptr<const rule_set> rules)
    : running_(&running),
      store_(std::move(store)),
      rules_(std::move(rules)),
      started_at_(daemon_backend::now()) {}

result<operation_result> daemon_backend::operate(operation wanted) {
  return running_->operate(std::move(wanted));
}

bool daemon_backend::inspect(const std::function<void(const alert_book&)>& look) const {
  return running_->inspect(look);
}

instant daemon_backend::now() const {
  return std::chrono::time_point_cast<duration>(std::chrono::system_clock::now());
}

std::string daemon_backend::version() const {
  return TOCSIN_VERSION;
}

}  // namespace tocsin
