// SPDX-License-Identifier: Apache-2.0
// Takes the alerts out of a body while it is read: no tree of values is built.
#include "io/alertmanager_api_post.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>

#include "io/alertmanager_api_formats.hpp"
#include "io/alertmanager_api_syntax.hpp"
#include "io/utf8.hpp"
#include "tocsin/text_cache.hpp"

namespace tocsin {

namespace {

using nlohmann::json;
namespace am = alertmanager;

/// Go prints the type that an alert which is no object should have been.
constexpr std::string_view item_type =
    R"(struct { Annotations models.LabelSet "json:\"annotations,omitempty\""; )"
    R"(EndsAt strfmt.DateTime "json:\"endsAt,omitempty\""; )"
    R"(StartsAt strfmt.DateTime "json:\"startsAt,omitempty\"" })";

enum class field : std::uint8_t { other, labels, annotations, starts_at, ends_at, generator_url };

field field_of(std::string_view key) {
  if (am::same_in_any_case(key, "labels")) return field::labels;
  if (am::same_in_any_case(key, "annotations")) return field::annotations;
  if (am::same_in_any_case(key, "startsAt")) return field::starts_at;
  if (am::same_in_any_case(key, "endsAt")) return field::ends_at;
  if (am::same_in_any_case(key, "generatorURL")) return field::generator_url;
  return field::other;
}

/// Where Go finds a value of the wrong type, and what it wants there.
std::string_view wanted_at(field at) {
  switch (at) {
    case field::labels:
      return "Go struct field Alert.labels of type models.LabelSet";
    case field::annotations:
      return "Go struct field .annotations of type models.LabelSet";
    case field::starts_at:
      return "Go struct field .startsAt of type string";
    case field::ends_at:
      return "Go struct field .endsAt of type string";
    default:
      return "Go struct field Alert.generatorURL of type string";
  }
}

/// By name, of one name the last, none with an empty value unless `keep_empty`.
void put_in_order(text_map& texts, bool keep_empty) {
  // Prometheus sends them in order.
  const auto out_of_order = [](const auto& left, const auto& right) {
    return left.first >= right.first;
  };
  const auto is_empty = [](const auto& each) { return each.second.empty(); };
  if (std::adjacent_find(texts.begin(), texts.end(), out_of_order) == texts.end() &&
      (keep_empty || std::none_of(texts.begin(), texts.end(), is_empty)))
    return;
  std::stable_sort(texts.begin(), texts.end(),
                   [](const auto& left, const auto& right) { return left.first < right.first; });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i + 1 < texts.size() && texts[i + 1].first == texts[i].first) continue;
    if (!keep_empty && texts[i].second.empty()) continue;
    if (kept != i) texts[kept] = std::move(texts[i]);
    ++kept;
  }
  texts.resize(kept);
}

body_refusal unreadable(std::string_view why) {
  return {400, 400, fmt::format("parsing alerts body from \"\" failed, because {}", why)};
}

/// Goes along with the parser. Types that do not fit are remembered, the first one: a body that is
/// no JSON at all says that instead.
class alerts_reader final : public nlohmann::json_sax<json> {
 public:
  posted_body take() && {
    if (!refused_ && missing_) refused_ = std::move(missing_);
    return {std::move(refused_), std::move(alerts_)};
  }

  bool null() override { return value("", nullptr); }
  bool boolean(bool) override { return value("bool", nullptr); }
  bool number_integer(number_integer_t) override { return value("number", nullptr); }
  bool number_unsigned(number_unsigned_t) override { return value("number", nullptr); }
  bool number_float(number_float_t, const string_t&) override { return value("number", nullptr); }
  bool string(string_t& text) override { return value("string", &text); }
  bool binary(binary_t&) override { return value("string", nullptr); }

  bool start_object(std::size_t) override { return open("object"); }
  bool start_array(std::size_t) override { return open("array"); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (skipped_ > 0) return true;
    if (place_ == place::alert) {
      field_ = field_of(name);
    } else {
      name_ = texts_seen_.share(std::string_view{name});
    }
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const json::exception&) override {
    return false;
  }

 private:
  enum class place : std::uint8_t { top, list, alert, texts };

  void refuse(std::string_view why) {
    if (!refused_) refused_ = unreadable(why);
  }
  void refuse_type(std::string_view kind, std::string_view wanted) {
    refuse(fmt::format("json: cannot unmarshal {} into {}", kind, wanted));
  }

  /// A value that is neither list nor object; `kind` "" for null, `text` with strings.
  bool value(std::string_view kind, std::string* text) {
    if (skipped_ > 0) return true;
    switch (place_) {
      case place::top:
        if (!kind.empty()) refuse_type(kind, "Go value of type models.PostableAlerts");
        break;
      case place::list:
        if (!kind.empty()) refuse_type(kind, "Go value of type " + std::string{item_type});
        begin_alert();
        end_alert();
        break;
      case place::alert:
        field_value(kind, text);
        break;
      case place::texts:
        if (!text && !kind.empty()) {
          refuse_type(kind, field_ == field::labels
                                ? "Go struct field Alert.labels of type string"
                                : "Go struct field .annotations of type string");
        }
        texts_->emplace_back(std::move(name_),
                             text ? texts_seen_.share(std::string_view{*text}) : shared_text{});
        break;
    }
    return true;
  }

  void field_value(std::string_view kind, std::string* text) {
    if (field_ == field::other || kind.empty()) return;
    posted_alert& made = alerts_.back();
    if (!text || field_ == field::labels || field_ == field::annotations) {
      refuse_type(kind, wanted_at(field_));
    } else if (field_ == field::generator_url) {
      made.generator_url = texts_seen_.share(std::string_view{*text});
    } else {
      const auto at = am::parse_time(*text);
      if (!at) {
        refuse(at.failure().message);
        return;
      }
      auto& kept = field_ == field::starts_at ? made.starts_at : made.ends_at;
      kept = am::is_zero_time(*at) ? std::nullopt : std::optional{*at};
    }
  }

  bool open(std::string_view kind) {
    const bool is_list = kind == "array";
    if (skipped_ > 0) {
      ++skipped_;
    } else if (place_ == place::top && is_list) {
      place_ = place::list;
    } else if (place_ == place::list && !is_list) {
      place_ = place::alert;
      begin_alert();
    } else if (place_ == place::alert && !is_list &&
               (field_ == field::labels || field_ == field::annotations)) {
      place_ = place::texts;
      has_labels_ |= field_ == field::labels;
      texts_ = field_ == field::labels ? &alerts_.back().labels : &alerts_.back().annotations;
    } else {
      refuse_container(kind);
      skipped_ = 1;
    }
    return true;
  }

  void refuse_container(std::string_view kind) {
    if (place_ == place::top) {
      refuse_type(kind, "Go value of type models.PostableAlerts");
    } else if (place_ == place::list) {
      refuse_type(kind, "Go value of type " + std::string{item_type});
    } else if (place_ == place::texts) {
      refuse_type(kind, field_ == field::labels ? "Go struct field Alert.labels of type string"
                                                : "Go struct field .annotations of type string");
    } else if (field_ != field::other) {
      refuse_type(kind, wanted_at(field_));
    }
  }

  bool close() {
    if (skipped_ > 0) {
      --skipped_;
    } else if (place_ == place::texts) {
      place_ = place::alert;
    } else if (place_ == place::alert) {
      end_alert();
      place_ = place::list;
    } else {
      place_ = place::top;
    }
    return true;
  }

  void begin_alert() {
    alerts_.emplace_back();
    has_labels_ = false;
  }

  /// What must be there is looked for only when all could be read.
  void end_alert() {
    posted_alert& made = alerts_.back();
    put_in_order(made.labels, false);
    put_in_order(made.annotations, true);
    if (missing_) return;
    const auto index = alerts_.size() - 1;
    if (!made.generator_url.empty() && !am::is_request_uri(made.generator_url)) {
      missing_ = body_refusal{422, 601,
                              fmt::format("{}.generatorURL in body must be of type uri: {}", index,
                                          am::go_quoted(made.generator_url))};
    } else if (!has_labels_) {
      missing_ = body_refusal{422, 602, fmt::format("{}.labels in body is required", index)};
    }
  }

  place place_ = place::top;
  field field_ = field::other;
  int skipped_ = 0;  ///< depth inside a value that nobody wants
  bool has_labels_ = false;
  shared_text name_;
  text_cache texts_seen_{1024};  ///< most of what one body says it says of many alerts
  text_map* texts_ = nullptr;
  std::vector<posted_alert> alerts_;
  std::optional<body_refusal> refused_;
  std::optional<body_refusal> missing_;
};

std::optional<std::string> bad_name(const text_map& texts) {
  for (const auto& [name, value] : texts) {
    if (!am::is_label_name(name)) return "invalid name " + am::go_quoted(name);
  }
  return std::nullopt;
}

}  // namespace

posted_body read_posted_alerts(std::string_view body) {
  if (body.find_first_not_of(" \t\r\n") == std::string_view::npos)
    return {body_refusal{422, 602, "alerts in body is required"}, {}};
  std::string repaired;
  if (!valid_utf8(body)) {
    repaired = am::with_valid_utf8(body);
    body = repaired;
  }
  alerts_reader reader;
  if (json::sax_parse(body, &reader, json::input_format_t::json, false))
    return std::move(reader).take();
  if (const auto wrong = am::json_syntax_error(body); !wrong.empty())
    return {unreadable(wrong), {}};
  // What Go takes and this parser does not.
  alerts_reader again;
  repaired = am::with_paired_surrogates(body);
  if (json::sax_parse(repaired, &again, json::input_format_t::json, false))
    return std::move(again).take();
  return {unreadable("a number in it is too large"), {}};
}

std::optional<std::string> refuse_posted(const posted_alert& posted, instant ends_by_default) {
  const auto ends_at = posted.ends_at.value_or(ends_by_default);
  if (posted.starts_at && *posted.starts_at > ends_at) return "start time must be before end time";
  if (const auto wrong = bad_name(posted.labels)) return "invalid label set: " + *wrong;
  if (posted.labels.empty()) return "at least one label pair required";
  if (const auto wrong = bad_name(posted.annotations)) return "invalid annotations: " + *wrong;
  return std::nullopt;
}

}  // namespace tocsin
