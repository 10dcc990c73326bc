// SPDX-License-Identifier: Apache-2.0
// A batch's bytes: an event is written as what differs from the one before.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/log_entry_parts.hpp"

namespace tocsin {
namespace {

/// An event's head: which texts it has of its own, which are as before, its flags, its action and
/// level.
constexpr std::size_t event_bytes_least = 4;
constexpr std::size_t label_bytes_least = 1;

enum event_flag : std::uint8_t {
  has_value = 1,
  has_time = 2,            ///< event::has_time
  has_other_time = 4,      ///< its time is not its arrival
  has_other_arrival = 8,   ///< its arrival is not that of the one before
  has_labels = 16,         ///< of its own
  has_labels_before = 32,  ///< those of the one before
  all_flags = 63,
};

/// The low bits of the byte of action and level.
constexpr unsigned action_bits = 2;
constexpr unsigned action_mask = 3;

/// The kinds of labels as they are written: a boolean's value is in its kind.
enum label_form : std::uint8_t { null_form, text_form, number_form, false_form, true_form };
/// The low bits of the number that holds a label's kind and its name's length.
constexpr unsigned form_bits = 3;
constexpr unsigned form_mask = 7;

label_form form_of(const label& of) noexcept {
  switch (of.type) {
    case label::kind::null:
      return null_form;
    case label::kind::text:
      return text_form;
    case label::kind::number:
      return number_form;
    case label::kind::boolean:
      return of.number != 0 ? true_form : false_form;
  }
  return null_form;
}

bool same_label(const label& left, const label& right) noexcept {
  return left.type == right.type && left.name == right.name && left.text == right.text &&
         std::bit_cast<std::uint64_t>(left.number) == std::bit_cast<std::uint64_t>(right.number);
}

bool same_labels(std::span<const label> left, std::span<const label> right) noexcept {
  if (left.size() != right.size()) return false;
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (!same_label(left[i], right[i])) return false;
  }
  return true;
}

char* put_bytes(char* to, std::string_view bytes) noexcept {
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  return to + bytes.size();
}
char* put_text(char* to, std::string_view text) noexcept {
  return put_bytes(write_varint(to, text.size()), text);
}
char* put_bits(char* to, double number) noexcept {
  std::memcpy(to, &number, sizeof number);
  return to + sizeof number;
}

class batch_writer {
 public:
  batch_writer(const event_batch& batch, instant clock, std::string& into)
      : batch_(batch), to_(into) {
    nothing_.arrived = clock;
    char* at = to_.room(3 * varint_bytes_max);
    at = write_varint(at, batch.first_position);
    at = write_varint(at, offset_of(batch.clock, clock));
    to_.wrote(write_varint(at, batch.events.size()));
  }

  void write() {
    for (const event& each : batch_.events) {
      write(each);
      before_ = &each;
    }
    to_.finish();
  }

 private:
  void write(const event& one) {
    const std::span<const label> labels = batch_.labels_of(one);
    const std::uint8_t flags = flags_of(one, labels);
    const bool own_labels = (flags & has_labels) != 0;
    char* const head = to_.room(bytes_most(one, own_labels ? labels : std::span<const label>{}));
    char* at = head + event_bytes_least;
    if ((flags & has_other_arrival) != 0) {
      at = write_varint(at, offset_of(one.arrived, before_->arrived));
    }
    if ((flags & has_other_time) != 0) at = write_varint(at, offset_of(one.time, one.arrived));
    if ((flags & has_value) != 0) at = put_bits(at, one.value);
    unsigned own = 0;
    unsigned as_before = 0;
    for (std::size_t i = 0; i < one.texts.size(); ++i) {
      const std::string_view text = one.texts[i];
      if (text.data() == nullptr) continue;
      if (before_->texts[i].data() != nullptr && before_->texts[i] == text) {
        as_before |= 1U << i;
      } else {
        own |= 1U << i;
        at = put_text(at, text);
      }
    }
    if (own_labels) at = put_labels(at, labels);
    const unsigned level = one.level ? 1U + static_cast<unsigned>(*one.level) : 0;
    head[0] = static_cast<char>(own);
    head[1] = static_cast<char>(as_before);
    head[2] = static_cast<char>(flags);
    head[3] = static_cast<char>(static_cast<unsigned>(one.action) | level << action_bits);
    to_.wrote(at);
  }

  [[nodiscard]] std::uint8_t flags_of(const event& one, std::span<const label> labels) const {
    unsigned flags = 0;
    if (one.has_value()) flags |= has_value;
    if (one.has_time) flags |= has_time;
    if (one.time != one.arrived) flags |= has_other_time;
    if (one.arrived != before_->arrived) flags |= has_other_arrival;
    if (!labels.empty()) {
      flags |= same_labels(labels, batch_.labels_of(*before_)) ? has_labels_before : has_labels;
    }
    return static_cast<std::uint8_t>(flags);
  }

  static std::size_t bytes_most(const event& one, std::span<const label> labels) {
    std::size_t bytes = event_bytes_least + 3 * varint_bytes_max + sizeof(double);
    for (const std::string_view text : one.texts) bytes += varint_bytes_max + text.size();
    for (const label& each : labels) {
      bytes += 2 * varint_bytes_max + each.name.size() + each.text.size();
    }
    return bytes;
  }

  static char* put_labels(char* at, std::span<const label> labels) {
    at = write_varint(at, labels.size());
    for (const label& each : labels) {
      const label_form form = form_of(each);
      at = put_bytes(write_varint(at, each.name.size() << form_bits | form), each.name);
      if (form == text_form) at = put_text(at, each.text);
      if (form == number_form) at = put_bits(at, each.number);
    }
    return at;
  }

  const event_batch& batch_;
  entry_writer to_;
  event nothing_;  ///< stands before the first event: it arrived at the entry's clock
  const event* before_ = &nothing_;
};

class batch_reader {
 public:
  batch_reader(entry_reader& from, event_batch& into) : from_(from), into_(into) {}

  void read(instant clock) {
    into_.first_position = from_.number();
    into_.clock = from_.time(clock);
    event nothing;
    nothing.arrived = clock;
    const std::size_t count = from_.count(event_bytes_least);
    into_.events.reserve(count);
    for (std::size_t i = 0; i < count && !from_.failed(); ++i) {
      event& one = into_.events.emplace_back();
      read_event(i == 0 ? nothing : into_.events[i - 1], one);
    }
  }

 private:
  void read_event(const event& before, event& one) {
    const char* const head = from_.place();
    const unsigned own = from_.byte();
    const unsigned as_before = from_.byte();
    const unsigned flags = from_.byte();
    const unsigned marks = from_.byte();
    if ((own & as_before) != 0 || flags > all_flags ||
        ((flags & has_labels) != 0 && (flags & has_labels_before) != 0)) {
      from_.refuse(head, fmt::format("the head {:02x} {:02x} {:02x}", own, as_before, flags),
                   "each text and the labels at most once, no unknown flag");
    }
    read_marks(head, marks, one);
    one.has_time = (flags & has_time) != 0;
    one.arrived = (flags & has_other_arrival) != 0 ? from_.time(before.arrived) : before.arrived;
    one.time = (flags & has_other_time) != 0 ? from_.time(one.arrived) : one.arrived;
    if ((flags & has_value) != 0) one.value = std::bit_cast<double>(from_.eight_bytes());
    for (std::size_t i = 0; i < one.texts.size(); ++i) {
      if ((own >> i & 1U) != 0) one.texts[i] = from_.text();
      if ((as_before >> i & 1U) != 0) one.texts[i] = before.texts[i];
    }
    if ((flags & has_labels) != 0) read_labels(one);
    if ((flags & has_labels_before) != 0) {
      one.labels_begin = before.labels_begin;
      one.labels_count = before.labels_count;
    }
  }

  void read_marks(const char* head, unsigned marks, event& into) {
    const unsigned action = marks & action_mask;
    const unsigned level = marks >> action_bits;
    if (action > static_cast<unsigned>(event_action::closed) ||
        level > 1U + static_cast<unsigned>(severity::info)) {
      from_.refuse(head + 3, fmt::format("{:#04x}", marks), "an action and a level");
      return;
    }
    into.action = static_cast<event_action>(action);
    if (level > 0) into.level = static_cast<severity>(level - 1);
  }

  void read_labels(event& of) {
    const std::size_t count = from_.count(label_bytes_least);
    of.labels_begin = static_cast<std::uint32_t>(into_.labels.size());
    of.labels_count = static_cast<std::uint32_t>(count);
    // Events of a batch mostly have as many labels as its first one.
    if (into_.labels.empty()) {
      into_.labels.reserve(std::min(count * into_.events.capacity(), from_.left() / 4));
    }
    for (std::size_t i = 0; i < count && !from_.failed(); ++i) {
      into_.labels.push_back(read_label());
    }
  }

  label read_label() {
    const char* const head = from_.place();
    const std::uint64_t number = from_.number();
    label made;
    made.name = from_.text(number >> form_bits);
    switch (number & form_mask) {
      case null_form:
        break;
      case text_form:
        made.type = label::kind::text;
        made.text = from_.text();
        break;
      case number_form:
        made.type = label::kind::number;
        made.number = std::bit_cast<double>(from_.eight_bytes());
        break;
      case false_form:
      case true_form:
        made.type = label::kind::boolean;
        made.number = (number & form_mask) == true_form ? 1 : 0;
        break;
      default:
        from_.refuse(head, fmt::format("a label of kind {}", number & form_mask), "at most 4");
    }
    return made;
  }

  entry_reader& from_;
  event_batch& into_;
};

}  // namespace

void write_batch(const event_batch& batch, instant clock, std::string& into) {
  batch_writer{batch, clock, into}.write();
}

std::shared_ptr<event_batch> read_batch(entry_reader& from, instant clock) {
  auto batch = std::make_shared<event_batch>();
  batch_reader{from, *batch}.read(clock);
  return batch;
}

}  // namespace tocsin
