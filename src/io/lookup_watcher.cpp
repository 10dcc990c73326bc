// SPDX-License-Identifier: Apache-2.0
// Compares files with what was read from them, by their stamps, and reads what differs.
#include "io/lookup_watcher.hpp"

#include <fmt/format.h>

#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "io/lookup_file.hpp"

namespace tocsin {
namespace {

/// What a look saw of a file.
struct sight {
  std::optional<file_stamp> stamp;  ///< nothing: there is no file
  friend bool operator==(const sight&, const sight&) = default;
};

struct watched_file {
  sight tried;                    ///< what the last attempt read
  std::optional<sight> changing;  ///< seen once, and not what was tried
};

/// As load_lookup; running out of memory is an error too, for the table in use can serve on.
loaded_lookup try_to_load(const lookup_request& wanted, diagnostics& found) {
  try {
    return load_lookup(wanted, found);
  } catch (const std::exception& failure) {
    found.push_back({diagnostic::grade::error, wanted.spec.path, 0, 0,
                     fmt::format("cannot be loaded: {}", failure.what())});
    return {};
  }
}

}  // namespace

struct lookup_watcher::watched {
  explicit watched(std::shared_ptr<const enrichment> given) : steps(std::move(given)) {
    files.resize(steps->lookups().size());
    for (const lookup_request& each : steps->lookups()) {
      statuses.push_back({.step = each.step, .file = each.spec.file.text});
    }
  }

  /// Whether the content is in use now.
  bool load(std::size_t index, diagnostics& found) {
    const lookup_request& wanted = steps->lookups()[index];
    loaded_lookup content = try_to_load(wanted, found);
    files[index].tried = {content.stamp};
    const bool good = content.table != nullptr;
    const std::scoped_lock lock(mutex);
    lookup_status& status = statuses[index];
    status.stale = !good;
    ++(good ? status.loaded : status.failed);
    if (good) {
      status.rows = content.table->rows();
      wanted.slot->put(std::move(content.table));
    }
    return good;
  }

  void look(std::size_t index, const reporter& report) {
    watched_file& file = files[index];
    const sight now{stamp_of(steps->lookups()[index].spec.path)};
    if (now == file.tried) {
      file.changing.reset();
    } else if (file.changing != now) {
      file.changing = now;
    } else {
      lookup_news news;
      load(index, news.found);
      // What could not be opened, or changed meanwhile, was looked at all the same.
      if (!file.tried.stamp) file.tried = now;
      file.changing.reset();
      {
        const std::scoped_lock lock(mutex);
        news.now = statuses[index];
      }
      report(news);
    }
  }

  void run(const reporter& report, duration interval) {
    std::unique_lock lock(mutex);
    while (!wake.wait_for(lock, interval, [this] { return stopping; })) {
      lock.unlock();
      for (std::size_t i = 0; i < files.size(); ++i) look(i, report);
      lock.lock();
    }
  }

  std::shared_ptr<const enrichment> steps;
  std::vector<watched_file> files;  ///< of the thread
  mutable std::mutex mutex;
  std::vector<lookup_status> statuses;  ///< guarded by mutex
  bool stopping = false;                ///< guarded by mutex
  std::condition_variable wake;
  std::thread thread;
};

lookup_watcher::lookup_watcher(std::unique_ptr<watched> files) : files_(std::move(files)) {}

lookup_watcher::~lookup_watcher() {
  stop();
}

std::shared_ptr<lookup_watcher> lookup_watcher::load(std::shared_ptr<const enrichment> steps,
                                                     diagnostics& found) {
  auto files = std::make_unique<watched>(std::move(steps));
  bool good = true;
  for (std::size_t i = 0; i < files->files.size(); ++i) good = files->load(i, found) && good;
  if (!good) return nullptr;
  return std::shared_ptr<lookup_watcher>(new lookup_watcher(std::move(files)));
}

void lookup_watcher::watch(reporter report, duration interval) {
  if (files_->files.empty()) return;
  files_->thread = std::thread(
      [files = files_.get(), say = std::move(report), interval] { files->run(say, interval); });
}

void lookup_watcher::stop() {
  {
    const std::scoped_lock lock(files_->mutex);
    files_->stopping = true;
  }
  files_->wake.notify_all();
  if (files_->thread.joinable()) files_->thread.join();
}

void lookup_watcher::look(const reporter& report) {
  for (std::size_t i = 0; i < files_->files.size(); ++i) files_->look(i, report);
}

std::vector<lookup_status> lookup_watcher::status() const {
  const std::scoped_lock lock(files_->mutex);
  return files_->statuses;
}

}  // namespace tocsin
