// SPDX-License-Identifier: Apache-2.0
// What Alertmanager's API is put together from; private to it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/alert_backend.hpp"
#include "io/http_server.hpp"
#include "tocsin/label_matcher.hpp"
#include "tocsin/result.hpp"

namespace tocsin::alertmanager {

// Each adds the routes of one file. `backend` must outlive them.
void add_general_routes(std::vector<http_route>& to, alert_backend& backend);
void add_alert_routes(std::vector<http_route>& to, alert_backend& backend);
void add_silence_routes(std::vector<http_route>& to, alert_backend& backend);

/// 200 with JSON.
[[nodiscard]] http_response payload(std::string body);
/// A status alone.
[[nodiscard]] http_response bare(unsigned status);
/// What a handler refuses: a JSON string.
[[nodiscard]] http_response refusal(unsigned status, std::string_view why);
/// What go-openapi refuses before a handler is asked: {"code", "message"}.
[[nodiscard]] http_response refusal(unsigned status, int code, std::string_view message);
/// When the pipeline does not answer, or the store does not take it.
[[nodiscard]] http_response failed(const error& why);
[[nodiscard]] http_response unavailable();

/// A 415 when a body is there that is not said to be JSON.
[[nodiscard]] std::optional<http_response> refuse_media_type(const http_request& request);
/// The matchers of all `filter` parameters. Errors: bad_matcher.
[[nodiscard]] result<label_matchers> filters_of(const http_request& request);

}  // namespace tocsin::alertmanager
