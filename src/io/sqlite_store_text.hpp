// SPDX-License-Identifier: Apache-2.0
// Full text of alerts: which words an alert has, and which alerts have all of some words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "io/sqlite_database.hpp"
#include "tocsin/alert.hpp"
#include "tocsin/result.hpp"

namespace tocsin {

/// The words of a text, as the index has them: runs of letters and digits, without case and
/// accents; each ideograph and kana is a word of its own.
[[nodiscard]] std::set<std::string> words_of(sqlite_database& db, std::string_view text);

/// What of an alert is searched beside its notes: title, description, the names and values of its
/// labels, its resource.
[[nodiscard]] std::string searched_texts(const alert& of);

/// At most this many different words in one search.
inline constexpr std::size_t search_words_max = 64;

/// Puts the next up to `limit` transitions and changed texts into the index, in one transaction.
/// True: there are more.
[[nodiscard]] result<bool> index_texts(sqlite_database& db, std::int64_t limit);

/// Fills the connection's table temp.chosen with the row ids of all alerts that have all the words
/// in their texts and notes; also of those that the index does not have yet: they are read. To be
/// called within a transaction. How many there are; what fails sticks to the connection.
[[nodiscard]] std::int64_t choose_by_words(sqlite_database& db, const std::set<std::string>& words);

}  // namespace tocsin
