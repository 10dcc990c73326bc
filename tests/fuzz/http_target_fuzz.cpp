// SPDX-License-Identifier: Apache-2.0
// Any bytes as a method and a request target: which route it takes, and the parameters of its
// query.
#include <optional>
#include <string>
#include <vector>

#include "fuzz/claim.hpp"
#include "io/http_routing.hpp"
#include "io/json_tree.hpp"
#include "io/tocsin_api_query.hpp"
#include "support/route_caller.hpp"

namespace {

using namespace tocsin;
using fuzzing::claim;

const std::vector<http_route>& routes() {
  static const std::vector<http_route> made = [] {
    std::vector<http_route> all;
    for (const char* path :
         {"/", "/metrics", "/alerts", "/alerts/{alert_id}", "/alerts/{alert_id}/explain",
          "/alerts/summary", "/{a}/{b}", "/silence/{id}", "/silence/{id}/"}) {
      all.push_back({"GET", path, nullptr});
    }
    all.push_back({"POST", "/alerts", nullptr});
    all.push_back({"DELETE", "/silence/{id}", nullptr});
    return all;
  }();
  return made;
}

void try_query(const http_request& request) {
  query_request query{request};
  (void)query.text("text");
  (void)query.texts("rule");
  (void)query.flag("active");
  const auto limit = query.count("limit", 1, 10'000);
  claim(!limit || (*limit >= 1 && *limit <= 10'000), "a count has its bounds");
  (void)query.time("from");
  (void)query.matchers("filter");
  for (const std::size_t word : query.words("state", {"firing", "resolved"})) {
    claim(word < 2, "one of the words");
  }
  const auto wrong = query.failure();
  if (wrong) claim(!wrong->code.empty() && !wrong->message.empty(), "a failure says why");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string input = fuzzing::input_of(bytes, size);
  const auto space = std::min(input.find(' '), input.size());
  const std::string target = input.substr(std::min(space + 1, input.size()));
  const auto question = std::min(target.find('?'), target.size());
  http_request request;
  request.method = input.substr(0, space);
  request.path = target.substr(0, question);
  request.query = target.substr(std::min(question + 1, target.size()));
  const auto choice = choose_route(routes(), request.method, request.path);
  if (choice.route == nullptr) {
    const unsigned status = choice.refused.status;
    claim(status == 404 || status == 405 || status == 400, "a refusal of a route");
    claim(json_tree::parse(choice.refused.body).has_value(), "its body is JSON",
          choice.refused.body);
  } else {
    claim(choice.route->method == request.method, "the route of the method", request.path);
    for (const auto& [name, text] : choice.captured) claim(!text.empty(), "a part has a text");
  }
  claim(percent_decoded(testing::percent_encoded(input)) == input, "a text comes back", input);
  if (const auto decoded = percent_decoded(target)) {
    claim(decoded->size() <= target.size(), "decoding makes nothing longer");
  }
  try_query(request);
  return 0;
}
