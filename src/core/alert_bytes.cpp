// SPDX-License-Identifier: Apache-2.0
// An alert as bytes and back, every field of it: what the store keeps of a transition.
//
// version (1 byte), fields, XXH3-64 over all before (8 bytes). Numbers, lengths and counts are
// varints; times are zigzag varints relative to the transition's, which is the first of them.
#define XXH_INLINE_ALL
#include <fmt/format.h>
#include <xxhash.h>

#include "core/state_bytes.hpp"
#include "core/varint.hpp"
#include "tocsin/alert.hpp"

namespace tocsin {
namespace {

constexpr std::uint8_t newest_version = 1;
constexpr std::size_t sum_bytes = sizeof(std::uint64_t);

std::uint64_t checksum_of(std::string_view bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

/// Optional things and flags, one bit each.
enum present : std::uint32_t {
  has_texts = 1U << 0U,
  has_resolved = 1U << 1U,
  has_closed = 1U << 2U,
  has_acknowledged = 1U << 3U,
  has_until = 1U << 4U,
  has_incident = 1U << 5U,
  has_posted = 1U << 6U,
  is_flapping = 1U << 7U,
  has_truncated_ids = 1U << 8U,
  has_timed_out_end = 1U << 9U,
  all_present = (1U << 10U) - 1,
};

class alert_writer {
 public:
  explicit alert_writer(std::string& into) : to_(into) {}

  void write(const alert& of) {
    // Names every field: one that is added does not compile until it is written here.
    const auto& [seq, origin, alert_id, print, rule, revision, number, at, state, previous_state,
                 cause, actor, note, level, texts, proof, condition, started_at, resolved_at,
                 closed_at, acknowledged, assignee, shields, flapping, incident_id, posted] = of;
    to_.put(newest_version);
    put(at);
    base_ = static_cast<std::uint64_t>(to_unix_ms(at));
    to_.put_small(presence(of));
    put(seq);
    to_.put(origin);
    put(alert_id);
    put(print);
    put(rule);
    put(revision);
    put(number);
    to_.put(state);
    to_.put(previous_state);
    put(cause);
    put(actor);
    put(note);
    to_.put(level);
    if (texts) put(*texts);
    put(proof);
    put(condition);
    put(started_at);
    put(resolved_at);
    put(closed_at);
    if (acknowledged) put(*acknowledged);
    put(assignee);
    put(shields.silenced_by);
    put(shields.inhibited_by);
    put(shields.muted_by);
    static_cast<void>(flapping);  // among the flags, as who is present
    if (incident_id) put(*incident_id);
    if (posted) put(*posted);
  }

 private:
  static std::uint32_t presence(const alert& of) {
    std::uint32_t bits = 0;
    if (of.texts) bits |= has_texts;
    if (of.resolved_at) bits |= has_resolved;
    if (of.closed_at) bits |= has_closed;
    if (of.acknowledged) bits |= has_acknowledged;
    if (of.acknowledged && of.acknowledged->until) bits |= has_until;
    if (of.incident_id) bits |= has_incident;
    if (of.posted) bits |= has_posted;
    if (of.flapping) bits |= is_flapping;
    if (of.proof.event_ids_truncated) bits |= has_truncated_ids;
    if (of.posted && of.posted->times_out) bits |= has_timed_out_end;
    return bits;
  }

  void put(std::uint64_t number) { to_.put_small(number); }
  void put(std::string_view text) { to_.put_small_text(text); }
  void put(instant at) {
    to_.put_small(zigzag_of(static_cast<std::uint64_t>(to_unix_ms(at)) - base_));
  }
  void put(const std::optional<instant>& at) {
    if (at) put(*at);
  }
  void put(const fingerprint& print) { to_.put(print); }
  void put(const std::vector<std::string>& list) {
    put(list.size());
    for (const std::string& each : list) put(each);
  }
  void put(const text_map& map) {
    put(map.size());
    for (const auto& [name, text] : map) {
      put(name);
      put(text);
    }
  }
  void put(const alert_texts& texts) {
    const auto& [title, description, labels, annotations, group, resource_id, resource_type,
                 resource_name, item, source_id] = texts;
    put(title);
    put(description);
    put(labels);
    put(annotations);
    put(group.size());
    for (const auto& [field, value] : group) {
      put(field);
      to_.put(static_cast<std::uint8_t>(value.has_value()));
      if (value) put(*value);
    }
    put(resource_id);
    put(resource_type);
    put(resource_name);
    put(item);
    put(source_id);
  }
  void put(const evidence& proof) {
    const auto& [event_count, event_ids, truncated, first_event_time, last_event_time,
                 first_event_position, window, values] = proof;
    static_cast<void>(truncated);  // among the flags
    put(event_count);
    put(event_ids);
    put(first_event_time);
    put(last_event_time);
    // no_position, which is common, as 0.
    put(first_event_position + 1);
    to_.put(window.kind);
    put(window.start);
    put(window.end);
    put(values.size());
    for (const auto& [name, value] : values) {
      put(name);
      to_.put(value);
    }
  }
  void put(const acknowledgement& of) {
    put(of.by);
    put(of.at);
    put(of.until);
  }
  void put(const posted_facts& of) {
    const auto& [starts_at, ends_at, times_out, generator_url] = of;
    static_cast<void>(times_out);  // among the flags
    put(starts_at);
    put(ends_at);
    put(generator_url);
  }

  state_writer to_;
  std::uint64_t base_ = 0;  ///< what times are relative to: 0 for the first
};

class alert_reader {
 public:
  explicit alert_reader(std::string_view bytes) : from_(bytes) {}

  void read(alert& into) {
    into.at = time();
    base_ = static_cast<std::uint64_t>(to_unix_ms(into.at));
    const std::uint64_t present = from_.take_small();
    if ((present & ~std::uint64_t{all_present}) != 0) from_.fail();
    const auto has = [&](std::uint32_t bit) { return (present & bit) != 0; };
    into.seq = from_.take_small();
    into.origin = one_of(alert_origin::incident);
    into.alert_id = print();
    into.print = print();
    into.rule = text();
    into.revision = text();
    into.number = from_.take_small();
    into.state = one_of(alert_state::closed);
    into.previous_state = one_of(alert_state::closed);
    into.cause = text();
    into.actor = text();
    into.note = text();
    into.severity = one_of(severity::info);
    if (has(has_texts)) into.texts = std::make_shared<const alert_texts>(texts());
    into.proof = proof();
    into.proof.event_ids_truncated = has(has_truncated_ids);
    into.condition = text();
    into.started_at = time();
    into.resolved_at = time_if(has(has_resolved));
    into.closed_at = time_if(has(has_closed));
    if (has(has_acknowledged)) {
      into.acknowledged.emplace();
      into.acknowledged->by = text();
      into.acknowledged->at = time();
      into.acknowledged->until = time_if(has(has_until));
    }
    into.assignee = text();
    into.shields.silenced_by = list();
    into.shields.inhibited_by = list();
    into.shields.muted_by = list();
    into.flapping = has(is_flapping);
    if (has(has_incident)) into.incident_id = print();
    if (has(has_posted)) into.posted = posted(has(has_timed_out_end));
  }

  /// All was read and nothing is left.
  [[nodiscard]] bool fits() const noexcept { return !from_.failed() && from_.at_end(); }

 private:
  std::string text() { return std::string{from_.take_small_text()}; }
  instant time() {
    const std::uint64_t unix_ms = base_ + number_of_zigzag(from_.take_small());
    return from_unix_ms(static_cast<long long>(unix_ms));
  }
  std::optional<instant> time_if(bool there) {
    return there ? std::optional{time()} : std::nullopt;
  }
  fingerprint print() { return from_.take_fingerprint(); }
  template <class Word>
  Word one_of(Word last) {
    const auto number = from_.take<std::uint8_t>();
    if (number > static_cast<std::uint8_t>(last)) {
      from_.fail();
      return last;
    }
    return static_cast<Word>(number);
  }
  std::vector<std::string> list() {
    std::vector<std::string> all;
    for (std::uint64_t left = from_.take_small_count(); left > 0 && !from_.failed(); --left) {
      all.push_back(text());
    }
    return all;
  }
  text_map map() {
    text_map all;
    for (std::uint64_t left = from_.take_small_count(2); left > 0 && !from_.failed(); --left) {
      std::string name = text();
      all.emplace_back(std::move(name), text());
    }
    return all;
  }
  alert_texts texts() {
    alert_texts read;
    read.title = text();
    read.description = text();
    read.labels = map();
    read.annotations = map();
    for (std::uint64_t left = from_.take_small_count(2); left > 0 && !from_.failed(); --left) {
      auto& [field, value] = read.group.emplace_back(text(), std::nullopt);
      const auto is_there = from_.take<std::uint8_t>();
      if (is_there > 1) from_.fail();
      if (is_there == 1) value = text();
    }
    read.resource_id = text();
    read.resource_type = text();
    read.resource_name = text();
    read.item = text();
    read.source_id = text();
    return read;
  }
  evidence proof() {
    evidence read;
    read.event_count = from_.take_small();
    read.event_ids = list();
    read.first_event_time = time();
    read.last_event_time = time();
    read.first_event_position = from_.take_small() - 1;
    read.window.kind = one_of(window_kind::sequence);
    read.window.start = time();
    read.window.end = time();
    for (std::uint64_t left = from_.take_small_count(1 + sizeof(double));
         left > 0 && !from_.failed(); --left) {
      std::string name = text();
      read.values.emplace_back(std::move(name), from_.take<double>());
    }
    return read;
  }
  std::shared_ptr<const posted_facts> posted(bool times_out) {
    posted_facts read;
    read.starts_at = time();
    read.ends_at = time();
    read.times_out = times_out;
    read.generator_url = text();
    return std::make_shared<const posted_facts>(std::move(read));
  }

  state_reader from_;
  std::uint64_t base_ = 0;
};

}  // namespace

std::string alert_bytes(const alert& of) {
  std::string bytes;
  alert_writer{bytes}.write(of);
  state_writer{bytes}.put(checksum_of(bytes));
  return bytes;
}

result<alert> alert_from_bytes(std::string_view bytes) {
  if (bytes.empty()) return error{"malformed", "an alert: no bytes, wanted some"};
  const auto version = state_reader{bytes}.take<std::uint8_t>();
  if (version > newest_version) {
    return error{"newer_version", fmt::format("an alert of format version {}: this tocsin reads up "
                                              "to {}",
                                              version, newest_version)};
  }
  if (version == 0 || bytes.size() < 1 + sum_bytes) {
    return error{"malformed", fmt::format("an alert: {} bytes of format version {}, wanted at "
                                          "least {} of a version from 1",
                                          bytes.size(), version, 1 + sum_bytes)};
  }
  const std::string_view body = bytes.substr(0, bytes.size() - sum_bytes);
  const auto sum = state_reader{bytes.substr(body.size())}.take<std::uint64_t>();
  if (sum != checksum_of(body)) {
    return error{"malformed",
                 fmt::format("an alert: the checksum of its {} bytes is {:016x}, wanted {:016x}",
                             bytes.size(), checksum_of(body), sum)};
  }
  alert read;
  alert_reader reader{body.substr(1)};
  reader.read(read);
  if (!reader.fits()) {
    return error{"malformed", fmt::format("an alert: the fields of its {} bytes do not fit their "
                                          "lengths",
                                          bytes.size())};
  }
  return read;
}

}  // namespace tocsin
