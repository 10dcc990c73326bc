// SPDX-License-Identifier: Apache-2.0
// The exception handler of all actors.
#include "failure_report.hpp"

#include <exception>
#include <utility>

#include "caf/exit_reason.hpp"
#include "caf/scheduled_actor.hpp"
#include "io/crash_watch.hpp"

namespace tocsin {
namespace {

std::string text_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& known) {
    return known.what();
  } catch (...) {
    return "an exception that is not a std::exception";
  }
}

}  // namespace

void report_failures(caf::scheduled_actor* self, std::shared_ptr<burst_gate> gate,
                     std::string role) {
  self->set_exception_handler(
      [gate = std::move(gate), role = std::move(role)](std::exception_ptr& thrown) -> caf::error {
        record_failure();
        gate->fail(role + ": " + text_of(thrown));
        return caf::exit_reason::unhandled_exception;
      });
}

}  // namespace tocsin
