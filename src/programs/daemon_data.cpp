// SPDX-License-Identifier: Apache-2.0
// The alert store, the event log and the snapshots of one folder.
#include "programs/daemon_data.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "io/file_system.hpp"
#include "io/quarantine_files.hpp"
#include "io/segment_log.hpp"
#include "io/snapshot_files.hpp"
#include "io/sqlite_store.hpp"

namespace tocsin {
namespace {

error of_data(const error& from) {
  return {from.code, "data: " + from.message};
}

void log_quarantine(const quarantine_news& news) {
  spdlog::log(news.error ? spdlog::level::err : spdlog::level::warn, "{}", news.text);
}

/// Precondition: the log is open.
std::optional<error> open_poison(const settings& from, const std::shared_ptr<file_system>& files,
                                 daemon_data& into) {
  quarantine_setup setup;
  setup.first_step = into.log->first_step();
  setup.last_step = into.log->last_step();
  // With a log that keeps nothing, who sends a message again and again is to be known all the same.
  setup.message_memory = std::max(setup.message_memory, from.durability.log_horizon);
  setup.now = std::chrono::time_point_cast<duration>(std::chrono::system_clock::now());
  setup.report = log_quarantine;
  auto poison = open_quarantine(files, setup);
  if (!poison) return poison.failure();
  into.poison = *std::move(poison);
  auto watch = crash_watch::begin(files->shown(crashes_file));
  if (!watch) return watch.failure();
  into.crashes = *std::move(watch);
  return std::nullopt;
}

}  // namespace

result<daemon_data> open_data(const settings& from) {
  daemon_data opened;
  const std::string folder = data_folder(from);
  // The store claims the folder for this process, the log and the snapshots in it, too.
  auto store = open_sqlite_store(folder);
  if (!store) return of_data(store.failure());
  opened.store = *std::move(store);
  if (folder.empty()) return opened;
  const auto files = files_of(folder);
  auto log = open_segment_log(files);
  if (!log) return of_data(log.failure());
  if (log->cut_bytes > 0) {
    spdlog::info(
        "data: {} bytes at the end of the event log were cut: they were written and not "
        "synced when the machine or the process ended, so nobody was told of them",
        log->cut_bytes);
  }
  opened.log = std::move(log->log);
  auto snapshots = open_snapshot_files(files);
  if (!snapshots) return of_data(snapshots.failure());
  opened.snapshots = *std::move(snapshots);
  if (const auto wrong = open_poison(from, files, opened)) return of_data(*wrong);
  return opened;
}

void log_durability(const settings& from) {
  const std::string folder = data_folder(from);
  if (folder.empty()) {
    spdlog::warn("data: {}, so nothing is durable: a restart forgets windows and alerts",
                 from.data.empty() ? "not set" : "memory");
    return;
  }
  spdlog::info(
      "data: the event log, windows, alerts, silences and history are kept in {}; what is "
      "acknowledged is synced",
      folder);
}

void log_recovery(const recovery& done, std::chrono::nanoseconds took) {
  for (const std::string& remark : done.remarks) spdlog::warn("data: {}", remark);
  const double seconds = std::chrono::duration<double>(took).count();
  if (done.snapshot_step == 0 && done.steps == 0) return;
  spdlog::info(
      "data: went on {} and {} steps of the event log with {} events, in {:.3f} s{}",
      done.snapshot_step == 0 ? std::string{"without a snapshot"}
                              : fmt::format("from the snapshot of step {}", done.snapshot_step),
      done.steps, done.events, seconds, done.windows_kept ? "" : "; windows are not as they were");
}

void data_log::look(const event_log_counts& log, const snapshot_counts& snapshots) {
  if (log.full != full_) {
    full_ = log.full;
    if (full_) {
      spdlog::error(
          "data: the event log takes nothing, and is tried again; no event is acknowledged, "
          "alerts wait, and the sockets are not read when there is no room: {}",
          log.last_failure);
    } else {
      spdlog::info("data: the event log takes events again; nothing was lost");
    }
  }
  if (snapshots.failures > failed_snapshots_ && !snapshots_fail_) {
    snapshots_fail_ = true;
    spdlog::error("data: a snapshot could not be kept, the next one is tried in its time: {}",
                  snapshots.last_failure);
  } else if (snapshots_fail_ && snapshots.failures == failed_snapshots_ &&
             snapshots.kept > kept_snapshots_) {
    snapshots_fail_ = false;
    spdlog::info("data: snapshots are kept again");
  }
  failed_snapshots_ = snapshots.failures;
  kept_snapshots_ = snapshots.kept;
}

}  // namespace tocsin
