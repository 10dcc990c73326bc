// SPDX-License-Identifier: Apache-2.0
// Draws the line with a carriage return and takes it away with "erase to the end".
#include "programs/progress_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>

#include "programs/console.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

progress_line::progress_line(std::optional<std::uint64_t> bytes_total)
    : on_(is_terminal_stderr()), bytes_total_(bytes_total) {}

void progress_line::update(std::uint64_t events, std::uint64_t bytes_read) {
  if (!on_) return;
  constexpr auto redraw_after = std::chrono::milliseconds{200};
  const std::scoped_lock lock(mutex_);
  const auto now = steady::now();
  if (now - drawn_ < redraw_after) return;
  drawn_ = now;
  const double seconds = std::chrono::duration<double>(now - begun_).count();
  auto text = fmt::format("\r{} events, {:.0f} events/s", events,
                          static_cast<double>(events) / std::max(seconds, 1e-6));
  if (bytes_total_ && *bytes_total_ > 0 && bytes_read > 0) {
    const double share =
        std::min(1.0, static_cast<double>(bytes_read) / static_cast<double>(*bytes_total_));
    const double left = seconds / share - seconds;
    text += fmt::format(", {:.0f} %, {} left", share * 100,
                        format_duration(std::chrono::seconds{std::lround(left)}));
  }
  text += "\033[K";
  std::fwrite(text.data(), 1, text.size(), stderr);
  shown_ = true;
}

void progress_line::aside(const std::function<void()>& print) {
  const std::scoped_lock lock(mutex_);
  if (shown_) {
    std::fputs("\r\033[K", stderr);
    shown_ = false;
  }
  print();
}

}  // namespace tocsin
