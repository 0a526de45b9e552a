#pragma once
// Every default and bound of the system, once. Each bound is tested at the bound and one past it;
// each tunable names the range from which the simulator draws. Constants; any thread.
#include <cstdint>

#include "base/time.h"

namespace tidemill::limits {

// ---- leases and retries ----
inline constexpr Duration kLease = seconds(30);
// The worker, who knows when an attempt began, reports its timeout; the server waits so much
// longer.
inline constexpr Duration kTimeoutSlack = seconds(1);
inline constexpr Duration kCloseGrace = seconds(2);  // a closed connection may come back
inline constexpr uint32_t kMaxAttempts = 3;
inline constexpr uint32_t kMaxCrashes = 3;
inline constexpr uint32_t kMaxAttemptsBound = 1'000'000;
inline constexpr Duration kBackoffDelay = seconds(1);
inline constexpr Duration kBackoffCap = minutes(10);

// ---- capacity of a worker ----
inline constexpr uint32_t kPlaces = 1'024;
inline constexpr uint32_t kPlacesBound = 65'536;
inline constexpr uint32_t kSlotsBound = 4'096;

// ---- hand-outs ----
inline constexpr Duration kPrefetchTime = milliseconds(2);  // work held ahead covers this much
inline constexpr Duration kReportGather = milliseconds(5);  // a report waits while slots have work
inline constexpr Duration kChunkTime = milliseconds(10);    // a range of indexes on a slot takes this
inline constexpr Duration kPrefetchLongest = milliseconds(100);  // longer work never goes ahead
inline constexpr uint64_t kChunkMax = 4'096;                // indexes of one range on a slot
inline constexpr uint64_t kPlacesTurn = 16;  // indexes of short work that waits, in one range

// ---- sizes, in bytes unless named otherwise ----
inline constexpr uint64_t kInlineMax = 64 * 1024;         // larger results become blobs
inline constexpr uint64_t kInputMax = 16 * 1024 * 1024;   // of one task
inline constexpr uint64_t kBatchMax = 100'000;            // specs in one spawn
inline constexpr uint64_t kNameMax = 256;                 // queue, kind, key
inline constexpr uint64_t kErrorTextMax = 16 * 1024;      // the tail is kept
inline constexpr uint64_t kLogMax = 64 * 1024;            // per attempt, the tail is kept
inline constexpr uint64_t kOutputMax = 1024 * 1024;        // of stdout and of stderr of a program, tail kept
inline constexpr uint64_t kArrayCountMax = 1'000'000'000; // indexes of one array
inline constexpr uint64_t kArrayBlock = 1'024;            // indexes per block of states and results
inline constexpr uint64_t kItemChunk = 1'024;             // items per stored chunk
inline constexpr uint32_t kAfterMax = 10'000;             // dependencies of one task
inline constexpr uint64_t kContextMax = 1024 * 1024;      // ctx of an execution, as JSON

// ---- tokens ----
inline constexpr uint64_t kTokensMax = 1'000;     // of one store
inline constexpr uint64_t kTokenQueuesMax = 100;  // of one worker's token

// ---- tools ----
inline constexpr Duration kHttpTimeout = seconds(60);     // of one request, when the call names none
inline constexpr Duration kConnectTimeout = seconds(10);  // to a peer or a database
inline constexpr uint64_t kHttpBodyMax = 64 * 1024 * 1024;  // bytes of one answer

// ---- the playbook language ----
inline constexpr uint64_t kPlaybookMax = 8 * 1024 * 1024;
inline constexpr int kYamlMaxDepth = 100;
inline constexpr int kChildDepthMax = 20;  // executions that wait for one another
inline constexpr int kJsonMaxDepth = 512;
inline constexpr uint64_t kTemplateTextMax = 64 * 1024 * 1024;  // bytes of any text an expression makes
inline constexpr uint64_t kTemplateItemsMax = 10'000'000;        // items of any list it makes
inline constexpr int kTemplateDepth = 200;  // nesting of parentheses, blocks and conditions
inline constexpr int kTemplateHeight = 500;  // of the tree of one expression, chains included
inline constexpr uint32_t kStepsMax = 10'000;
inline constexpr uint32_t kToolsMax = 1'000;      // of one pipeline, of the workbook
inline constexpr uint32_t kInputKeysMax = 1'000;  // of one `input`
inline constexpr uint64_t kPipelineGuard = 1'000'000;  // tool calls of one pipeline run

// ---- the engine ----
inline constexpr uint32_t kTurnCommandsMax = 4'096;  // commands gathered into one turn
inline constexpr uint64_t kWindow = 16'384;  // ready tasks kept in memory, of each queue and kind
inline constexpr uint64_t kPage = 4'096;      // tasks brought in from the store at a time

}  // namespace tidemill::limits
