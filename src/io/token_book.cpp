// SPDX-License-Identifier: Apache-2.0
// Compares the file's stamp at each question and reads it again when it differs.
#include "io/token_book.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "io/lookup_file.hpp"
#include "io/yaml_reader.hpp"

namespace tocsin {
namespace {

/// File systems stamp changes with a clock that stands still for some milliseconds: a file that
/// was changed just before it was read may change again without its stamp telling.
constexpr std::int64_t stamp_settles_ns = 1'000'000'000;

std::int64_t wall_clock_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

struct token_book::state {
  std::string file;
  std::vector<bearer_token> tokens;
  std::optional<file_stamp> stamp;  ///< of the content that was tried last
  bool settled = false;             ///< the stamp tells whether that content is still there
  std::string content;              ///< tried last
  bool readable = true;             ///< the last try could read the file
  std::function<void(const token_news&)> report;

  /// Reads the file when it may have changed. True when its content is a new one.
  bool changed(diagnostics& found) {
    const auto seen = stamp_of(file);
    if (settled && seen == stamp) return false;
    stamp = seen;
    settled =
        !seen || wall_clock_ns() - std::max(seen->changed_ns, seen->modified_ns) > stamp_settles_ns;
    auto read = read_file(file);
    if (!read) {
      if (std::exchange(readable, false)) {
        found.push_back({diagnostic::grade::error, file, 0, 0, read.failure().message});
        return true;
      }
      return false;
    }
    const bool again = std::exchange(readable, true);
    if (again && *read == content) return false;
    content = std::move(*read);
    return true;
  }

  void look() {
    token_news news{file, tokens.size(), {}};
    if (!changed(news.found)) return;
    if (news.found.empty()) {
      auto read = parse_tokens(content, file, news.found);
      if (!has_errors(news.found)) tokens = std::move(read);
    }
    news.tokens = tokens.size();
    if (report) report(news);
  }
};

token_book::token_book(std::unique_ptr<state> loaded) : state_(std::move(loaded)) {}
token_book::~token_book() = default;

std::unique_ptr<token_book> token_book::load(const std::string& file, diagnostics& found) {
  auto made = std::make_unique<state>();
  made->file = file;
  diagnostics wrong;
  made->readable = true;
  if (made->changed(wrong) && wrong.empty()) {
    made->tokens = parse_tokens(made->content, file, wrong);
  }
  const bool good = !has_errors(wrong);
  for (diagnostic& each : wrong) found.push_back(std::move(each));
  if (!good) return nullptr;
  return std::unique_ptr<token_book>{new token_book{std::move(made)}};
}

void token_book::on_news(std::function<void(const token_news&)> report) {
  state_->report = std::move(report);
}

std::optional<token_bearer> token_book::bearer_of(std::string_view token) {
  state_->look();
  const token_hash hash = hash_of_token(token);
  const bearer_token* found = nullptr;
  // All of them, whichever fits: time tells nothing about how near a guess was.
  for (const bearer_token& each : state_->tokens) {
    if (::CRYPTO_memcmp(each.hash.data(), hash.data(), hash.size()) == 0) found = &each;
  }
  if (found == nullptr) return std::nullopt;
  return token_bearer{found->role, found->name};
}

std::size_t token_book::size() const noexcept {
  return state_->tokens.size();
}

}  // namespace tocsin
