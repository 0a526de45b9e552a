#include "store/conformance/fault_vfs.h"

#include <sqlite3.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

namespace tidemill::store {

namespace {

struct FaultFile {
  sqlite3_file base;
  FaultVfs* owner;
  std::string* path;
  sqlite3_file* real;  // right behind this
};

FaultFile* of(sqlite3_file* f) { return reinterpret_cast<FaultFile*>(f); }
sqlite3_file* real_of(sqlite3_file* f) { return of(f)->real; }
const sqlite3_io_methods* methods_of(sqlite3_file* f) { return of(f)->real->pMethods; }

void apply(std::string& to, const FaultVfs::Unsynced& change, size_t most) {
  const auto at = static_cast<size_t>(change.at);
  if (change.truncates) {
    to.resize(std::min(to.size(), at));
    return;
  }
  const size_t n = std::min(most, change.bytes.size());
  if (to.size() < at + n) to.resize(at + n);
  std::memcpy(to.data() + at, change.bytes.data(), n);
}

int close_file(sqlite3_file* f) {
  const int rc = methods_of(f)->xClose(real_of(f));
  delete of(f)->path;
  return rc;
}
int read_file(sqlite3_file* f, void* to, int n, sqlite3_int64 at) {
  return methods_of(f)->xRead(real_of(f), to, n, at);
}
int write_file(sqlite3_file* f, const void* from, int n, sqlite3_int64 at) {
  if (of(f)->owner->fails(FaultVfs::Fault::disk_full)) return SQLITE_FULL;
  const int rc = methods_of(f)->xWrite(real_of(f), from, n, at);
  const std::string_view bytes(static_cast<const char*>(from), static_cast<size_t>(n));
  if (rc == SQLITE_OK) of(f)->owner->wrote(*of(f)->path, at, bytes);
  return rc;
}
int truncate_file(sqlite3_file* f, sqlite3_int64 size) {
  const int rc = methods_of(f)->xTruncate(real_of(f), size);
  if (rc == SQLITE_OK) of(f)->owner->truncated(*of(f)->path, size);
  return rc;
}
int sync_file(sqlite3_file* f, int flags) {
  if (of(f)->owner->fails(FaultVfs::Fault::sync_fails)) return SQLITE_IOERR_FSYNC;
  const int rc = methods_of(f)->xSync(real_of(f), flags);
  if (rc == SQLITE_OK) of(f)->owner->synced(*of(f)->path);
  return rc;
}

const sqlite3_io_methods kMethods = {
    3,
    close_file,
    read_file,
    write_file,
    truncate_file,
    sync_file,
    [](sqlite3_file* f, sqlite3_int64* n) { return methods_of(f)->xFileSize(real_of(f), n); },
    [](sqlite3_file* f, int lock) { return methods_of(f)->xLock(real_of(f), lock); },
    [](sqlite3_file* f, int lock) { return methods_of(f)->xUnlock(real_of(f), lock); },
    [](sqlite3_file* f, int* out) { return methods_of(f)->xCheckReservedLock(real_of(f), out); },
    [](sqlite3_file* f, int op, void* arg) {
      return methods_of(f)->xFileControl(real_of(f), op, arg);
    },
    [](sqlite3_file* f) { return methods_of(f)->xSectorSize(real_of(f)); },
    [](sqlite3_file* f) { return methods_of(f)->xDeviceCharacteristics(real_of(f)); },
    [](sqlite3_file* f, int page, int size, int extend, void volatile** out) {
      return methods_of(f)->xShmMap(real_of(f), page, size, extend, out);
    },
    [](sqlite3_file* f, int offset, int n, int flags) {
      return methods_of(f)->xShmLock(real_of(f), offset, n, flags);
    },
    [](sqlite3_file* f) { methods_of(f)->xShmBarrier(real_of(f)); },
    [](sqlite3_file* f, int drop) { return methods_of(f)->xShmUnmap(real_of(f), drop); },
    // No memory mapping: every write is seen above.
    [](sqlite3_file*, sqlite3_int64, int, void** out) {
      *out = nullptr;
      return SQLITE_OK;
    },
    [](sqlite3_file*, sqlite3_int64, void*) { return SQLITE_OK; },
};

}  // namespace

struct FaultVfs::Registration {
  sqlite3_vfs* real = sqlite3_vfs_find(nullptr);
  sqlite3_vfs vfs = *real;
  std::string name;
};

FaultVfs::FaultVfs() : registration_(std::make_unique<Registration>()) {
  Registration& r = *registration_;
  r.name = "fault-" + std::to_string(reinterpret_cast<uintptr_t>(this));
  r.vfs.zName = r.name.c_str();
  r.vfs.pNext = nullptr;
  r.vfs.szOsFile = static_cast<int>(sizeof(FaultFile)) + r.real->szOsFile;
  r.vfs.pAppData = this;
  r.vfs.xOpen = [](sqlite3_vfs* vfs, const char* path, sqlite3_file* f, int flags, int* out) {
    auto* self = static_cast<FaultVfs*>(vfs->pAppData);
    FaultFile* file = of(f);
    file->real = reinterpret_cast<sqlite3_file*>(file + 1);
    file->base.pMethods = nullptr;
    sqlite3_vfs* real = self->registration_->real;
    const int rc = real->xOpen(real, path, file->real, flags, out);
    if (rc != SQLITE_OK) return rc;
    file->owner = self;
    file->path = new std::string(path == nullptr ? "" : path);
    file->base.pMethods = &kMethods;
    return rc;
  };
  r.vfs.xDelete = [](sqlite3_vfs* vfs, const char* path, int sync) {
    auto* self = static_cast<FaultVfs*>(vfs->pAppData);
    sqlite3_vfs* real = self->registration_->real;
    const int rc = real->xDelete(real, path, sync);
    if (rc == SQLITE_OK) self->removed(path);
    return rc;
  };
  sqlite3_vfs_register(&r.vfs, 0);
}

FaultVfs::~FaultVfs() { sqlite3_vfs_unregister(&registration_->vfs); }

const char* FaultVfs::name() const { return registration_->name.c_str(); }

void FaultVfs::set_fault(Fault fault, uint64_t after_calls) {
  const os::Lock lock(mutex_);
  fault_ = fault;
  calls_left_ = after_calls;
}

bool FaultVfs::fails(Fault kind) {
  const os::Lock lock(mutex_);
  if (fault_ != kind) return false;
  if (calls_left_ == 0) return true;
  --calls_left_;
  return false;
}

void FaultVfs::wrote(const std::string& path, int64_t at, std::string_view bytes) {
  const os::Lock lock(mutex_);
  images_[path].unsynced.push_back({at, std::string(bytes), false});
}

void FaultVfs::truncated(const std::string& path, int64_t size) {
  const os::Lock lock(mutex_);
  images_[path].unsynced.push_back({size, {}, true});
}

void FaultVfs::synced(const std::string& path) {
  const os::Lock lock(mutex_);
  Image& image = images_[path];
  for (const Unsynced& change : image.unsynced) apply(image.durable, change, SIZE_MAX);
  image.unsynced.clear();
}

void FaultVfs::removed(const std::string& path) {
  const os::Lock lock(mutex_);
  images_.erase(path);
}

void FaultVfs::lose_power(const std::string& folder, uint64_t seed) {
  const os::Lock lock(mutex_);
  std::mt19937_64 random(seed);
  for (const auto& [path, image] : images_) {
    if (path.empty() || path.ends_with("-shm")) continue;
    std::string left = image.durable;
    for (const Unsynced& change : image.unsynced) {
      const uint64_t chance = random() % 4;
      if (chance == 0) continue;
      const size_t torn = chance == 1 ? random() % (change.bytes.size() + 1) : SIZE_MAX;
      apply(left, change, torn);
    }
    const auto name = std::filesystem::path(path).filename();
    std::ofstream out(std::filesystem::path(folder) / name, std::ios::binary | std::ios::trunc);
    out.write(left.data(), static_cast<std::streamsize>(left.size()));
  }
}

}  // namespace tidemill::store
