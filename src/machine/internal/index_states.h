#pragma once
// IndexStates: how each index of an array ended, two bits each, in blocks that exist only while
// they are mixed. A block whose indexes are all open, or all ended alike, costs no memory of its
// own, so an array of ten million indexes is a few kilobytes until it runs, and shrinks again as it
// finishes. A value inside LiveArray; engine thread only.
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "model/limits.h"
#include "model/outcome.h"

namespace tidemill::machine {

class IndexStates {
 public:
  explicit IndexStates(uint64_t count = 0) : count_(count) {}

  Outcome get(uint64_t index) const;
  // Sets one index; the counters of the block follow.
  void set(uint64_t index, Outcome outcome);

  uint64_t count() const { return count_; }
  uint64_t of(Outcome outcome) const;  // indexes in that state

  // The first open index from `from` on that lies below `end`, or `end`.
  uint64_t next_open(uint64_t from, uint64_t end) const;
  // One more than the highest index that has ended; 0 when none has.
  uint64_t ended_below() const;

  // Recounts everything; asserts that the counters agree with the bits.
  void check() const;

 private:
  static constexpr uint64_t kBlock = limits::kArrayBlock;
  static constexpr uint64_t kPerWord = 32;

  struct Block {
    Outcome uniform = Outcome::open;                               // while `bits` is null
    std::unique_ptr<std::array<uint64_t, kBlock / kPerWord>> bits;
    std::array<uint16_t, 4> counts{};                              // while `bits` is there
  };
  uint64_t size_of(uint64_t block) const;
  void materialise(Block& block, uint64_t size);

  uint64_t count_ = 0;
  std::array<uint64_t, 4> ended_{};  // by outcome; [open] is not used
  std::vector<Block> blocks_;        // grown to the highest block touched
};

}  // namespace tidemill::machine
