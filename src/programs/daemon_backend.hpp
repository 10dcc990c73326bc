// SPDX-License-Identifier: Apache-2.0
// The running pipeline and its store as the HTTP interfaces see them.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "io/alert_backend.hpp"
#include "tocsin/pipeline.hpp"

namespace tocsin {

/// The pipeline outlives it.
class daemon_backend final : public alert_backend {
 public:
  daemon_backend(pipeline& running, std::shared_ptr<const alert_store> store,
                 std::shared_ptr<const rule_set> rules);

  [[nodiscard]] result<operation_result> operate(operation wanted) override;
  [[nodiscard]] bool inspect(const std::function<void(const alert_book&)>& look) const override;
  [[nodiscard]] const alert_store& store() const override { return *store_; }
  [[nodiscard]] const rule_set& rules() const override { return *rules_; }
  [[nodiscard]] instant now() const override;
  [[nodiscard]] instant started_at() const override { return started_at_; }
  [[nodiscard]] std::string version() const override;

 private:
  pipeline* running_;
  std::shared_ptr<const alert_store> store_;
  std::shared_ptr<const rule_set> rules_;
  instant started_at_;
};

}  // namespace tocsin
