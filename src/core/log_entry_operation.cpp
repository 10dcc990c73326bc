// SPDX-License-Identifier: Apache-2.0
// An operation's bytes: its kind and each of its fields.
#include <fmt/format.h>

#include <utility>

#include "core/log_entry_parts.hpp"
#include "core/state_bytes.hpp"

namespace tocsin {
namespace {

/// In the bytes for good, whatever the variant's order.
enum class kind : std::uint8_t {
  acknowledge = 1,
  unacknowledge = 2,
  close = 3,
  note = 4,
  assign = 5,
  post = 6,
  put_silence = 7,
  expire_silence = 8,
};

/// Flags before what may be missing.
constexpr std::uint8_t first_flag = 1;
constexpr std::uint8_t second_flag = 2;
constexpr std::uint8_t both_flags = 3;

constexpr std::size_t id_bytes = 16;
/// Operator and two texts.
constexpr std::size_t matcher_bytes_least = 3;
constexpr std::size_t range_bytes_least = 2;
/// Five counts and a text.
constexpr std::size_t interval_bytes_least = 6;
/// Two counts, flags and a text.
constexpr std::size_t posted_bytes_least = 4;

class operation_writer {
 public:
  operation_writer(instant clock, std::string& into) : to_(into), clock_(clock) {}

  void operator()(const acknowledge_alerts& of) {
    const auto& [which, by, note, until, replace] = of;
    begin(kind::acknowledge, which, by, note);
    put_flags(until.has_value(), replace);
    if (until) put(*until);
  }
  void operator()(const unacknowledge_alerts& of) {
    begin(kind::unacknowledge, of.which, of.by, of.note);
  }
  void operator()(const close_alerts& of) { begin(kind::close, of.which, of.by, of.note); }
  void operator()(const note_on_alerts& of) { begin(kind::note, of.which, of.by, of.note); }
  void operator()(const assign_alerts& of) {
    begin(kind::assign, of.which, of.by, of.note);
    put(of.to);
  }
  void operator()(const post_alerts& of) {
    to_.put(kind::post);
    put(of.by);
    to_.put_small(of.alerts.size());
    for (const posted_alert& each : of.alerts) {
      const auto& [labels, annotations, starts_at, ends_at, generator_url] = each;
      put(labels);
      put(annotations);
      put_flags(starts_at.has_value(), ends_at.has_value());
      if (starts_at) put(*starts_at);
      if (ends_at) put(*ends_at);
      put(generator_url);
    }
  }
  void operator()(const put_silence& of) {
    const auto& [id, matchers, starts_at, ends_at, updated_at, created_by, comment, scope, recurs] =
        of.wanted;
    to_.put(kind::put_silence);
    put(id);
    put(matchers);
    put(starts_at);
    put(ends_at);
    put(updated_at);
    put(created_by);
    put(comment);
    to_.put(scope);
    to_.put_small(recurs.size());
    for (const time_interval& each : recurs) put(each);
  }
  void operator()(const expire_silence& of) {
    to_.put(kind::expire_silence);
    put(of.id);
    put(of.by);
  }

 private:
  void begin(kind what, const alert_selector& which, std::string_view by, std::string_view note) {
    to_.put(what);
    to_.put_small(which.ids.size());
    for (const fingerprint& id : which.ids) to_.put(id);
    put(which.matchers);
    put(by);
    put(note);
  }
  void put_flags(bool first, bool second) {
    const unsigned flags = (first ? first_flag : 0U) | (second ? second_flag : 0U);
    to_.put(static_cast<std::uint8_t>(flags));
  }
  void put(std::string_view text) { to_.put_small_text(text); }
  void put(instant at) { to_.put_small(offset_of(at, clock_)); }
  void put(const label_matchers& all) {
    to_.put_small(all.size());
    for (const label_matcher& each : all) {
      to_.put(each.op());
      put(each.name());
      put(each.value());
    }
  }
  void put(const text_map& map) {
    to_.put_small(map.size());
    for (const auto& [name, text] : map) {
      put(name.view());
      put(text.view());
    }
  }
  void put(const time_interval& interval) {
    const auto& [times, weekdays, days_of_month, months, years, location] = interval;
    to_.put_small(times.size());
    for (const minute_range& each : times) put(each.start, each.end);
    for (const auto* ranges : {&weekdays, &days_of_month, &months, &years}) {
      to_.put_small(ranges->size());
      for (const calendar_range& each : *ranges) put(each.first, each.last);
    }
    put(location);
  }
  void put(int first, int last) {
    to_.put_small(zigzag_of(static_cast<std::uint64_t>(std::int64_t{first})));
    to_.put_small(zigzag_of(static_cast<std::uint64_t>(std::int64_t{last})));
  }

  state_writer to_;
  instant clock_;
};

class operation_reader {
 public:
  operation_reader(entry_reader& from, instant clock) : from_(from), clock_(clock) {}

  operation read() {
    const char* const at = from_.place();
    const std::uint8_t what = from_.byte();
    switch (static_cast<kind>(what)) {
      case kind::acknowledge:
        return acknowledge();
      case kind::unacknowledge:
        return of_alerts<unacknowledge_alerts>();
      case kind::close:
        return of_alerts<close_alerts>();
      case kind::note:
        return of_alerts<note_on_alerts>();
      case kind::assign: {
        auto made = of_alerts<assign_alerts>();
        made.to = text();
        return made;
      }
      case kind::post:
        return post();
      case kind::put_silence:
        return silence_put();
      case kind::expire_silence: {
        std::string id = text();
        return expire_silence{std::move(id), text()};
      }
    }
    from_.refuse(at, fmt::format("an operation of kind {}", what), "1 to 8");
    return {};
  }

 private:
  template <class Operation>
  Operation of_alerts() {
    Operation made;
    made.which = selector();
    made.by = text();
    made.note = text();
    return made;
  }
  acknowledge_alerts acknowledge() {
    auto made = of_alerts<acknowledge_alerts>();
    const std::uint8_t given = flags();
    if ((given & first_flag) != 0) made.until = time();
    made.replace = (given & second_flag) != 0;
    return made;
  }
  post_alerts post() {
    post_alerts made;
    made.by = text();
    const std::size_t count = from_.count(posted_bytes_least);
    for (std::size_t i = 0; i < count && !from_.failed(); ++i) {
      posted_alert& each = made.alerts.emplace_back();
      each.labels = texts();
      each.annotations = texts();
      const std::uint8_t given = flags();
      if ((given & first_flag) != 0) each.starts_at = time();
      if ((given & second_flag) != 0) each.ends_at = time();
      each.generator_url = from_.text();
    }
    return made;
  }
  put_silence silence_put() {
    put_silence made;
    silence& of = made.wanted;
    of.id = text();
    of.matchers = matchers();
    of.starts_at = time();
    of.ends_at = time();
    of.updated_at = time();
    of.created_by = text();
    of.comment = text();
    const char* const at = from_.place();
    const std::uint8_t scope = from_.byte();
    if (scope > static_cast<std::uint8_t>(silence_scope::events)) {
      from_.refuse(at, fmt::format("the scope {}", scope), "0 or 1");
      return made;
    }
    of.scope = static_cast<silence_scope>(scope);
    const std::size_t count = from_.count(interval_bytes_least);
    for (std::size_t i = 0; i < count && !from_.failed(); ++i) of.recurs.push_back(interval());
    return made;
  }

  std::string text() { return std::string{from_.text()}; }
  instant time() { return from_.time(clock_); }
  std::uint8_t flags() {
    const char* const at = from_.place();
    const std::uint8_t seen = from_.byte();
    if (seen > both_flags) from_.refuse(at, fmt::format("the flags {:#04x}", seen), "at most 0x03");
    return seen;
  }
  alert_selector selector() {
    alert_selector made;
    const std::size_t count = from_.count(id_bytes);
    made.ids.reserve(count);
    for (std::size_t i = 0; i < count; ++i) made.ids.push_back(from_.print());
    made.matchers = matchers();
    return made;
  }
  label_matchers matchers() {
    label_matchers made;
    const std::size_t count = from_.count(matcher_bytes_least);
    for (std::size_t i = 0; i < count && !from_.failed(); ++i) {
      const char* const at = from_.place();
      const std::uint8_t op = from_.byte();
      std::string name = text();
      std::string value = text();
      if (from_.failed()) break;
      if (op > static_cast<std::uint8_t>(matcher_operator::does_not_match)) {
        from_.refuse(at, fmt::format("the operator {} of a matcher", op), "0 to 3");
        break;
      }
      auto matcher =
          label_matcher::make(std::move(name), static_cast<matcher_operator>(op), std::move(value));
      if (!matcher) {
        from_.refuse(at, fmt::format("a matcher that is none ({})", matcher.failure().message),
                     "a name and a value that it can be made of");
        break;
      }
      made.push_back(std::move(*matcher));
    }
    return made;
  }
  text_map texts() {
    text_map made;
    const std::size_t count = from_.count(range_bytes_least);
    for (std::size_t i = 0; i < count && !from_.failed(); ++i) {
      const std::string_view name = from_.text();
      made.emplace_back(name, from_.text());
    }
    return made;
  }
  int calendar_number() {
    const char* const at = from_.place();
    const auto seen = static_cast<std::int64_t>(number_of_zigzag(from_.number()));
    if (seen != static_cast<int>(seen)) {
      from_.refuse(at, fmt::format("{}", seen), "a number of 32 bits");
      return 0;
    }
    return static_cast<int>(seen);
  }
  template <class Range>
  std::vector<Range> ranges() {
    std::vector<Range> made;
    const std::size_t count = from_.count(range_bytes_least);
    for (std::size_t i = 0; i < count && !from_.failed(); ++i) {
      const int first = calendar_number();
      made.push_back(Range{first, calendar_number()});
    }
    return made;
  }
  time_interval interval() {
    time_interval made;
    made.times = ranges<minute_range>();
    made.weekdays = ranges<calendar_range>();
    made.days_of_month = ranges<calendar_range>();
    made.months = ranges<calendar_range>();
    made.years = ranges<calendar_range>();
    made.location = text();
    return made;
  }

  entry_reader& from_;
  instant clock_;
};

}  // namespace

void write_operation(const operation& asked, instant clock, std::string& into) {
  std::visit(operation_writer{clock, into}, asked);
}

operation read_operation(entry_reader& from, instant clock) {
  return operation_reader{from, clock}.read();
}

}  // namespace tocsin
