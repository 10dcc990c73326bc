// SPDX-License-Identifier: Apache-2.0
// Pages of the past: chosen by columns and words in SQL, by matchers on the alerts themselves.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "io/sqlite_store_columns.hpp"
#include "io/sqlite_store_queries.hpp"
#include "io/sqlite_store_text.hpp"
#include "tocsin/alert_labels.hpp"

namespace tocsin {
namespace {

/// Rows looked at in one go where matchers may refuse any number of them.
constexpr std::size_t batch_rows = 512;
/// Above this many alerts with the words, history is walked and each alert looked up among them,
/// instead of sorting them all.
constexpr std::int64_t sorted_max = 20'000;

/// Where a page ended: the next one begins behind it.
struct page_place {
  std::int64_t started_at = 0;
  std::string alert_id;  ///< 16 bytes
  std::int64_t row = 0;
};

std::string token_of(const page_place& place) {
  return fmt::format("{}.{}.{}", place.started_at, to_text(fingerprint_from_bytes(place.alert_id)),
                     place.row);
}

template <class Number>
bool parse_whole(std::string_view text, Number& into) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), into);
  return !text.empty() && failure == std::errc{} && end == text.data() + text.size();
}

std::optional<page_place> place_of(std::string_view token) {
  const std::size_t first = token.find('.');
  const std::size_t last = token.rfind('.');
  if (first == std::string_view::npos || last != first + 33) return std::nullopt;
  page_place place;
  const auto id = parse_fingerprint(token.substr(first + 1, 32));
  if (!id || !parse_whole(token.substr(0, first), place.started_at) ||
      !parse_whole(token.substr(last + 1), place.row))
    return std::nullopt;
  place.alert_id = fingerprint_bytes(*id);
  return place;
}

enum class by_text : std::uint8_t { no, few, many };

/// Row ids in the order of pages, behind `after` when there is one.
class row_finder {
 public:
  row_finder(sqlite_database& db, const history_query& query, by_text words)
      : db_(db), query_(query), words_(words) {
    for (const alert_state each : query.states) states_ |= 1 << static_cast<int>(each);
  }

  std::vector<page_place> next(const std::optional<page_place>& after, std::size_t limit) {
    sqlite_statement& rows = db_.prepared(sql(after.has_value()));
    rows.bind(1, static_cast<std::int64_t>(limit));
    if (query_.from) rows.bind(2, to_unix_ms(*query_.from));
    if (query_.until) rows.bind(3, to_unix_ms(*query_.until));
    if (!query_.rule.empty()) rows.bind_text(4, query_.rule);
    if (query_.severity) rows.bind(5, static_cast<std::int64_t>(*query_.severity));
    if (states_ != 0) rows.bind(6, states_);
    if (after) rows.bind(7, after->started_at).bind_blob(8, after->alert_id).bind(9, after->row);
    std::vector<page_place> found;
    while (rows.step())
      found.push_back({rows.integer(0), std::string{rows.bytes(1)}, rows.integer(2)});
    return found;
  }

 private:
  /// Only conditions that are asked for, so that SQLite's planner sees which index helps.
  [[nodiscard]] std::string sql(bool behind) const {
    std::string text = "SELECT a.started_at, a.alert_id, a.id FROM ";
    text += words_ == by_text::few ? "temp.chosen c CROSS JOIN alerts a ON a.id = c.alert WHERE 1"
                                   : "alerts a WHERE 1";
    if (words_ == by_text::many) text += " AND +a.id IN (SELECT alert FROM temp.chosen)";
    if (query_.from) text += " AND a.started_at >= ?2";
    if (query_.until) text += " AND a.started_at < ?3";
    if (!query_.rule.empty()) text += " AND a.rule = (SELECT id FROM rules WHERE name = ?4)";
    if (query_.severity) text += " AND a.severity = ?5";
    if (states_ != 0) text += " AND (1 << a.state) & ?6";
    if (query_.unacknowledged) text += " AND a.first_acknowledged_at IS NULL";
    if (behind) {
      text += " AND a.started_at <= ?7 AND (a.started_at < ?7 OR (a.alert_id, a.id) < (?8, ?9))";
    }
    return text + " ORDER BY a.started_at DESC, a.alert_id DESC, a.id DESC LIMIT ?1";
  }

  sqlite_database& db_;
  const history_query& query_;
  by_text words_;
  std::int64_t states_ = 0;
};

transition alert_in_row(sqlite_database& db, std::int64_t row) {
  sqlite_statement& asked = db.prepared(
      "SELECT coalesce(a.body, t.body) FROM alerts a LEFT JOIN transitions t ON "
      "t.seq = a.last_seq WHERE a.id = ?");
  if (!asked.bind(1, row).step()) return nullptr;
  auto body = alert_from_bytes(asked.bytes(0));
  asked.reset();
  if (!body) {
    db.fail(fmt::format("alert in row {}: {}", row, body.failure().message));
    return nullptr;
  }
  return std::make_shared<const alert>(std::move(*body));
}

/// Fills the page; a further alert that fits makes its token.
void fill(sqlite_database& db, const history_query& query, row_finder& rows,
          std::optional<page_place> after, history_page& page) {
  page_place last;
  for (;;) {
    const std::size_t wanted = query.limit + 1 - page.alerts.size();
    const std::size_t batch = query.matchers.empty() ? wanted : std::max(wanted, batch_rows);
    auto found = rows.next(after, batch);
    for (page_place& each : found) {
      const transition now = alert_in_row(db, each.row);
      if (now == nullptr) return;
      if (!matches(query.matchers, *now)) continue;
      if (page.alerts.size() == query.limit) {
        page.next = token_of(last);
        return;
      }
      page.alerts.push_back(now);
      last = each;
    }
    if (found.size() < batch) return;
    after = std::move(found.back());
  }
}

/// Whether the query can be answered; words only when it has a text.
std::optional<error> refusal_of(const history_query& query, const std::optional<page_place>& after,
                                const std::set<std::string>& words) {
  if (query.limit < 1 || query.limit > 10'000) {
    return error{"bad_query", fmt::format("limit is {}, not within 1 and 10,000", query.limit)};
  }
  if (!query.after.empty() && !after) {
    return error{"bad_query", fmt::format("\"{}\" is no token of a page before", query.after)};
  }
  if (words.size() > search_words_max) {
    return error{"bad_query", fmt::format("the text has {} different words, not at most {}",
                                          words.size(), search_words_max)};
  }
  return std::nullopt;
}

}  // namespace

result<history_page> read_history(sqlite_database& db, const history_query& query) {
  const auto after = place_of(query.after);
  const auto words = query.text.empty() ? std::set<std::string>{} : words_of(db, query.text);
  if (auto failure = db.take_failure()) return *failure;
  if (auto refused = refusal_of(query, after, words)) return *refused;
  sqlite_transaction one{db, sqlite_transaction::kind::read};
  by_text by = by_text::no;
  if (!words.empty()) by = choose_by_words(db, words) > sorted_max ? by_text::many : by_text::few;
  row_finder rows{db, query, by};
  history_page page;
  if (!db.failed()) fill(db, query, rows, after, page);
  if (auto failure = one.commit()) return *failure;
  return page;
}

}  // namespace tocsin
