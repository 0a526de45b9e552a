#pragma once
// Rows back to records, shared by recovery and readers: which columns hold the key, the data and
// the checksum, and what is said when they do not fit together.
#include <string>
#include <string_view>
#include <vector>

#include "model/codec.h"
#include "store/internal/index_states.h"
#include "store/internal/outcome_pack.h"
#include "store/sqlite/internal/checksum.h"
#include "store/sqlite/internal/database.h"

namespace tidemill::store {

// Calls `each` (a function of the statement, returning Status) for every row.
template <class Each>
Status each_row(Statement& s, Each each) {
  for (;;) {
    TIDEMILL_TRY(const auto row, s.next());
    if (!row) return Ok{};
    if (Status done = each(s); !done.ok()) {
      s.restart();
      return done;
    }
  }
}

template <class... Keys>
std::string key_text(Keys... keys) {
  std::string text;
  ((text.append(text.empty() ? "" : "/").append(std::to_string(keys))), ...);
  return text;
}

// The record in column `data`, whose next column is the checksum seeded with `keys`.
template <class Record, class... Keys>
Result<Record> record_at(const Statement& s, const char* table, int data, Keys... keys) {
  const std::string_view bytes = s.bytes(data);
  if (s.number(data + 1) != row_sum(bytes, keys...)) {
    return bad_row(table, key_text(keys...), "its checksum is wrong");
  }
  Result<Record> record = decode<Record>(bytes);
  if (!record.ok()) return bad_row(table, key_text(keys...), record.error().what);
  return record;
}

// Columns array, turn, part, heads, sum from `at` on.
Result<Heads> heads_at(const Statement& s, int at);
void replay(const Heads& heads, IndexStates& states);

inline constexpr char kHeadsOfArray[] =
    "SELECT array, turn, part, heads, sum FROM outcomes_of_arrays WHERE array = ? "
    "ORDER BY turn, part";

}  // namespace tidemill::store
