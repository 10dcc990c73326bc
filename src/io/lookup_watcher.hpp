// SPDX-License-Identifier: Apache-2.0
// Keeps lookup tables as their files are: one thread looks at all of them and puts newer tables in.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tocsin/enrichment.hpp"
#include "tocsin/result.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

/// One table and what became of its file's contents so far.
struct lookup_status {
  std::string step;          ///< enrichment::name() of the step that looks things up in it
  std::string file;          ///< as written in the settings
  std::uint64_t rows = 0;    ///< of the table in use
  std::uint64_t loaded = 0;  ///< contents that became the table in use, the first one included
  std::uint64_t failed = 0;  ///< contents that were refused, or gone
  bool stale = false;        ///< the file is not what the table in use was read from
};

/// Said once for each content of a file that was tried after the start.
struct lookup_news {
  lookup_status now;
  diagnostics found;  ///< why the content was refused; empty: it is in use
};

/// A content is tried when the file has looked the same at two looks: one that is still being
/// written is left alone. A content that is refused leaves the table as it is and is not tried
/// again.
class lookup_watcher {
 public:
  using reporter = std::function<void(const lookup_news&)>;

  /// Loads the tables of `steps` for the first time. Null when one has an error: all are reported.
  [[nodiscard]] static std::shared_ptr<lookup_watcher> load(std::shared_ptr<const enrichment> steps,
                                                            diagnostics& found);
  ~lookup_watcher();  ///< stops
  lookup_watcher(const lookup_watcher&) = delete;
  lookup_watcher& operator=(const lookup_watcher&) = delete;

  /// Starts the thread, which looks each `interval` and calls `report`, which must not throw.
  /// Without tables there is none. To be called once at most.
  void watch(reporter report, duration interval = std::chrono::milliseconds{500});
  /// Ends the thread. Idempotent.
  void stop();
  /// One look at all files, as the thread takes it; not while that runs.
  void look(const reporter& report);

  /// In the order of the steps. From any thread.
  [[nodiscard]] std::vector<lookup_status> status() const;

 private:
  struct watched;
  explicit lookup_watcher(std::unique_ptr<watched> files);
  std::unique_ptr<watched> files_;
};

}  // namespace tocsin
