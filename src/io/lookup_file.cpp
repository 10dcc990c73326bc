// SPDX-License-Identifier: Apache-2.0
// Opens lookup files and reads CSV tables.
#include "io/lookup_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "io/csv_reader.hpp"
#include "io/lookup_rows.hpp"
#include "io/utf8.hpp"

namespace tocsin {
namespace {

file_stamp stamp_from(const struct stat& seen) {
  const auto nanoseconds = [](const timespec& at) {
    return std::int64_t{at.tv_sec} * 1'000'000'000 + at.tv_nsec;
  };
  return {seen.st_dev, seen.st_ino, static_cast<std::uint64_t>(seen.st_size),
          nanoseconds(seen.st_mtim), nanoseconds(seen.st_ctim)};
}

struct file_content {
  std::string bytes;
  file_stamp stamp;
};

/// An open file, closed at the end.
class open_file {
 public:
  // Without O_NONBLOCK, opening a FIFO would wait for its writer.
  explicit open_file(const std::string& path)
      : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~open_file() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

 private:
  int descriptor_;
};

result<file_content> read_content(const std::string& path) {
  const auto failed = [&path](std::string_view why) {
    return error{"unreadable_file", fmt::format("cannot read '{}': {}", path, why)};
  };
  const open_file file(path);
  struct stat seen {};
  if (file.descriptor() < 0 || ::fstat(file.descriptor(), &seen) != 0) {
    return failed(std::strerror(errno));
  }
  if (!S_ISREG(seen.st_mode)) return failed("it is not a plain file");
  file_content content{{}, stamp_from(seen)};
  if (content.stamp.bytes > lookup_file_bytes_max) {
    return failed(fmt::format("it is larger than {} MiB", lookup_file_bytes_max / 1024 / 1024));
  }
  content.bytes.resize(content.stamp.bytes);
  std::size_t have = 0;
  while (have < content.bytes.size()) {
    const auto got =
        ::read(file.descriptor(), content.bytes.data() + have, content.bytes.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed(std::strerror(errno));
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  const bool whole = have == content.bytes.size();
  if (!whole || ::fstat(file.descriptor(), &seen) != 0 || stamp_from(seen) != content.stamp) {
    return failed("it changed while it was read (write a new file and rename it into place)");
  }
  return content;
}

/// The first line that is no text, or 0.
int line_of_bad_bytes(std::string_view text) {
  if (valid_utf8(text) && text.find('\0') == std::string_view::npos) return 0;
  for (int line = 1;; ++line) {
    const auto end = text.find('\n');
    const std::string_view one = text.substr(0, end);
    const bool good = valid_utf8(one) && one.find('\0') == std::string_view::npos;
    if (!good || end == std::string_view::npos) return line;
    text.remove_prefix(end + 1);
  }
}

/// Where the key and the labels stand in a record.
struct csv_columns {
  std::size_t key = 0;
  std::vector<std::size_t> labels;
};

csv_columns find_columns(const csv_reader& header, const lookup_spec& wanted, lookup_rows& rows) {
  const std::vector<std::string>& names = header.fields();
  for (auto name = names.begin(); name != names.end(); ++name) {
    if (std::find(names.begin(), name, *name) != name) {
      rows.error(header.line(), fmt::format("two columns are named '{}'", printable(*name, 100)));
    }
  }
  const auto place = [&](const std::string& name) {
    const auto at = std::find(names.begin(), names.end(), name);
    if (at == names.end()) rows.report_missing(header.line(), name, names, "column");
    return static_cast<std::size_t>(at - names.begin());
  };
  csv_columns found;
  if (!wanted.key.text.empty()) found.key = place(wanted.key.text);
  for (const auto& [column, label] : wanted.labels) found.labels.push_back(place(column.text));
  return found;
}

}  // namespace

std::optional<file_stamp> stamp_of(const std::string& path) {
  struct stat seen {};
  if (::stat(path.c_str(), &seen) != 0) return std::nullopt;
  return stamp_from(seen);
}

loaded_lookup load_lookup(const lookup_request& wanted, diagnostics& found) {
  const lookup_spec& spec = wanted.spec;
  const auto content = read_content(spec.path);
  if (!content) {
    found.push_back({diagnostic::grade::error, wanted.settings_file, spec.file.line,
                     spec.file.column, "lookup: " + content.failure().message});
    return {};
  }
  loaded_lookup made{nullptr, content->stamp};
  if (const int line = line_of_bad_bytes(content->bytes); line != 0) {
    found.push_back({diagnostic::grade::error, spec.path, line, 0, "this line is not UTF-8 text"});
    return made;
  }
  made.table = spec.path.ends_with(".json") ? parse_lookup_json(content->bytes, spec, found)
                                            : parse_lookup_csv(content->bytes, spec, found);
  return made;
}

std::shared_ptr<const lookup_table> parse_lookup_csv(std::string_view text,
                                                     const lookup_spec& wanted,
                                                     diagnostics& found) {
  lookup_rows rows(wanted, found);
  csv_reader reader(text);
  if (!reader.next()) {
    rows.error(std::max(reader.line(), 1),
               reader.failure().value_or("the file is empty (its first line names the columns)"));
    return rows.finish();
  }
  const std::size_t width = reader.fields().size();
  const csv_columns columns = find_columns(reader, wanted, rows);
  const bool headed = rows.errors() == 0;
  std::vector<lookup_cell> cells(columns.labels.size());
  while (reader.next()) {
    const std::vector<std::string>& fields = reader.fields();
    if (fields.size() != width) {
      rows.error(reader.line(), fmt::format("a row of {} fields, but the first line names {}",
                                            fields.size(), width));
      continue;
    }
    if (!headed) continue;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string& field = fields[columns.labels[i]];
      cells[i] = {field.empty() ? label::kind::null : label::kind::text, field, 0};
    }
    if (!rows.add(reader.line(), fields[columns.key], cells)) break;
  }
  if (reader.failure()) rows.error(reader.line(), *reader.failure());
  return rows.finish();
}

}  // namespace tocsin
