#pragma once
// LeaseBook: which pieces of the recorded hand-outs are still out, so that a record is dropped when
// its last piece has ended and recovery reads only what may still be held. A piece ends with its
// outcome, the end of its attempt or lease, or when its work is handed out again. Memory: one entry
// per task or range that is leased. Owned by a store; the writer's thread.
#include <cstdint>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "model/change.h"

namespace tidemill::store {

class LeaseBook {
 public:
  using Row = uint64_t;  // number of a hand-out record, in the order of commits

  void put(Row row, const HandOut& hand_out);

  // Each says whether anything ended. Rows that have nothing left wait in take_emptied().
  bool end_task(TaskId task);
  bool end_indexes(ArrayId array, uint64_t first, uint64_t count);
  bool end_array(ArrayId array);
  bool end(const WorkRef& work);
  bool end(const LeasedWork& leased);        // only under this epoch
  bool end_up_to(const LeasedWork& leased);  // under this epoch or an older one

  std::vector<Row> take_emptied() { return std::exchange(emptied_, {}); }
  bool empty() const { return rows_.empty(); }
  Row oldest() const { return rows_.begin()->first; }

  // What is still out, one hand-out for each row that has something left, in the order of rows.
  std::vector<HandOut> out() const;

 private:
  struct Piece {
    Row row = 0;
    uint64_t count = 1;
    LeaseEpoch epoch;
  };
  using Ranges = std::map<uint64_t, Piece>;  // by first index; they do not overlap
  struct Left {
    HandOut head;  // without its items
    uint64_t count = 0;
  };

  void release(Row row, uint64_t count);
  // `ends` says of an epoch whether it is meant.
  template <class Ends>
  bool end_if(const WorkRef& work, Ends ends);
  template <class Ends>
  bool cut(Ranges& ranges, uint64_t first, uint64_t count, Ends ends);

  std::map<Row, Left> rows_;
  std::unordered_map<TaskId, Piece> tasks_;
  std::map<ArrayId, Ranges> arrays_;
  std::vector<Row> emptied_;
};

}  // namespace tidemill::store
