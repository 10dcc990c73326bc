// SPDX-License-Identifier: Apache-2.0
// Remembers which events came in lately, to tell one that is sent again from a new one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "tocsin/event.hpp"
#include "tocsin/fingerprint.hpp"
#include "tocsin/log_entry.hpp"
#include "tocsin/result.hpp"

namespace tocsin {

/// The identity an event is recognised by: its source_id and event_id.
[[nodiscard]] fingerprint dedup_key_of(std::string_view source_id, std::string_view event_id);

/// A hash of all that the sender wrote: fields and labels, these in whatever order. The arrival is
/// not in it, nor a `time` that the sender left out. It lasts (docs/event-log.md): XXH3-64 over the
/// eight texts as fingerprint_of has them; action; level + 1, or 0; 1 and the time (Unix ms), or 0;
/// 1 and the value's bits, or 0; and by name, of each label, name, kind and text or number's bits.
/// Whatever is no text is 8 bytes, little endian.
[[nodiscard]] std::uint64_t content_of(const event& from, std::span<const label> labels);

/// What remember() wants of an event: its dedup_key_of, content_of and time. Nothing when it has no
/// source_id or no event_id: such events are all new.
[[nodiscard]] std::optional<remembered_event> recognisable(const event& from,
                                                           std::span<const label> labels);

/// Not thread-safe. Deterministic: what it says depends on what it was told before, and when.
class dedup_index {
 public:
  static constexpr std::size_t entries_max = 0x7fff'ffff;

  enum class verdict : std::uint8_t {
    fresh,      ///< not seen, or no longer remembered
    duplicate,  ///< seen with the same content
    conflict,   ///< seen with different content; what was seen first stays remembered
  };

  /// An entry is forgotten when it is older than `keep`, or the oldest of more than `entries` (1 to
  /// entries_max).
  dedup_index(duration keep, std::size_t entries);
  ~dedup_index();
  dedup_index(dedup_index&&) noexcept;
  dedup_index& operator=(dedup_index&&) noexcept;

  /// Fetches what look(what) will read, so that looks at several do not wait one by one.
  void prepare(const remembered_event& what) const;
  /// Changes nothing but that it forgets what is too old at `now`, which never decreases.
  [[nodiscard]] verdict look(const remembered_event& what, instant now);
  /// From now on it is known. One that is known already takes the place of that one.
  void remember(const remembered_event& what, instant now);
  /// The same, at less cost. Precondition: nothing came after look(what, now) has said fresh.
  void remember_fresh(const remembered_event& what, instant now);

  /// An event that is not known, and whose own time is not later than this, may be one that was
  /// forgotten: the newest time of those.
  [[nodiscard]] instant forgotten_until() const noexcept;
  /// Events up to this time may have come in unseen.
  void forget_until(instant time) noexcept;

  [[nodiscard]] std::size_t size() const noexcept;
  /// Entries that were forgotten before their time, for want of room.
  [[nodiscard]] std::uint64_t forgotten_early() const noexcept;

  /// Appends all of it. Version 1: the version (1 byte); forgotten_until (8 bytes, Unix ms); the
  /// number of entries and, oldest first, of each: the key (16 bytes), the content (8), the time
  /// (8) and by how many ms it arrived after the one before, the first after the epoch; XXH3-64 of
  /// all before (8). Numbers without a size are varints, the others little endian.
  void save(std::string& into) const;
  /// Puts what save() wrote in place of what there is, as far as there is room. Errors:
  /// snapshot_damaged, snapshot_newer; then nothing has changed.
  [[nodiscard]] std::optional<error> restore(std::string_view bytes);

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace tocsin
