// SPDX-License-Identifier: Apache-2.0
// A queue by arrival with an index over it; an event's content as one hash.
#define XXH_INLINE_ALL
#include "tocsin/dedup_index.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <deque>
#include <utility>
#include <vector>

#include "core/key_bytes.hpp"
#include "core/key_table.hpp"
#include "core/state_bytes.hpp"

namespace tocsin {
namespace {

constexpr std::uint8_t newest_version = 1;
constexpr std::size_t sum_bytes = sizeof(std::uint64_t);
/// Key, content, time, and one byte at least of the arrival.
constexpr std::size_t entry_bytes_least = 16 + 8 + 8 + 1;

std::uint64_t checksum_of(std::string_view bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

error damaged(std::string_view message) {
  return {"snapshot_damaged", fmt::format("remembered events: {}", message)};
}

bool by_name(const label& left, const label& right) noexcept {
  return left.name < right.name;
}

// Adding zero makes 0 of -0, which is the same number.
std::uint64_t bits_of(double number) {
  return std::bit_cast<std::uint64_t>(number + 0.0);
}

void add_labels(std::span<const label> labels, key_bytes& into) {
  for (const label& each : labels) {
    into.add_text(each.name);
    into.add_integer(static_cast<std::uint64_t>(each.type));
    if (each.type == label::kind::text) into.add_text(each.text);
    if (each.type == label::kind::number || each.type == label::kind::boolean) {
      into.add_integer(bits_of(each.number));
    }
  }
}

}  // namespace

fingerprint dedup_key_of(std::string_view source_id, std::string_view event_id) {
  const std::array<key_part, 2> parts{{{"source_id", source_id}, {"event_id", event_id}}};
  return fingerprint_of("", parts);
}

std::uint64_t content_of(const event& from, std::span<const label> labels) {
  key_bytes bytes;
  for (const std::string_view text : from.texts) bytes.add_text(text);
  bytes.add_integer(static_cast<std::uint64_t>(from.action));
  bytes.add_integer(from.level ? 1 + static_cast<std::uint64_t>(*from.level) : 0);
  bytes.add_integer(static_cast<std::uint64_t>(from.has_time));
  if (from.has_time) bytes.add_integer(static_cast<std::uint64_t>(to_unix_ms(from.time)));
  bytes.add_integer(static_cast<std::uint64_t>(from.has_value()));
  if (from.has_value()) bytes.add_integer(bits_of(from.value));
  if (std::is_sorted(labels.begin(), labels.end(), by_name)) {
    add_labels(labels, bytes);
  } else {
    std::vector<label> sorted(labels.begin(), labels.end());
    std::sort(sorted.begin(), sorted.end(), by_name);
    add_labels(sorted, bytes);
  }
  return XXH3_64bits(bytes.data(), bytes.size());
}

std::optional<remembered_event> recognisable(const event& from, std::span<const label> labels) {
  const std::string_view source = from.text(event_field::source_id);
  const std::string_view id = from.text(event_field::event_id);
  if (source.data() == nullptr || id.data() == nullptr) return std::nullopt;
  return remembered_event{dedup_key_of(source, id), content_of(from, labels),
                          from.has_time ? from.time : remembered_event::no_time};
}

namespace {

/// A queue in pieces of 2 MiB: what is there does not move when it grows. Only the first piece
/// begins small.
class event_queue {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] const remembered_event& operator[](std::size_t at) const {
    const std::size_t place = gone_ + at;
    return pieces_[place / piece][place % piece];
  }
  void push(const remembered_event& what) {
    if (gone_ + size_ == pieces_.size() * piece) {
      auto& added = pieces_.emplace_back();
      if (pieces_.size() > 1) added.reserve(piece);
    }
    pieces_.back().push_back(what);
    ++size_;
  }
  void pop() {
    ++gone_;
    --size_;
    if (gone_ < piece) return;
    pieces_.pop_front();
    gone_ = 0;
  }

 private:
  static constexpr std::size_t piece = 65'536;
  static_assert(piece * sizeof(remembered_event) == std::size_t{2} << 20);

  std::deque<std::vector<remembered_event>> pieces_;
  std::size_t gone_ = 0;  ///< of the first piece
  std::size_t size_ = 0;
};

}  // namespace

struct dedup_index::state {
  /// So many entries after one another arrived then.
  struct arrival {
    instant at;
    std::size_t count;
  };
  /// Entries are numbered as they come, modulo 2^31; the table's slots are these numbers.
  static constexpr std::uint32_t number_mask = 0x7fff'ffff;
  static constexpr std::size_t parts = 16;
  static constexpr unsigned part_shift = 60;
  /// What is forgotten so much later is fetched already.
  static constexpr std::size_t forget_ahead = 16;

  [[nodiscard]] const remembered_event& at(std::uint32_t number) const {
    return entries[(number - oldest) & number_mask];
  }
  [[nodiscard]] std::uint32_t find(const fingerprint& key) const {
    return part(key).find(key, [&](std::uint32_t number) { return at(number).key == key; });
  }
  [[nodiscard]] const key_table& part(const fingerprint& key) const {
    return slots[key.high >> part_shift];
  }
  [[nodiscard]] key_table& part(const fingerprint& key) { return slots[key.high >> part_shift]; }
  void forget_old(instant now) {
    while (!arrivals.empty() && now - arrivals.front().at > keep) forget_oldest();
  }
  void forget_oldest() {
    if (forget_ahead < entries.size()) {
      const fingerprint& later = entries[forget_ahead].key;
      part(later).prefetch(later);
    }
    const remembered_event& what = entries[0];
    forgotten_until = std::max(forgotten_until, what.time);
    if (find(what.key) == oldest) part(what.key).erase(what.key, oldest);
    entries.pop();
    if (--arrivals.front().count == 0) arrivals.pop_front();
    oldest = (oldest + 1) & number_mask;
  }
  void add(const remembered_event& what, instant now) {
    const auto number = static_cast<std::uint32_t>((oldest + entries.size()) & number_mask);
    part(what.key).insert(what.key, number);
    entries.push(what);
    if (arrivals.empty() || arrivals.back().at != now) arrivals.push_back({now, 0});
    ++arrivals.back().count;
  }

  duration keep;
  std::size_t room;
  /// By the key's highest bits: each part grows on its own, so that none of it takes long.
  std::array<key_table, parts> slots{};
  event_queue entries{};           ///< by arrival
  std::deque<arrival> arrivals{};  ///< of all entries
  std::uint32_t oldest = 0;        ///< number of the first entry
  instant forgotten_until = remembered_event::no_time;
  std::uint64_t forgotten_early = 0;
};

dedup_index::dedup_index(duration keep, std::size_t entries)
    : state_(std::make_unique<state>(state{.keep = keep, .room = entries})) {
  assert(entries >= 1 && entries <= entries_max);
}

dedup_index::~dedup_index() = default;
dedup_index::dedup_index(dedup_index&&) noexcept = default;
dedup_index& dedup_index::operator=(dedup_index&&) noexcept = default;

instant dedup_index::forgotten_until() const noexcept {
  return state_->forgotten_until;
}

void dedup_index::forget_until(instant time) noexcept {
  state_->forgotten_until = std::max(state_->forgotten_until, time);
}

std::size_t dedup_index::size() const noexcept {
  return state_->entries.size();
}

std::uint64_t dedup_index::forgotten_early() const noexcept {
  return state_->forgotten_early;
}

void dedup_index::prepare(const remembered_event& what) const {
  state_->part(what.key).prefetch(what.key);
}

dedup_index::verdict dedup_index::look(const remembered_event& what, instant now) {
  state_->forget_old(now);
  const std::uint32_t known = state_->find(what.key);
  if (known == no_index) return verdict::fresh;
  return state_->at(known).content == what.content ? verdict::duplicate : verdict::conflict;
}

void dedup_index::remember(const remembered_event& what, instant now) {
  state_->forget_old(now);
  // The one before keeps its place in the queue, where it is no longer found.
  if (const std::uint32_t known = state_->find(what.key); known != no_index)
    state_->part(what.key).erase(what.key, known);
  remember_fresh(what, now);
}

void dedup_index::remember_fresh(const remembered_event& what, instant now) {
  if (state_->entries.size() == state_->room) {
    state_->forget_oldest();
    ++state_->forgotten_early;
  }
  state_->add(what, now);
}

void dedup_index::save(std::string& into) const {
  const std::size_t begin = into.size();
  state_writer to{into};
  to.put(newest_version);
  to.put(static_cast<std::int64_t>(to_unix_ms(state_->forgotten_until)));
  to.put_small(state_->entries.size());
  instant before{};
  std::size_t next = 0;
  for (const state::arrival& each : state_->arrivals) {
    for (std::size_t left = each.count; left > 0; --left) {
      const remembered_event& what = state_->entries[next++];
      to.put(what.key);
      to.put(what.content);
      to.put(static_cast<std::int64_t>(to_unix_ms(what.time)));
      to.put_small(static_cast<std::uint64_t>((each.at - before).count()));
      before = each.at;
    }
  }
  to.put(checksum_of(std::string_view{into}.substr(begin)));
}

std::optional<error> dedup_index::restore(std::string_view bytes) {
  if (bytes.size() <= sum_bytes) return damaged("seen too few bytes");
  const auto version = static_cast<std::uint8_t>(bytes.front());
  if (version != newest_version) {
    return error{version > newest_version ? "snapshot_newer" : "snapshot_damaged",
                 fmt::format("remembered events: seen version {}, wanted 1", version)};
  }
  const std::string_view summed = bytes.substr(0, bytes.size() - sum_bytes);
  if (state_reader{bytes.substr(summed.size())}.take<std::uint64_t>() != checksum_of(summed)) {
    return damaged("their checksum is not that of their bytes");
  }
  dedup_index made{state_->keep, state_->room};
  state_reader from{summed.substr(1)};
  made.forget_until(from_unix_ms(from.take<std::int64_t>()));
  std::uint64_t arrived_ms = 0;
  for (std::uint64_t left = from.take_small_count(entry_bytes_least); left > 0; --left) {
    remembered_event what;
    what.key = from.take_fingerprint();
    what.content = from.take<std::uint64_t>();
    what.time = from_unix_ms(from.take<std::int64_t>());
    arrived_ms += from.take_small();
    if (from.failed()) break;
    made.remember(what, from_unix_ms(static_cast<std::int64_t>(arrived_ms)));
  }
  if (from.failed() || !from.at_end()) return damaged("their number is not that of their bytes");
  *this = std::move(made);
  return std::nullopt;
}

}  // namespace tocsin
