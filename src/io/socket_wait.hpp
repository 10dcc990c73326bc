// SPDX-License-Identifier: Apache-2.0
// Waits for a receiving socket's next message or to be woken, and reads its frames. Private to
// src/io.
#pragma once

#include <optional>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "io/wake_flag.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

enum class waited { readable, woken, timed_out };

/// Waits without limit when there is no timeout. The flag is lowered when it woke.
[[nodiscard]] waited wait_readable(zmq::socket_t& socket, wake_flag& wake,
                                   std::optional<duration> timeout);

/// The same for the flag alone.
void wait_woken(wake_flag& wake, std::optional<duration> timeout);

/// All frames of the message that can be read; none when there is no message.
[[nodiscard]] std::vector<std::string> read_frames(zmq::socket_t& socket);

}  // namespace tocsin
