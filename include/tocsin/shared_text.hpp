// SPDX-License-Identifier: Apache-2.0
// Text that does not change and that many can hold at the price of one.
#pragma once

#include <atomic>
#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>
#include <utility>

namespace tocsin {

/// One pointer wide; a copy shares the characters, the empty text has none. Reads like a
/// std::string_view; is changed by putting another in its place. Safe for any number of threads as
/// an int is. At most 2^32 - 1 bytes.
class shared_text {
 public:
  shared_text() noexcept = default;
  // NOLINTBEGIN(google-explicit-constructor): it stands where a std::string stood.
  shared_text(std::string_view text) : held_(text.empty() ? nullptr : make(text)) {}
  shared_text(const std::string& text) : shared_text(std::string_view{text}) {}
  shared_text(const char* text) : shared_text(std::string_view{text}) {}
  // NOLINTEND(google-explicit-constructor)
  shared_text(const shared_text& other) noexcept : held_(other.held_) {
    if (held_ != nullptr) held_->holders.fetch_add(1, std::memory_order_relaxed);
  }
  shared_text(shared_text&& other) noexcept : held_(std::exchange(other.held_, nullptr)) {}
  shared_text& operator=(shared_text other) noexcept {
    std::swap(held_, other.held_);
    return *this;
  }
  ~shared_text() {
    if (held_ != nullptr && held_->holders.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      destroy(held_);
    }
  }

  [[nodiscard]] std::string_view view() const noexcept {
    return held_ == nullptr ? std::string_view{""} : std::string_view{held_->begin(), held_->size};
  }
  // NOLINTNEXTLINE(google-explicit-constructor): it stands where a std::string stood.
  operator std::string_view() const noexcept { return view(); }
  // NOLINTNEXTLINE(google-explicit-constructor): it stands where a std::string stood.
  operator std::string() const { return str(); }
  [[nodiscard]] std::string str() const { return std::string{view()}; }

  void clear() noexcept { *this = shared_text{}; }
  [[nodiscard]] bool empty() const noexcept { return held_ == nullptr; }
  [[nodiscard]] std::size_t size() const noexcept { return held_ == nullptr ? 0 : held_->size; }
  [[nodiscard]] const char* data() const noexcept { return view().data(); }
  [[nodiscard]] const char* begin() const noexcept { return data(); }
  [[nodiscard]] const char* end() const noexcept { return data() + size(); }
  [[nodiscard]] std::size_t find(std::string_view part, std::size_t from = 0) const noexcept {
    return view().find(part, from);
  }
  [[nodiscard]] bool starts_with(std::string_view part) const noexcept {
    return view().starts_with(part);
  }

  /// Bytes beside this object, with what malloc takes for itself.
  [[nodiscard]] std::size_t heap_bytes() const noexcept {
    return held_ == nullptr ? 0 : sizeof(std::size_t) + sizeof(characters) + held_->size;
  }
  /// Whether both hold the very same characters.
  [[nodiscard]] bool shares_with(const shared_text& other) const noexcept {
    return held_ == other.held_;
  }

  friend bool operator==(const shared_text& left, const shared_text& right) noexcept {
    return left.held_ == right.held_ || left.view() == right.view();
  }
  friend std::strong_ordering operator<=>(const shared_text& left,
                                          const shared_text& right) noexcept {
    return left.view() <=> right.view();
  }
  template <class Text>
  requires(std::convertible_to<const Text&, std::string_view> &&
           !std::same_as<Text, shared_text>) friend bool
  operator==(const shared_text& left, const Text& right) {
    return left.view() == std::string_view{right};
  }
  template <class Text>
  requires(std::convertible_to<const Text&, std::string_view> &&
           !std::same_as<Text, shared_text>) friend std::strong_ordering
  operator<=>(const shared_text& left, const Text& right) {
    return left.view() <=> std::string_view{right};
  }
  friend std::string operator+(std::string left, const shared_text& right) {
    return std::move(left.append(right.view()));
  }
  friend std::string operator+(const shared_text& left, std::string_view right) {
    return left.str().append(right);
  }

 private:
  /// Followed by the characters.
  struct characters {
    std::atomic<std::uint32_t> holders;
    std::uint32_t size;
    [[nodiscard]] const char* begin() const noexcept {
      return reinterpret_cast<const char*>(this + 1);
    }
  };
  [[nodiscard]] static characters* make(std::string_view text);
  static void destroy(characters* gone) noexcept;

  characters* held_ = nullptr;
};

std::ostream& operator<<(std::ostream& into, const shared_text& text);

}  // namespace tocsin

template <>
struct std::hash<tocsin::shared_text> {
  std::size_t operator()(const tocsin::shared_text& text) const noexcept {
    return std::hash<std::string_view>{}(text.view());
  }
};
