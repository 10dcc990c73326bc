// SPDX-License-Identifier: Apache-2.0
// Indexes the texts of alerts with FTS5, behind the transitions, and searches index and rest.
#include "io/sqlite_store_text.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "tocsin/alert_labels.hpp"

namespace tocsin {
namespace {

/// The code point that begins at `at` in UTF-8, and its length; for broken bytes themselves and 1.
std::pair<char32_t, std::size_t> code_point(std::string_view text, std::size_t at) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const std::size_t length = byte(0) < 0x80   ? 1
                             : byte(0) < 0xc0 ? 1
                             : byte(0) < 0xe0 ? 2
                             : byte(0) < 0xf0 ? 3
                                              : 4;
  if (length == 1 || at + length > text.size()) return {byte(0), 1};
  char32_t point = byte(0) & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) point = point << 6U | (byte(i) & 0x3fU);
  return {point, length};
}

bool is_word_by_itself(char32_t point) noexcept {
  return (point >= 0x3041 && point <= 0x30ff) || (point >= 0x3400 && point <= 0x4dbf) ||
         (point >= 0x4e00 && point <= 0x9fff) || (point >= 0xf900 && point <= 0xfaff) ||
         (point >= 0x20000 && point <= 0x3ffff);
}

/// Scripts without spaces between words get them between characters. SQLite's tokenizer would take
/// a whole sentence for one word.
std::string spaced(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto [point, length] = code_point(text, at);
    const bool alone = is_word_by_itself(point);
    if (alone) out += ' ';
    out += text.substr(at, length);
    if (alone) out += ' ';
    at += length;
  }
  return out;
}

/// FTS5's own tokenizer, with the options of the table full_text, so that what is not in the index
/// yet is cut into the same words.
class word_splitter {
 public:
  explicit word_splitter(sqlite_database& db) {
    fts5_api* api = nullptr;
    sqlite3_stmt* asked = nullptr;
    if (sqlite3_prepare_v2(db.handle(), "SELECT fts5(?1)", -1, &asked, nullptr) == SQLITE_OK) {
      sqlite3_bind_pointer(asked, 1, static_cast<void*>(&api), "fts5_api_ptr", nullptr);
      sqlite3_step(asked);
    }
    sqlite3_finalize(asked);
    void* context = nullptr;
    const char* options[] = {"remove_diacritics", "2"};
    if (api == nullptr || api->xFindTokenizer(api, "unicode61", &context, &calls_) != SQLITE_OK ||
        calls_.xCreate(context, options, 2, &made_) != SQLITE_OK)
      db.fail("SQLite has no full-text search (FTS5) with the tokenizer unicode61");
  }
  ~word_splitter() {
    if (made_ != nullptr) calls_.xDelete(made_);
  }
  word_splitter(const word_splitter&) = delete;
  word_splitter& operator=(const word_splitter&) = delete;

  /// Adds the words of a text that is spaced().
  void split(std::string_view text, std::set<std::string>& into) {
    if (made_ == nullptr) return;
    calls_.xTokenize(made_, &into, FTS5_TOKENIZE_DOCUMENT, text.data(),
                     static_cast<int>(text.size()),
                     [](void* words, int, const char* word, int length, int, int) {
                       static_cast<std::set<std::string>*>(words)->emplace(
                           word, static_cast<std::size_t>(length));
                       return SQLITE_OK;
                     });
  }

 private:
  fts5_tokenizer calls_{};
  Fts5Tokenizer* made_ = nullptr;
};

/// Alerts whose words in the index are not those they have now.
struct unindexed {
  std::map<std::int64_t, std::string> notes;  ///< alert -> its notes that are not indexed, spaced
  std::int64_t through = 0;                   ///< the last transition looked at
  bool more = false;
};

unindexed read_unindexed(sqlite_database& db, std::int64_t limit) {
  unindexed found;
  found.through = db.integer("SELECT indexed_seq FROM store").value_or(0);
  sqlite_statement& transitions =
      db.prepared("SELECT seq, alert, body FROM transitions WHERE seq > ? ORDER BY seq LIMIT ?");
  transitions.bind(1, found.through).bind(2, limit);
  std::int64_t count = 0;
  while (transitions.step()) {
    ++count;
    found.through = transitions.integer(0);
    std::string& notes = found.notes[transitions.integer(1)];
    const auto body = alert_from_bytes(transitions.bytes(2));
    if (!body) {
      db.fail(fmt::format("transition {}: {}", found.through, body.failure().message));
    } else if (!body->note.empty()) {
      notes += spaced(body->note);
      notes += '\n';
    }
  }
  sqlite_statement& changed = db.prepared("SELECT alert FROM text_changes ORDER BY alert LIMIT ?");
  changed.bind(1, limit);
  std::int64_t changes = 0;
  while (changed.step()) {
    ++changes;
    found.notes.try_emplace(changed.integer(0));
  }
  found.more = count == limit || changes == limit;
  return found;
}

struct document {
  std::string texts;
  std::string notes;
  bool indexed = false;  ///< the index has it, perhaps with other words
  bool changed = true;   ///< differs from what the index has
};

/// What the index has to say of an alert; nothing when it is gone.
std::optional<document> document_of(sqlite_database& db, std::int64_t alert,
                                    const std::string& new_notes) {
  sqlite_statement& now = db.prepared(
      "SELECT coalesce(a.body, t.body) FROM alerts a LEFT JOIN transitions t ON "
      "t.seq = a.last_seq WHERE a.id = ?");
  if (!now.bind(1, alert).step()) return std::nullopt;
  const auto body = alert_from_bytes(now.bytes(0));
  now.reset();
  if (!body) {
    db.fail(fmt::format("alert in row {}: {}", alert, body.failure().message));
    return std::nullopt;
  }
  document made;
  made.texts = spaced(searched_texts(*body));
  sqlite_statement& held = db.prepared("SELECT texts, notes FROM full_text WHERE rowid = ?");
  if (held.bind(1, alert).step()) {
    made.indexed = true;
    made.notes = std::string{held.bytes(1)};
    made.changed = !new_notes.empty() || held.bytes(0) != made.texts;
  }
  held.reset();
  made.notes += new_notes;
  return made;
}

void put(sqlite_database& db, std::int64_t alert, const document& text) {
  if (!text.changed) return;
  db.prepared(text.indexed ? "UPDATE full_text SET texts = ?2, notes = ?3 WHERE rowid = ?1"
                           : "INSERT INTO full_text (rowid, texts, notes) VALUES (?1, ?2, ?3)")
      .bind(1, alert)
      .bind_text(2, text.texts)
      .bind_text(3, text.notes)
      .run();
}

bool has_all(const std::set<std::string>& seen, const std::set<std::string>& wanted) {
  return std::includes(seen.begin(), seen.end(), wanted.begin(), wanted.end());
}

}  // namespace

std::set<std::string> words_of(sqlite_database& db, std::string_view text) {
  std::set<std::string> words;
  word_splitter{db}.split(spaced(text), words);
  return words;
}

std::string searched_texts(const alert& of) {
  std::string all;
  const auto add = [&](std::string_view text) {
    if (text.empty()) return;
    all += text;
    all += '\n';
  };
  if (of.texts != nullptr) {
    add(of.texts->title);
    add(of.texts->description);
  }
  for (const auto& [name, value] : alert_labels(of)) {
    add(name);
    add(value);
  }
  if (of.texts == nullptr) return all;
  // Labels are not the resource: a label of that name may hide it.
  for (const auto& [name, value] :
       {std::pair{"resource_id", &of.texts->resource_id},
        std::pair{"resource_type", &of.texts->resource_type},
        std::pair{"resource_name", &of.texts->resource_name}, std::pair{"item", &of.texts->item}}) {
    if (alert_label(of, name) != *value) add(*value);
  }
  return all;
}

result<bool> index_texts(sqlite_database& db, std::int64_t limit) {
  sqlite_transaction all{db, sqlite_transaction::kind::write};
  const unindexed rest = read_unindexed(db, limit);
  for (const auto& [alert, notes] : rest.notes) {
    if (db.failed()) break;
    if (const auto text = document_of(db, alert, notes)) put(db, alert, *text);
    db.prepared("DELETE FROM text_changes WHERE alert = ?").bind(1, alert).run();
  }
  if (!rest.notes.empty())
    db.prepared("UPDATE store SET indexed_seq = ?").bind(1, rest.through).run();
  if (auto failure = all.commit()) return *failure;
  return rest.more;
}

std::int64_t choose_by_words(sqlite_database& db, const std::set<std::string>& words) {
  db.execute("CREATE TABLE IF NOT EXISTS temp.chosen (alert INTEGER PRIMARY KEY)");
  db.execute("DELETE FROM temp.chosen");
  std::string query;
  for (const std::string& each : words) query += fmt::format("\"{}\" ", each);
  db.prepared("INSERT INTO temp.chosen SELECT rowid FROM full_text WHERE full_text MATCH ?")
      .bind_text(1, query)
      .run();
  word_splitter splitter{db};
  for (const auto& [alert, notes] :
       read_unindexed(db, std::numeric_limits<std::int64_t>::max()).notes) {
    if (db.failed()) break;
    const auto text = document_of(db, alert, notes);
    std::set<std::string> seen;
    if (text) {
      splitter.split(text->texts, seen);
      splitter.split(text->notes, seen);
    }
    db.prepared(has_all(seen, words) ? "INSERT OR IGNORE INTO temp.chosen VALUES (?)"
                                     : "DELETE FROM temp.chosen WHERE alert = ?")
        .bind(1, alert)
        .run();
  }
  return db.integer("SELECT count(*) FROM temp.chosen").value_or(0);
}

}  // namespace tocsin
