// SPDX-License-Identifier: Apache-2.0
// Preloaded into a program, it lets regular expressions crash at texts that hold TOCSIN_CRASH_AT:
// with SIGSEGV, or with the signal numbered TOCSIN_CRASH_SIGNAL. Where TOCSIN_CRASH_WHEN names a
// file, such a match holds still until the file is there.
#include <dlfcn.h>
#include <re2/re2.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string_view>

namespace {

bool is_poison(const re2::StringPiece& text) {
  static const char* const poison = std::getenv("TOCSIN_CRASH_AT");
  return poison != nullptr &&
         std::string_view{text.data(), text.size()}.find(poison) != std::string_view::npos;
}

void crash() {
  if (const char* const when = std::getenv("TOCSIN_CRASH_WHEN")) {
    while (::access(when, F_OK) != 0) ::usleep(1'000);
  }
  const char* const signal = std::getenv("TOCSIN_CRASH_SIGNAL");
  ::raise(signal == nullptr ? SIGSEGV : std::atoi(signal));
}

}  // namespace

bool re2::RE2::PartialMatchN(const StringPiece& text, const RE2& re, const Arg* const args[],
                             int count) {
  using call = bool (*)(const StringPiece&, const RE2&, const Arg* const[], int);
  static const auto real = reinterpret_cast<call>(
      ::dlsym(RTLD_NEXT, "_ZN3re23RE213PartialMatchNERKNS_11StringPieceERKS0_PKPKNS0_3ArgEi"));
  if (is_poison(text)) crash();
  return real(text, re, args, count);
}
