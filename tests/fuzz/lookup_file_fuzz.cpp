// SPDX-License-Identifier: Apache-2.0
// Any text as a lookup table: CSV, and JSON.
#include <string>
#include <vector>

#include "fuzz/claim.hpp"
#include "io/csv_reader.hpp"
#include "io/lookup_file.hpp"

namespace {

using namespace tocsin;
using fuzzing::claim;
using records = std::vector<std::vector<std::string>>;

const lookup_spec& wanted() {
  static const lookup_spec made = [] {
    lookup_spec spec;
    spec.file = {"table.csv", 1, 1};
    spec.path = "table.csv";
    spec.on = {"resource_id", 1, 1};
    spec.key = {"id", 1, 1};
    spec.labels = {{{"team", 1, 1}, {"team", 1, 1}}, {{"room", 1, 1}, {"place", 1, 1}}};
    return spec;
  }();
  return made;
}

void try_table(const std::shared_ptr<const lookup_table>& table, const diagnostics& found) {
  claim((table != nullptr) != has_errors(found), "a table, or what is wrong");
  for (const diagnostic& each : found) claim(!each.message.empty(), "an error has a text");
}

/// The records before the text's end, or before where it is no CSV.
records read_all(std::string_view text, bool& right) {
  records all;
  csv_reader from{text};
  while (from.next()) all.push_back(from.fields());
  right = !from.failure();
  if (!right) claim(!from.failure()->empty() && from.line() > 0, "a failure has text and line");
  return all;
}

std::string written(const records& all) {
  std::string text;
  for (const auto& fields : all) {
    for (std::size_t i = 0; i < fields.size(); ++i) {
      text += i == 0 ? "\"" : ",\"";
      for (const char c : fields[i]) text += c == '"' ? std::string{"\"\""} : std::string{c};
      text += '"';
    }
    text += '\n';
  }
  return text;
}

void try_csv(const std::string& text) {
  bool right = false;
  const records all = read_all(text, right);
  bool right_again = false;
  claim(read_all(written(all), right_again) == all && right_again,
        "records that are written in quotes are read back", text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string text = fuzzing::input_of(bytes, size);
  diagnostics of_csv;
  try_table(parse_lookup_csv(text, wanted(), of_csv), of_csv);
  diagnostics of_json;
  try_table(parse_lookup_json(text, wanted(), of_json), of_json);
  try_csv(text);
  return 0;
}
