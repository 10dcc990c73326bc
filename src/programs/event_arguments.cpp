// SPDX-License-Identifier: Apache-2.0
// Makes an event of arguments.
#include "programs/event_arguments.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <random>

#include "io/event_encoder.hpp"
#include "programs/console.hpp"

namespace tocsin {

namespace {

result<instant> time_of(const std::string& text) {
  if (text.empty()) return std::chrono::floor<duration>(std::chrono::system_clock::now());
  long long unix_ms = 0;
  if (CLI::detail::lexical_cast(text, unix_ms)) return from_unix_ms(unix_ms);
  if (const auto parsed = parse_rfc3339(text)) return *parsed;
  return error{"bad_time", fmt::format("--time: seen \"{}\", wanted Unix milliseconds or RFC 3339 "
                                       "(2026-03-01T10:00:00Z)",
                                       text)};
}

result<std::optional<severity>> level_of(const std::string& text) {
  if (text.empty()) return std::optional<severity>{};
  if (const auto named = parse_severity(text)) return named;
  if (text.size() == 1 && text[0] >= '0' && text[0] <= '3') {
    return std::optional(static_cast<severity>(text[0] - '0'));
  }
  return error{"bad_level", fmt::format("--level: seen \"{}\", wanted critical, error, warning, "
                                        "info or 0 to 3",
                                        text)};
}

/// The labels as views into `texts`.
result<std::vector<label>> labels_of(const std::vector<std::string>& texts) {
  std::vector<label> labels;
  for (const std::string_view each : texts) {
    const auto equals = each.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      return error{"bad_label", fmt::format("--label: seen \"{}\", wanted NAME=VALUE", each)};
    }
    labels.push_back({each.substr(0, equals), each.substr(equals + 1), 0, label::kind::text});
  }
  return labels;
}

}  // namespace

std::string random_id() {
  std::random_device source;
  const auto word = [&] { return (std::uint64_t{source()} << 32U) | source(); };
  return fmt::format("{:016x}{:016x}", word(), word());
}

std::string user_at_host() {
  const auto* const entry = ::getpwuid(::geteuid());
  return fmt::format("{}@{}", entry != nullptr ? entry->pw_name : std::to_string(::geteuid()),
                     host_name());
}

event_decoder checking_decoder() {
  event_limits limits;
  limits.time_ahead_max = std::chrono::hours{24 * 365 * 10'000};
  return event_decoder(limits);
}

void event_arguments::add_to(CLI::App& command) {
  const auto add = [&](const char* name, auto& into, const char* help) {
    options_.push_back(command.add_option(name, into, help)->group("One event"));
    return options_.back();
  };
  add("--event-id", event_id_, "Default: random");
  add("--source", source_id_, "source_id; default: user@host");
  add("--resource", resource_id_, "resource_id");
  add("--resource-type", resource_type_, "resource_type");
  add("--resource-name", resource_name_, "resource_name");
  add("--item", item_, "What was measured or checked");
  add("--title", title_, "title");
  add("--description", description_, "description");
  add("--level", level_, "critical, error, warning or info, or an alias");
  add("--time", time_, "Unix ms or RFC 3339; default: now");
  add("--value", value_, "A number");
  add("--action", action_, "firing (default), resolved or closed")
      ->check(CLI::IsMember({"firing", "resolved", "closed"}));
  add("--label", labels_, "NAME=VALUE, may be given again")->allow_extra_args(false);
}

bool event_arguments::given() const {
  return std::any_of(options_.begin(), options_.end(),
                     [](const CLI::Option* each) { return each->count() > 0; });
}

result<std::string> event_arguments::encode() const {
  const auto time = time_of(time_);
  if (!time) return time.failure();
  const auto level = level_of(level_);
  if (!level) return level.failure();
  const auto labels = labels_of(labels_);
  if (!labels) return labels.failure();
  const auto id = event_id_.empty() ? random_id() : event_id_;
  const auto source = source_id_.empty() ? user_at_host() : source_id_;
  event of;
  const auto set = [&of](event_field field, const std::string& text) {
    if (!text.empty()) of.set_text(field, text);
  };
  set(event_field::event_id, id);
  set(event_field::source_id, source);
  set(event_field::resource_id, resource_id_);
  set(event_field::resource_type, resource_type_);
  set(event_field::resource_name, resource_name_);
  set(event_field::item, item_);
  set(event_field::title, title_);
  set(event_field::description, description_);
  of.time = *time;
  of.has_time = true;
  of.level = *level;
  if (value_) of.value = *value_;
  if (action_ == "resolved") of.action = event_action::resolved;
  if (action_ == "closed") of.action = event_action::closed;
  auto encoded = encode_event(of, *labels);
  event_batch checked;
  std::vector<rejection> refused;
  checking_decoder().decode(encoded, of.time, checked, refused);
  if (!refused.empty()) return error{refused[0].code, refused[0].message};
  return encoded;
}

}  // namespace tocsin
