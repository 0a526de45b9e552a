#pragma once
// Recovery: reads the live tables in one snapshot, checks every row's checksum, hands the records
// to a Loader and tells the Writer what it must remember. Used once after opening, on the writer's
// thread.
#include "store/sqlite/internal/database.h"
#include "store/sqlite/internal/writer.h"
#include "store/store.h"

namespace tidemill::store {

// `writer` is null when the file is only read. Errors: corrupt, with table and row.
Status recover(Database& db, Writer* writer, Loader& loader);

// Every token, in order of their names; also what a Reader answers. Errors: corrupt.
Result<std::vector<TokenRecord>> tokens_of(Database& db);

// The newest committed turn; 0 when there is none.
Result<Turn> last_turn(Database& db);

}  // namespace tidemill::store
