#pragma once
// The schema of the file and how it came about: numbered migrations, never edited once released,
// each run in a transaction that also raises user_version. docs/storage.md explains every table.
// Used when a file is opened.
#include <cstdint>
#include <span>

#include "base/result.h"
#include "store/sqlite/internal/database.h"

namespace tidemill::store {

// "Tdml" in SQLite's header: whose file it is.
inline constexpr int64_t kApplicationId = 0x54646d6c;

std::span<const char* const> migrations();

enum class Identity : uint8_t { ours, empty, foreign };
// Errors: corrupt when it is no SQLite file or is cut off.
Result<Identity> identify(Database& db);

// Brings a file that is ours or empty to the newest version. Errors: conflict when a newer program
// wrote it.
Status migrate(Database& db, std::span<const char* const> steps);
// The same, for a file that may not be changed: a newer version is refused, and one older than
// `oldest`.
Status check_version(Database& db, std::span<const char* const> steps, size_t oldest);

// Since this version migrations have only added what a reader can do without: it looks whether it
// is there.
inline constexpr size_t kOldestReadable = 1;

}  // namespace tidemill::store
