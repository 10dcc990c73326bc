// SPDX-License-Identifier: Apache-2.0
// Who a bearer token belongs to, by a file that may change at any time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/http_role.hpp"
#include "io/token_file.hpp"
#include "tocsin/result.hpp"

namespace tocsin {

/// Said of a file that has changed.
struct token_news {
  std::string file;
  std::size_t tokens = 0;  ///< in force now
  diagnostics found;       ///< why the file is not used and the tokens of before stay; empty: it is
};

/// Whom a token belongs to.
struct token_bearer {
  http_role role = http_role::view;
  std::string name;
};

/// Looks at the file at each question, so that a token that was taken out is refused at the next
/// one. A file that is bad or gone leaves the tokens as they were. One thread at a time.
class token_book {
 public:
  /// Null when the file cannot be read or has an error: `found` says where.
  [[nodiscard]] static std::unique_ptr<token_book> load(const std::string& file,
                                                        diagnostics& found);
  ~token_book();
  token_book(const token_book&) = delete;
  token_book& operator=(const token_book&) = delete;

  /// Who is told when the file has changed, once for each content. Must not throw.
  void on_news(std::function<void(const token_news&)> report);

  /// Nothing when nobody has this token. Takes as long for a wrong token as for a right one.
  [[nodiscard]] std::optional<token_bearer> bearer_of(std::string_view token);
  [[nodiscard]] std::size_t size() const noexcept;

 private:
  struct state;
  explicit token_book(std::unique_ptr<state> loaded);
  std::unique_ptr<state> state_;
};

}  // namespace tocsin
