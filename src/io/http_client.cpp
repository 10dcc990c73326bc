// SPDX-License-Identifier: Apache-2.0
// Over libcurl.
#include "io/http_client.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <array>
#include <cctype>

#include "io/http_address.hpp"

namespace tocsin {
namespace {

constexpr std::size_t answer_bytes_max = std::size_t{1} << 30;

std::string encoded(std::string_view text, std::string_view plain) {
  std::string made;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || plain.find(c) != std::string_view::npos) {
      made += c;
    } else {
      made += fmt::format("%{:02X}", byte);
    }
  }
  return made;
}

std::size_t take_answer(char* bytes, std::size_t size, std::size_t count, void* into) {
  auto& body = *static_cast<std::string*>(into);
  if (body.size() + size * count > answer_bytes_max) return 0;
  body.append(bytes, size * count);
  return size * count;
}

/// Whether what is sent to an address can be read by others on its way.
bool is_readable_by_others(std::string_view address) {
  constexpr std::string_view scheme = "http://";
  if (!address.starts_with(scheme)) return false;
  const auto parts = split_address(address.substr(scheme.size()));
  return !parts || !is_loopback_host(parts->host);
}

/// Headers of one request, freed with it.
class header_list {
 public:
  header_list() = default;
  ~header_list() { curl_slist_free_all(first_); }
  header_list(const header_list&) = delete;
  header_list& operator=(const header_list&) = delete;
  void add(const std::string& line) { first_ = curl_slist_append(first_, line.c_str()); }
  [[nodiscard]] curl_slist* first() const noexcept { return first_; }

 private:
  curl_slist* first_ = nullptr;
};

}  // namespace

std::string query_text(const std::vector<std::pair<std::string, std::string>>& parameters) {
  std::string made;
  for (const auto& [name, value] : parameters) {
    made += fmt::format("{}{}={}", made.empty() ? "" : "&", encoded(name, "-._~"),
                        encoded(value, "-._~"));
  }
  return made;
}

std::string path_part(std::string_view text) {
  return encoded(text, "-._~");
}

struct http_client::connection {
  connection() : handle(curl_easy_init()) {}
  ~connection() { curl_easy_cleanup(handle); }
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  CURL* handle;
  std::string address;
  duration timeout{};
  http_trust trust;
  std::array<char, CURL_ERROR_SIZE> reason{};

  void ask_for(const std::string& url, const std::string& verb, std::string_view body,
               const header_list& headers);
};

http_client::http_client(std::string_view address, duration timeout, http_trust trust)
    : connection_(std::make_unique<connection>()) {
  const bool has_scheme = address.find("://") != std::string_view::npos;
  connection_->address = has_scheme ? std::string{address} : fmt::format("http://{}", address);
  while (connection_->address.ends_with('/')) connection_->address.pop_back();
  connection_->timeout = timeout;
  connection_->trust = std::move(trust);
}
http_client::~http_client() = default;
http_client::http_client(http_client&&) noexcept = default;

const std::string& http_client::address() const noexcept {
  return connection_->address;
}

void http_client::connection::ask_for(const std::string& url, const std::string& verb,
                                      std::string_view body, const header_list& headers) {
  curl_easy_reset(handle);
  curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_USERAGENT, "tocsin");
  curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, verb.c_str());
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.first());
  if (!trust.ca_file.empty()) curl_easy_setopt(handle, CURLOPT_CAINFO, trust.ca_file.c_str());
  if (!body.empty()) {
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, body.data());
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  }
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_answer);
  reason[0] = '\0';
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, reason.data());
}

result<http_answer> http_client::ask(std::string_view method, std::string_view target,
                                     std::string_view body) {
  connection& to = *connection_;
  header_list headers;
  if (!body.empty()) {
    headers.add("Content-Type: application/json");
    headers.add("Expect:");
  }
  if (!to.trust.token.empty()) {
    if (is_readable_by_others(to.address)) {
      return error{"token_in_the_clear",
                   fmt::format("{}: the token is not sent, for others could read it on its way; "
                               "wanted https:// or a loopback address",
                               to.address)};
    }
    headers.add("Authorization: Bearer " + to.trust.token);
  }
  http_answer answer;
  to.ask_for(to.address + std::string{target}, std::string{method}, body, headers);
  curl_easy_setopt(to.handle, CURLOPT_WRITEDATA, &answer.body);
  const CURLcode ended = curl_easy_perform(to.handle);
  if (ended != CURLE_OK) {
    const std::string why = to.reason[0] != '\0' ? to.reason.data() : curl_easy_strerror(ended);
    return error{"unreachable", fmt::format("{}: {}", to.address, why)};
  }
  curl_easy_getinfo(to.handle, CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
}

}  // namespace tocsin
