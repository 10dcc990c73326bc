// SPDX-License-Identifier: Apache-2.0
// Copies of keys and events that outlive their batch, packed into one string each.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/event.hpp"
#include "tocsin/rule_set.hpp"

namespace tocsin {

/// The text a group field has in an event; data() == nullptr for NULL. A label's number is written
/// into `scratch`.
[[nodiscard]] std::string_view group_text(const group_field& field, const event_batch& batch,
                                          const event& from, std::string& scratch);

/// The values of a key's group fields, packed: for each a varint (varint.hpp), 0 for NULL, else the
/// text's bytes plus one, and the text.
[[nodiscard]] std::string pack_key(const group& of, const event_batch& batch, const event& from);
/// The same into a string whose memory is used again.
void pack_key(const group& of, const event_batch& batch, const event& from, std::string& into);
/// Packs given values, NULL having data() == nullptr.
[[nodiscard]] std::string pack_key(std::span<const std::string_view> values);
/// Views into `packed`, in the order of group::fields; NULL has data() == nullptr. What is cut
/// short gives what is there.
[[nodiscard]] std::vector<std::string_view> unpack_key(std::string_view packed);

/// Replaces `into` by the event's texts, labels, level, value, time and action.
void pack_event(const event_batch& batch, const event& from, std::string& into);
/// A batch of one event whose views point into `packed`.
[[nodiscard]] event_batch unpack_event(std::string_view packed);

}  // namespace tocsin
