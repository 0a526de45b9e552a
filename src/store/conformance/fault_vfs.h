#pragma once
// FaultVfs: SQLite's way to the disk with faults on order. It passes everything on, remembers what
// was written since each file's last sync, and can
//   - fail the next writes as a full disk, or the next syncs,
//   - say what a power loss would leave: all that was synced, and of the rest whatever a seed
//   chooses,
//     the last piece torn.
// Registered under its name() while it lives. Test code; any thread, one mutex.
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "os/sync.h"

namespace tidemill::store {

class FaultVfs {
 public:
  FaultVfs();
  ~FaultVfs();
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;

  const char* name() const;

  enum class Fault : uint8_t { none, disk_full, sync_fails };
  void set_fault(Fault fault, uint64_t after_calls = 0);

  // Writes into `folder` what would be left of every file, under its last name.
  void lose_power(const std::string& folder, uint64_t seed);

  // Used by the functions that SQLite calls.
  struct Unsynced {
    int64_t at = 0;
    std::string bytes;
    bool truncates = false;  // to `at`
  };
  struct Image {
    std::string durable;
    std::vector<Unsynced> unsynced;
  };
  bool fails(Fault kind);
  void wrote(const std::string& path, int64_t at, std::string_view bytes);
  void truncated(const std::string& path, int64_t size);
  void synced(const std::string& path);
  void removed(const std::string& path);

 private:
  struct Registration;
  os::Mutex mutex_;
  std::map<std::string, Image> images_ GUARDED_BY(mutex_);
  Fault fault_ GUARDED_BY(mutex_) = Fault::none;
  uint64_t calls_left_ GUARDED_BY(mutex_) = 0;
  std::unique_ptr<Registration> registration_;
};

}  // namespace tidemill::store
