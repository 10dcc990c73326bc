// SPDX-License-Identifier: Apache-2.0
// Lookup tables from CSV and JSON: what is read, and every error with file and line.
#include "io/lookup_file.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "support/diagnostics_text.hpp"
#include "tocsin/expression.hpp"

namespace tocsin {
namespace {

lookup_spec wanted(const std::string& path, const std::string& key,
                   const std::vector<std::string>& columns) {
  lookup_spec spec;
  spec.file = {path, 7, 12};
  spec.path = path;
  spec.on.text = "resource_id";
  spec.key.text = key;
  for (const std::string& each : columns) spec.labels.push_back({{each, 0, 0}, {each, 0, 0}});
  return spec;
}

using testing::texts;

/// "x|7|true|-" of a row, or "no row".
std::string row_of(const std::shared_ptr<const lookup_table>& table, std::string_view key) {
  const auto row = table->find(key);
  if (!row) return "no row";
  std::string all;
  for (std::size_t column = 0; column < table->columns(); ++column) {
    const lookup_cell cell = table->at(*row, column);
    std::string text = "-";
    if (cell.type == label::kind::text) text = "'" + std::string(cell.text) + "'";
    if (cell.type == label::kind::number) text = value::of(cell.number).to_text();
    if (cell.type == label::kind::boolean) text = cell.number != 0 ? "true" : "false";
    all += (column == 0 ? "" : "|") + text;
  }
  return all;
}

std::shared_ptr<const lookup_table> csv(std::string_view text, const lookup_spec& spec) {
  diagnostics found;
  auto table = parse_lookup_csv(text, spec, found);
  EXPECT_TRUE(found.empty()) << texts(found);
  return table;
}
std::shared_ptr<const lookup_table> json(std::string_view text, const lookup_spec& spec) {
  diagnostics found;
  auto table = parse_lookup_json(text, spec, found);
  EXPECT_TRUE(found.empty()) << texts(found);
  return table;
}
std::string csv_errors(std::string_view text, const lookup_spec& spec) {
  diagnostics found;
  EXPECT_EQ(parse_lookup_csv(text, spec, found), nullptr);
  return texts(found);
}
std::string json_errors(std::string_view text, const lookup_spec& spec) {
  diagnostics found;
  EXPECT_EQ(parse_lookup_json(text, spec, found), nullptr);
  return texts(found);
}

TEST(lookup_file, csv_columns_are_found_by_the_names_in_the_first_line) {
  const auto table = csv("rack,host,owner\n12,web-1,ann\n,db-1,\"bob, jr\"\n",
                         wanted("h.csv", "host", {"owner", "rack"}));
  ASSERT_TRUE(table);
  EXPECT_EQ(table->rows(), 2U);
  EXPECT_EQ(row_of(table, "web-1"), "'ann'|'12'");
  EXPECT_EQ(row_of(table, "db-1"), "'bob, jr'|-") << "an empty field is no value";
  EXPECT_EQ(row_of(table, "12"), "no row");
}

TEST(lookup_file, the_first_csv_column_is_the_key_where_none_is_named) {
  const auto table = csv("host,owner\nweb-1,ann\n", wanted("h.csv", "", {"owner", "host"}));
  ASSERT_TRUE(table);
  EXPECT_EQ(row_of(table, "web-1"), "'ann'|'web-1'") << "the key can be a label too";
}

TEST(lookup_file, a_table_may_have_no_row) {
  const auto table = csv("host,owner\n", wanted("h.csv", "", {"owner"}));
  ASSERT_TRUE(table);
  EXPECT_EQ(table->rows(), 0U);
}

TEST(lookup_file, csv_errors_name_file_and_line_all_at_once) {
  EXPECT_EQ(csv_errors("host,owner,owner\na,b,c\nd,e\n", wanted("h.csv", "hst", {"onwer"})),
            "h.csv:1: error: two columns are named 'owner'\n"
            "h.csv:1: error: no column 'hst' (did you mean 'host'?)\n"
            "h.csv:1: error: no column 'onwer' (did you mean 'owner'?)\n"
            "h.csv:3: error: a row of 2 fields, but the first line names 3\n");
  EXPECT_EQ(csv_errors("host,owner\na,1\nb,2\n\na,3\n,4\na,5\n", wanted("h.csv", "", {"owner"})),
            "h.csv:6: error: the key is empty\n"
            "h.csv:5: error: the key is one that the row at line 2 has already\n"
            "h.csv:7: error: the key is one that the row at line 2 has already\n");
  EXPECT_EQ(csv_errors("", wanted("h.csv", "", {"owner"})),
            "h.csv:1: error: the file is empty (its first line names the columns)\n");
  EXPECT_NE(csv_errors("host,owner\na,\"b\n", wanted("h.csv", "", {"owner"}))
                .find("h.csv:2: error: a quote that is not closed"),
            std::string::npos);
  EXPECT_EQ(csv_errors("x,y\n", wanted("h.csv", "", {"owner"})),
            "h.csv:1: error: no column 'owner' (there are: x, y)\n");
}

TEST(lookup_file, many_errors_are_counted_not_listed) {
  std::string text = "host,owner\n";
  for (int i = 0; i < 50; ++i) text += "x\n";
  diagnostics found;
  EXPECT_EQ(parse_lookup_csv(text, wanted("h.csv", "", {"owner"}), found), nullptr);
  ASSERT_EQ(found.size(), 21U);
  EXPECT_EQ(found.back().text(), "h.csv: error: and 30 more errors");
}

TEST(lookup_file, rows_are_bounded) {
  std::string text = "host,owner\n";
  for (std::size_t i = 0; i <= lookup_rows_max; ++i) text += std::to_string(i) + ",x\n";
  EXPECT_EQ(csv_errors(text, wanted("h.csv", "", {"owner"})),
            "h.csv:1000002: error: more than 1000000 rows\n");
}

TEST(lookup_file, json_may_be_an_object_of_objects) {
  const auto table = json(R"({"web-1": {"owner": "ann", "rack": 12, "live": true, "ip": ["::1"]},
                              "db-1": {"owner": null, "live": false, "deep": {"owner": "no"}}})",
                          wanted("h.json", "", {"owner", "rack", "live"}));
  ASSERT_TRUE(table);
  EXPECT_EQ(row_of(table, "web-1"), "'ann'|12|true");
  EXPECT_EQ(row_of(table, "db-1"), "-|-|false");
}

TEST(lookup_file, json_may_be_a_list_of_objects_with_a_key_in_each) {
  const auto table = json(R"([{"id": 42, "owner": "ann"}, {"owner": "", "id": "x-\u00e9"},
                              {"id": 12345678901234567890, "owner": "big"}])",
                          wanted("h.json", "id", {"owner", "id"}));
  ASSERT_TRUE(table);
  EXPECT_EQ(row_of(table, "42"), "'ann'|42") << "a number is found by its text";
  EXPECT_EQ(row_of(table, "x-\xc3\xa9"), "''|'x-\xc3\xa9'") << "an empty text is a value";
  EXPECT_EQ(row_of(table, "12345678901234567890").substr(0, 5), "'big'");
}

TEST(lookup_file, a_json_object_of_objects_may_have_its_key_inside) {
  const auto table =
      json(R"({"one": {"host": "web-1", "owner": "ann"}})", wanted("h.json", "host", {"owner"}));
  ASSERT_TRUE(table);
  EXPECT_EQ(row_of(table, "web-1"), "'ann'");
  EXPECT_EQ(row_of(table, "one"), "no row");
}

TEST(lookup_file, json_errors_name_file_and_line) {
  const auto spec = wanted("h.json", "host", {"owner"});
  EXPECT_EQ(json_errors("[\n{\"host\": \"a\", \"owner\": 1},\n{\"owner\": 2},\n\n"
                        "{\"host\": \"a\", \"owner\": 3}]",
                        spec),
            "h.json:3: error: this row has no member 'host', which is to be its key\n"
            "h.json:5: error: the key is one that the row at line 2 has already\n");
  EXPECT_EQ(
      json_errors("[{\"host\": \"a\", \"owner\": [1]},\n{\"host\": \"b\", \"owner\": {}}]", spec),
      "h.json:1: error: 'owner' is a list or an object (wanted a text, a number, true or "
      "false)\n"
      "h.json:2: error: 'owner' is a list or an object (wanted a text, a number, true or "
      "false)\n");
  EXPECT_EQ(json_errors("[{\"host\": \"a\",\n \"host\": \"b\", \"owner\": 1}]", spec),
            "h.json:2: error: this row has the member 'host' twice\n");
  EXPECT_EQ(json_errors("[{\"host\": \"a\", \"ownr\": 1}]", spec),
            "h.json: error: no row has the member 'owner' (did you mean 'ownr'?)\n");
  EXPECT_EQ(json_errors("[\n1]", spec),
            "h.json:2: error: a single value in the place of a row (wanted an object)\n");
  EXPECT_EQ(json_errors("[[]]", spec),
            "h.json:1: error: a list in the place of a row (wanted an object)\n");
  EXPECT_EQ(json_errors("3", spec),
            "h.json:1: error: a single value (wanted a list of objects or an object of objects)\n");
  EXPECT_EQ(json_errors("[]", wanted("h.json", "", {"owner"})),
            "h.json:1: error: a list of objects: which member is the key? (lookup: key: MEMBER)\n");
  EXPECT_EQ(json_errors("{\"a\": {\"owner\": 1},\n\"a\": {\"owner\": 2}}",
                        wanted("h.json", "", {"owner"})),
            "h.json:2: error: the key is one that the row at line 1 has already\n");
  for (const char* broken : {"", "[{\"host\": \"a\"}", "[{]", "[]]", "nope"}) {
    EXPECT_EQ(json_errors(broken, spec).substr(0, 26), "h.json:1: error: not JSON:") << broken;
  }
}

/// A folder of its own.
class lookup_loading : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "tocsin-lookup-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  loaded_lookup load(const std::string& name) {
    found_.clear();
    return load_lookup({"1-lookup", "t.yaml", wanted(folder_ / name, "", {"owner"}), nullptr},
                       found_);
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }

  std::filesystem::path folder_;
  diagnostics found_;
};

TEST_F(lookup_loading, the_name_tells_the_format) {
  write("h.csv", "host,owner\na,ann\n");
  write("h.json", R"({"a": {"owner": "bob"}})");
  const auto from_csv = load("h.csv");
  const auto from_json = load("h.json");
  ASSERT_TRUE(from_csv.table && from_json.table) << texts(found_);
  EXPECT_EQ(row_of(from_csv.table, "a"), "'ann'");
  EXPECT_EQ(row_of(from_json.table, "a"), "'bob'");
  EXPECT_EQ(from_csv.stamp, stamp_of(folder_ / "h.csv"));
  EXPECT_NE(from_csv.stamp, from_json.stamp);
}

TEST_F(lookup_loading, a_file_that_cannot_be_read_is_an_error_where_the_settings_name_it) {
  EXPECT_EQ(load("none.csv").table, nullptr);
  EXPECT_EQ(texts(found_), "t.yaml:7:12: error: lookup: cannot read '" +
                               (folder_ / "none.csv").string() + "': No such file or directory\n");
  std::filesystem::create_directory(folder_ / "d.csv");
  EXPECT_EQ(load("d.csv").table, nullptr);
  EXPECT_NE(texts(found_).find("not a plain file"), std::string::npos);
  ASSERT_EQ(::mkfifo((folder_ / "f.csv").c_str(), 0600), 0);
  EXPECT_EQ(load("f.csv").table, nullptr) << "and nobody waits for a writer";
  write("big.csv", "");
  std::filesystem::resize_file(folder_ / "big.csv", lookup_file_bytes_max + 1);
  EXPECT_EQ(load("big.csv").table, nullptr);
  EXPECT_NE(texts(found_).find("larger than 64 MiB"), std::string::npos);
}

TEST_F(lookup_loading, bytes_that_are_no_text_are_errors_with_their_line) {
  write("h.csv", "host,owner\na,ann\nb,\xff\n");
  EXPECT_EQ(load("h.csv").table, nullptr);
  EXPECT_EQ(texts(found_),
            (folder_ / "h.csv").string() + ":3: error: this line is not UTF-8 text\n");
  write("h.json", std::string("{}\n\0", 4));
  EXPECT_EQ(load("h.json").table, nullptr);
  EXPECT_NE(texts(found_).find(":2: error: this line is not"), std::string::npos);
}

}  // namespace
}  // namespace tocsin
