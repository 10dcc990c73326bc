// SPDX-License-Identifier: Apache-2.0
// Memory for large tables that are read here and there: few pages, so that a read costs one cache
// miss and not another for its page's address.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <new>

namespace tocsin {

/// A standard allocator. Of 2 MiB and more it asks the system for pages of 2 MiB, which is a hint:
/// without them everything is as before.
template <class Element>
class huge_page_allocator {
 public:
  using value_type = Element;
  huge_page_allocator() = default;
  template <class Other>
  // NOLINTNEXTLINE(google-explicit-constructor): containers convert between element types
  huge_page_allocator(const huge_page_allocator<Other>&) noexcept {}

  [[nodiscard]] Element* allocate(std::size_t count) {
    const std::size_t align = alignment_of(count);
    const std::size_t bytes = (count * sizeof(Element) + align - 1) / align * align;
    void* const made = std::aligned_alloc(align, bytes);
    if (made == nullptr) throw std::bad_alloc{};
    if (align == page_bytes) (void)::madvise(made, bytes, MADV_HUGEPAGE);
    return static_cast<Element*>(made);
  }
  void deallocate(Element* made, std::size_t) noexcept { std::free(made); }

  friend bool operator==(const huge_page_allocator&, const huge_page_allocator&) noexcept {
    return true;
  }

 private:
  static constexpr std::size_t page_bytes = std::size_t{2} << 20;
  [[nodiscard]] static constexpr std::size_t alignment_of(std::size_t count) noexcept {
    if (count * sizeof(Element) >= page_bytes) return page_bytes;
    return alignof(Element) > alignof(std::max_align_t) ? alignof(Element)
                                                        : alignof(std::max_align_t);
  }
};

}  // namespace tocsin
