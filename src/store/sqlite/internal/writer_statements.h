#pragma once
// The statements of the Writer, prepared once when the file is opened: preparing one costs more
// than running it. Each lives as long as the Writer and is used on its thread. Included by
// writer*.cc only.
#include "store/sqlite/internal/database.h"
#include "store/sqlite/internal/writer.h"

namespace tidemill::store {

struct Writer::Statements {
  Statement put_counters, put_turn, set_turn_time, put_lane, put_queue;
  Statement put_live, drop_live, find_live, put_finished, put_done, put_finished_row,
      find_finished_row;
  Statement drop_finished, drop_finished_row, put_attempt;
  Statement put_array, finish_array, put_items, put_outcomes, put_bodies;
  Statement put_override, drop_override;
  Statement array_counts, array_heads;
  Statement put_barrier, drop_barrier, put_execution, put_workload, put_step, put_key;
  Statement put_token, drop_token;
  Statement put_hand_out, drop_hand_out, put_end, drop_ends;

  Status prepare(Database& db);
};

}  // namespace tidemill::store
