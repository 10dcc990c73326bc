// SPDX-License-Identifier: Apache-2.0
// Over libcurl.
#include "io/http_client.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <cctype>

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
};

http_client::http_client(std::string_view address, duration timeout)
    : connection_(std::make_unique<connection>()) {
  const bool has_scheme = address.find("://") != std::string_view::npos;
  connection_->address = has_scheme ? std::string{address} : fmt::format("http://{}", address);
  while (connection_->address.ends_with('/')) connection_->address.pop_back();
  connection_->timeout = timeout;
}
http_client::~http_client() = default;
http_client::http_client(http_client&&) noexcept = default;

const std::string& http_client::address() const noexcept {
  return connection_->address;
}

result<http_answer> http_client::ask(std::string_view method, std::string_view target,
                                     std::string_view body) {
  CURL* const curl = connection_->handle;
  curl_easy_reset(curl);
  http_answer answer;
  const auto url = connection_->address + std::string{target};
  const std::string verb{method};
  curl_slist* const headers =
      curl_slist_append(curl_slist_append(nullptr, "Content-Type: application/json"), "Expect:");
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "tocsin");
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, verb.c_str());
  if (!body.empty()) {
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  }
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(connection_->timeout.count()));
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer.body);
  const CURLcode ended = curl_easy_perform(curl);
  curl_slist_free_all(headers);
  if (ended != CURLE_OK) {
    return error{"unreachable",
                 fmt::format("{}: {}", connection_->address, curl_easy_strerror(ended))};
  }
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
}

}  // namespace tocsin
