// SPDX-License-Identifier: Apache-2.0
// What tocsin's own HTTP interface is put together from; private to it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/alert_backend.hpp"
#include "io/http_actor.hpp"
#include "io/http_server.hpp"
#include "io/json_line.hpp"
#include "io/json_request.hpp"
#include "tocsin/alert.hpp"
#include "tocsin/fingerprint.hpp"
#include "tocsin/label_matcher.hpp"
#include "tocsin/result.hpp"

namespace tocsin::api {

// Each adds the routes of one file. `backend` must outlive them.
void add_alert_routes(std::vector<http_route>& to, alert_backend& backend);
void add_operation_routes(std::vector<http_route>& to, alert_backend& backend);
void add_explain_route(std::vector<http_route>& to, alert_backend& backend);
void add_history_routes(std::vector<http_route>& to, alert_backend& backend);
void add_silence_routes(std::vector<http_route>& to, alert_backend& backend);
void add_overview_routes(std::vector<http_route>& to, alert_backend& backend);

/// "/api/tocsin/v1" and what follows it.
[[nodiscard]] std::string api_path(std::string_view rest);

[[nodiscard]] http_response json_answer(std::string body);
/// {"code", "message", "field"}; `field` is left out when it is "".
[[nodiscard]] http_response refusal(unsigned status, const field_error& wrong);
/// With the status that belongs to its code.
[[nodiscard]] http_response refusal(const error& wrong);
/// When the pipeline does not answer.
[[nodiscard]] http_response unavailable();
/// A 415 when the request's body is not said to be JSON. Browsers send such a body to another
/// site's address only after that site has allowed it: so no web page acts for the operator who
/// looks at it.
[[nodiscard]] std::optional<http_response> refuse_body_type(const http_request& request);

/// The `{alert_id}` of a path. Errors: bad_field.
[[nodiscard]] result<fingerprint> requested_alert(const http_request& request);

/// The active alerts by fingerprint; nothing when the pipeline does not answer.
[[nodiscard]] std::optional<std::vector<transition>> active_alerts(const alert_backend& backend);
/// Writes a list of alert maps.
void write_alerts(json_line& to, const std::vector<transition>& alerts);
void write_texts(json_line& to, const std::vector<std::string>& texts);
/// As an object, in its order.
void write_labels(json_line& to, const std::vector<std::pair<std::string, std::string>>& labels);

/// The field `matchers`: a list of texts with one matcher each.
[[nodiscard]] label_matchers read_matchers(json_request& body);
/// The field `name`: who asks. Needed; one line, at most 256 bytes, no word that stands for a part
/// of tocsin.
[[nodiscard]] std::string read_operator(json_request& body, std::string_view name);

/// The same of who does what the request asks for. With tokens it need not be there, and the
/// token's name is always told: see actor_of().
[[nodiscard]] std::string read_actor(json_request& body, std::string_view name,
                                     std::string_view caller);

}  // namespace tocsin::api
