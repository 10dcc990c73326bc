// SPDX-License-Identifier: Apache-2.0
// An SQLite VFS over byte strings, each with the writes that no sync has made lasting yet.
#include "support/simulated_sqlite_disk.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <random>
#include <utility>
#include <vector>

namespace tocsin::testing {
namespace {

constexpr std::size_t sector = 512;

/// A change since the last sync: bytes written at a place, or the file's size cut or grown to one.
struct change {
  std::uint64_t place = 0;
  std::string bytes;
  bool resized = false;
};

struct stored_file {
  std::string durable;           ///< as of the last sync
  std::string now;               ///< as programs see it
  std::vector<change> unsynced;  ///< what leads from one to the other
  bool named = false;            ///< its name is on stable storage

  // Locks of the database file, by SQLite's levels, and of its shared memory. All connections are
  // in this process, so plain counters do.
  int shared = 0;
  const void* reserved = nullptr;
  const void* pending = nullptr;
  const void* exclusive = nullptr;
  std::vector<std::unique_ptr<char[]>> regions;
  std::array<int, SQLITE_SHM_NLOCK> shm_shared{};
  std::array<const void*, SQLITE_SHM_NLOCK> shm_exclusive{};
  int shm_users = 0;
};

void put(std::string& into, std::uint64_t place, std::string_view bytes) {
  if (into.size() < place + bytes.size()) into.resize(place + bytes.size(), '\0');
  std::copy(bytes.begin(), bytes.end(), into.begin() + static_cast<std::ptrdiff_t>(place));
}

}  // namespace

struct simulated_sqlite_disk::state {
  std::map<std::string, std::shared_ptr<stored_file>> files;
  std::function<int(std::uint64_t)> judge;
  std::uint64_t calls = 0;
  sqlite3_vfs vfs{};
  sqlite3_vfs* before = nullptr;

  int next_call() {
    ++calls;
    return judge ? judge(calls) : SQLITE_OK;
  }
};

namespace {

using disk = simulated_sqlite_disk::state;

/// What SQLite sees as an open file; SQLite gives the memory.
struct open_file {
  sqlite3_file base;
  disk* on;
  std::shared_ptr<stored_file> file;
  int level;
  bool delete_at_close;
  std::string* name;
  bool shm_mapped;
};

open_file& of(sqlite3_file* file) {
  return *reinterpret_cast<open_file*>(file);
}

int close(sqlite3_file* raw) {
  open_file& it = of(raw);
  if (it.delete_at_close) it.on->files.erase(*it.name);
  delete it.name;
  it.file.~shared_ptr();
  return SQLITE_OK;
}

int read(sqlite3_file* raw, void* into, int wanted, sqlite3_int64 from) {
  const std::string& bytes = of(raw).file->now;
  const auto place = std::min(static_cast<std::size_t>(from), bytes.size());
  const auto there = std::min(static_cast<std::size_t>(wanted), bytes.size() - place);
  std::memcpy(into, bytes.data() + place, there);
  if (there == static_cast<std::size_t>(wanted)) return SQLITE_OK;
  std::memset(static_cast<char*>(into) + there, 0, static_cast<std::size_t>(wanted) - there);
  return SQLITE_IOERR_SHORT_READ;
}

int write(sqlite3_file* raw, const void* from, int count, sqlite3_int64 place) {
  open_file& it = of(raw);
  const int outcome = it.on->next_call();
  if (outcome != SQLITE_OK && outcome != simulated_sqlite_disk::short_write) return outcome;
  const int written = outcome == SQLITE_OK ? count : count / 2;
  std::string bytes{static_cast<const char*>(from), static_cast<std::size_t>(written)};
  put(it.file->now, static_cast<std::uint64_t>(place), bytes);
  it.file->unsynced.push_back({static_cast<std::uint64_t>(place), std::move(bytes), false});
  return outcome == SQLITE_OK ? SQLITE_OK : SQLITE_FULL;
}

int truncate(sqlite3_file* raw, sqlite3_int64 size) {
  open_file& it = of(raw);
  if (const int outcome = it.on->next_call(); outcome != SQLITE_OK) return SQLITE_IOERR_TRUNCATE;
  it.file->now.resize(static_cast<std::size_t>(size), '\0');
  it.file->unsynced.push_back({static_cast<std::uint64_t>(size), {}, true});
  return SQLITE_OK;
}

int sync(sqlite3_file* raw, int) {
  open_file& it = of(raw);
  if (const int outcome = it.on->next_call(); outcome != SQLITE_OK) return SQLITE_IOERR_FSYNC;
  it.file->durable = it.file->now;
  it.file->unsynced.clear();
  // SQLite's own file system syncs the folder with the first sync of a file that it made.
  it.file->named = true;
  return SQLITE_OK;
}

int file_size(sqlite3_file* raw, sqlite3_int64* size) {
  *size = static_cast<sqlite3_int64>(of(raw).file->now.size());
  return SQLITE_OK;
}

int lock(sqlite3_file* raw, int level) {
  open_file& it = of(raw);
  stored_file& file = *it.file;
  if (it.level >= level) return SQLITE_OK;
  const auto of_other = [&](const void* owner) { return owner != nullptr && owner != raw; };
  if (level == SQLITE_LOCK_SHARED) {
    if (of_other(file.pending) || of_other(file.exclusive)) return SQLITE_BUSY;
    ++file.shared;
  } else if (level == SQLITE_LOCK_RESERVED) {
    if (of_other(file.reserved)) return SQLITE_BUSY;
    file.reserved = raw;
  } else {
    if (of_other(file.pending) || of_other(file.reserved)) return SQLITE_BUSY;
    file.pending = raw;
    if (level == SQLITE_LOCK_EXCLUSIVE) {
      if (file.shared > 1) {
        it.level = SQLITE_LOCK_PENDING;
        return SQLITE_BUSY;
      }
      file.exclusive = raw;
    }
  }
  it.level = level;
  return SQLITE_OK;
}

int unlock(sqlite3_file* raw, int level) {
  open_file& it = of(raw);
  stored_file& file = *it.file;
  for (const void** owner : {&file.exclusive, &file.pending, &file.reserved}) {
    if (*owner == raw) *owner = nullptr;
  }
  if (level == SQLITE_LOCK_NONE && it.level >= SQLITE_LOCK_SHARED) --file.shared;
  it.level = std::min(it.level, level);
  return SQLITE_OK;
}

int check_reserved(sqlite3_file* raw, int* reserved) {
  const stored_file& file = *of(raw).file;
  *reserved = file.reserved != nullptr || file.pending != nullptr ? 1 : 0;
  return SQLITE_OK;
}

int control(sqlite3_file*, int, void*) {
  return SQLITE_NOTFOUND;
}

int sector_size(sqlite3_file*) {
  return sector;
}

/// What SQLite assumes of real disks: writing one sector does not harm its neighbours.
int characteristics(sqlite3_file*) {
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

int shm_map(sqlite3_file* raw, int region, int size, int extend, volatile void** at) {
  open_file& it = of(raw);
  auto& regions = it.file->regions;
  if (!it.shm_mapped) ++it.file->shm_users;
  it.shm_mapped = true;
  const auto wanted = static_cast<std::size_t>(region);
  while (extend != 0 && regions.size() <= wanted) {
    regions.push_back(std::make_unique<char[]>(static_cast<std::size_t>(size)));
  }
  *at = wanted < regions.size() ? regions[wanted].get() : nullptr;
  return SQLITE_OK;
}

int shm_lock(sqlite3_file* raw, int first, int count, int flags) {
  stored_file& file = *of(raw).file;
  const auto begin = static_cast<std::size_t>(first);
  const auto end = begin + static_cast<std::size_t>(count);
  const bool alone = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
  if ((flags & SQLITE_SHM_UNLOCK) != 0) {
    for (std::size_t i = begin; i < end; ++i) {
      if (alone) {
        file.shm_exclusive[i] = nullptr;
      } else {
        --file.shm_shared[i];
      }
    }
    return SQLITE_OK;
  }
  for (std::size_t i = begin; i < end; ++i) {
    if (file.shm_exclusive[i] != nullptr || (alone && file.shm_shared[i] > 0)) return SQLITE_BUSY;
  }
  for (std::size_t i = begin; i < end; ++i) {
    if (alone) {
      file.shm_exclusive[i] = raw;
    } else {
      ++file.shm_shared[i];
    }
  }
  return SQLITE_OK;
}

void shm_barrier(sqlite3_file*) {
  __sync_synchronize();
}

int shm_unmap(sqlite3_file* raw, int) {
  open_file& it = of(raw);
  if (it.shm_mapped && --it.file->shm_users == 0) it.file->regions.clear();
  it.shm_mapped = false;
  return SQLITE_OK;
}

const sqlite3_io_methods methods = [] {
  sqlite3_io_methods all{};
  all.iVersion = 2;
  all.xClose = close;
  all.xRead = read;
  all.xWrite = write;
  all.xTruncate = truncate;
  all.xSync = sync;
  all.xFileSize = file_size;
  all.xLock = lock;
  all.xUnlock = unlock;
  all.xCheckReservedLock = check_reserved;
  all.xFileControl = control;
  all.xSectorSize = sector_size;
  all.xDeviceCharacteristics = characteristics;
  all.xShmMap = shm_map;
  all.xShmLock = shm_lock;
  all.xShmBarrier = shm_barrier;
  all.xShmUnmap = shm_unmap;
  return all;
}();

int open(sqlite3_vfs* vfs, const char* path, sqlite3_file* raw, int flags, int* flags_out) {
  raw->pMethods = nullptr;
  disk& on = *static_cast<disk*>(vfs->pAppData);
  static std::uint64_t nameless = 0;
  const std::string name = path != nullptr ? path : "temporary " + std::to_string(++nameless);
  auto found = on.files.find(name);
  if (found == on.files.end()) {
    if ((flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
    if (on.next_call() != SQLITE_OK) return SQLITE_CANTOPEN;
    found = on.files.emplace(name, std::make_shared<stored_file>()).first;
  }
  new (raw) open_file{{&methods},
                      &on,
                      found->second,
                      SQLITE_LOCK_NONE,
                      (flags & SQLITE_OPEN_DELETEONCLOSE) != 0,
                      new std::string{name},
                      false};
  if (flags_out != nullptr) *flags_out = flags;
  return SQLITE_OK;
}

int remove(sqlite3_vfs* vfs, const char* path, int) {
  disk& on = *static_cast<disk*>(vfs->pAppData);
  if (on.files.count(path) == 0) return SQLITE_IOERR_DELETE_NOENT;
  if (const int outcome = on.next_call(); outcome != SQLITE_OK) return SQLITE_IOERR_DELETE;
  on.files.erase(path);
  return SQLITE_OK;
}

int access(sqlite3_vfs* vfs, const char* path, int, int* there) {
  *there = static_cast<disk*>(vfs->pAppData)->files.count(path) > 0 ? 1 : 0;
  return SQLITE_OK;
}

int full_path(sqlite3_vfs*, const char* path, int room, char* into) {
  sqlite3_snprintf(room, into, "%s", path);
  return SQLITE_OK;
}

}  // namespace

simulated_sqlite_disk::simulated_sqlite_disk(const disk_image& files)
    : state_(std::make_unique<state>()) {
  for (const auto& [path, bytes] : files) {
    auto file = std::make_shared<stored_file>();
    file->durable = bytes;
    file->now = bytes;
    file->named = true;
    state_->files.emplace(path, std::move(file));
  }
  state_->before = sqlite3_vfs_find(nullptr);
  // Randomness, sleep and time are the machine's.
  state_->vfs = *state_->before;
  state_->vfs.pNext = nullptr;
  state_->vfs.zName = "simulated";
  state_->vfs.iVersion = 2;
  state_->vfs.szOsFile = sizeof(open_file);
  state_->vfs.pAppData = state_.get();
  state_->vfs.xOpen = open;
  state_->vfs.xDelete = remove;
  state_->vfs.xAccess = access;
  state_->vfs.xFullPathname = full_path;
  sqlite3_vfs_register(&state_->vfs, 1);
}

simulated_sqlite_disk::~simulated_sqlite_disk() {
  sqlite3_vfs_unregister(&state_->vfs);
  sqlite3_vfs_register(state_->before, 1);
}

disk_image simulated_sqlite_disk::after_power_cut(std::uint64_t seed) const {
  std::mt19937_64 random{seed};
  const auto one_in = [&](std::uint64_t n) { return random() % n == 0; };
  disk_image left;
  for (const auto& [path, file] : state_->files) {
    if (!file->named && one_in(2)) continue;
    std::string bytes = file->durable;
    // Some cuts keep nearly all, some nearly nothing.
    const std::uint64_t kept_of_8 = random() % 9;
    for (const change& each : file->unsynced) {
      if (each.resized) {
        if (random() % 8 < kept_of_8) bytes.resize(each.place, '\0');
        continue;
      }
      for (std::size_t begin = 0; begin < each.bytes.size();) {
        const std::size_t end =
            std::min(each.bytes.size(), begin + sector - (each.place + begin) % sector);
        if (random() % 8 < kept_of_8) {
          put(bytes, each.place + begin, std::string_view{each.bytes}.substr(begin, end - begin));
        }
        begin = end;
      }
    }
    left.emplace(path, std::move(bytes));
  }
  return left;
}

std::uint64_t simulated_sqlite_disk::calls() const noexcept {
  return state_->calls;
}

void simulated_sqlite_disk::before_call(std::function<int(std::uint64_t)> judge) {
  state_->judge = std::move(judge);
}

}  // namespace tocsin::testing
