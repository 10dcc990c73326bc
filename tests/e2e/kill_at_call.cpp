// SPDX-License-Identifier: Apache-2.0
// Preloaded into a program, it kills that program at its N-th call of what writes files: before the
// call, after it, or when half of the bytes are written. TOCSIN_KILL_AT is CALL:N:WHEN, e.g.
// fdatasync:17:before; CALL may be "any". Calls on what is no file of a disk are not counted.
#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

struct plan {
  char call[32] = "";
  long number = 0;
  char when[16] = "";
};

const plan& chosen() {
  static const plan made = [] {
    plan read;
    const char* const text = std::getenv("TOCSIN_KILL_AT");
    if (text == nullptr ||
        std::sscanf(text, "%31[^:]:%ld:%15s", read.call, &read.number, read.when) != 3) {
      read.number = 0;
    }
    return read;
  }();
  return made;
}

/// True when this is the call at which to die.
bool is_now(const char* call) {
  static std::atomic<long> calls{0};
  const plan& at = chosen();
  if (at.number == 0) return false;
  if (std::strcmp(at.call, "any") != 0 && std::strcmp(at.call, call) != 0) return false;
  return ++calls == at.number;
}

bool is_file(int descriptor) {
  struct stat status {};
  return ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
}

[[noreturn]] void die() {
  ::kill(::getpid(), SIGKILL);
  for (;;) ::pause();
}

template <class Call>
Call original(const char* name) {
  return reinterpret_cast<Call>(::dlsym(RTLD_NEXT, name));
}

bool is_when(const char* when) {
  return std::strcmp(chosen().when, when) == 0;
}

template <class Call>
auto watched(const char* name, Call call) {
  const bool now = is_now(name);
  if (now && !is_when("after")) die();
  const auto value = call();
  if (now) die();
  return value;
}

/// As watched, where half of the call can be done.
template <class Call>
ssize_t watched_write(const char* name, size_t bytes, Call call) {
  const bool now = is_now(name);
  if (now && is_when("before")) die();
  const auto value = call(now && is_when("half") ? bytes / 2 : bytes);
  if (now) die();
  return value;
}

}  // namespace

extern "C" {

ssize_t write(int descriptor, const void* from, size_t bytes) {
  static const auto real = original<ssize_t (*)(int, const void*, size_t)>("write");
  if (!is_file(descriptor)) return real(descriptor, from, bytes);
  return watched_write("write", bytes, [&](size_t count) { return real(descriptor, from, count); });
}

ssize_t pwrite64(int descriptor, const void* from, size_t bytes, off64_t at) {
  static const auto real = original<ssize_t (*)(int, const void*, size_t, off64_t)>("pwrite64");
  return watched_write("pwrite", bytes,
                       [&](size_t count) { return real(descriptor, from, count, at); });
}

ssize_t pwrite(int descriptor, const void* from, size_t bytes, off_t at) {
  return pwrite64(descriptor, from, bytes, at);
}

int fsync(int descriptor) {
  static const auto real = original<int (*)(int)>("fsync");
  return watched("fsync", [&] { return real(descriptor); });
}

int fdatasync(int descriptor) {
  static const auto real = original<int (*)(int)>("fdatasync");
  return watched("fdatasync", [&] { return real(descriptor); });
}

int rename(const char* from, const char* to) noexcept {
  static const auto real = original<int (*)(const char*, const char*)>("rename");
  return watched("rename", [&] { return real(from, to); });
}

int unlink(const char* path) noexcept {
  static const auto real = original<int (*)(const char*)>("unlink");
  return watched("unlink", [&] { return real(path); });
}

int ftruncate64(int descriptor, off64_t length) noexcept {
  static const auto real = original<int (*)(int, off64_t)>("ftruncate64");
  return watched("ftruncate", [&] { return real(descriptor, length); });
}

int ftruncate(int descriptor, off_t length) noexcept {
  return ftruncate64(descriptor, length);
}

}  // extern "C"
