#pragma once
// How a command says what it decided: changes, replies and effects of the current turn, and the
// marks that keep state_hash() up. A record that is changed several times in a turn is written
// once, at the turn's end: change it, then `touch` it. Engine thread only.
#include <string>
#include <utility>

#include "machine/internal/state.h"
#include "model/codec.h"

namespace tidemill::machine {

// ---- changes, replies, effects ----
inline void emit(State& s, Change change) { s.turn.out->changes.push_back(std::move(change)); }
// An answer that tells of something this turn decided: it leaves when the turn is durable.
void answer(State& s, Tag tag, ReplyBody body);
// The same, leaving when an earlier turn is durable.
void answer(State& s, Tag tag, ReplyBody body, Turn needs);
// A refusal changed nothing and leaves at once.
void refuse(State& s, Tag tag, Refused::Why why, std::string text);
void emit_effect(State& s, Effect effect);  // needs this turn

// ---- ids ----
uint64_t take_id(State& s);

// ---- records that changed ----
void touch(State& s, LiveTask& task);        // PutTask at the end of the turn
void touch(State& s, LiveArray& array);      // PutArray
void touch(State& s, LiveBarrier& barrier);  // PutBarrier
void touch(State& s, LiveArray& array, uint64_t index);  // PutOverride, at once
void drop_override(State& s, LiveArray& array, uint64_t index);

// Writes what was touched, and the outcomes of arrays. At the end of the turn; of one array before
// it finishes.
void flush_outcomes(State& s, ArrayId array);
void flush(State& s);

// ---- the sum of record hashes ----
// Replaces one record's share of the sum by that of its new bytes. `share` 0: it had none yet.
template <class Record>
void rehash(State& s, uint64_t& share, const Record& record) {
  s.hash_sum -= share;
  share = hash64(encode(record));
  s.hash_sum += share;
}
// Takes a record's share out of the sum.
inline void unhash(State& s, uint64_t& share) {
  s.hash_sum -= share;
  share = 0;
}
// Tasks are hashed late: most of them are gone before anybody asks.
void settle_hashes(State& s);

}  // namespace tidemill::machine
