#include "machine/internal/index_states.h"

#include <algorithm>

#include "base/assert.h"

namespace tidemill::machine {

namespace {

constexpr uint64_t kShiftPerIndex = 2;
constexpr uint64_t kMask = 3;

// Two bits repeated over a word: every index of it in the same state.
constexpr uint64_t filled(Outcome outcome) {
  return static_cast<uint64_t>(outcome) * 0x5555555555555555ULL;
}

}  // namespace

Outcome IndexStates::get(uint64_t index) const {
  TIDEMILL_ASSERT(index < count_);
  const uint64_t at = index / kBlock;
  if (at >= blocks_.size()) return Outcome::open;
  const Block& block = blocks_[at];
  if (!block.bits) return block.uniform;
  const uint64_t in = index % kBlock;
  const uint64_t word = (*block.bits)[in / kPerWord];
  return static_cast<Outcome>((word >> ((in % kPerWord) * kShiftPerIndex)) & kMask);
}

void IndexStates::set(uint64_t index, Outcome outcome) {
  TIDEMILL_ASSERT(index < count_);
  const Outcome before = get(index);
  if (before == outcome) return;
  const uint64_t at = index / kBlock;
  if (at >= blocks_.size()) blocks_.resize(at + 1);
  Block& block = blocks_[at];
  const uint64_t size = size_of(at);
  if (!block.bits) materialise(block, size);

  const uint64_t in = index % kBlock;
  const uint64_t shift = (in % kPerWord) * kShiftPerIndex;
  uint64_t& word = (*block.bits)[in / kPerWord];
  word = (word & ~(kMask << shift)) | (static_cast<uint64_t>(outcome) << shift);
  --block.counts[static_cast<size_t>(before)];
  ++block.counts[static_cast<size_t>(outcome)];
  if (before != Outcome::open) --ended_[static_cast<size_t>(before)];
  if (outcome != Outcome::open) ++ended_[static_cast<size_t>(outcome)];
  if (block.counts[static_cast<size_t>(outcome)] == size) {
    block.bits.reset();
    block.uniform = outcome;
  }
}

uint64_t IndexStates::of(Outcome outcome) const {
  if (outcome != Outcome::open) return ended_[static_cast<size_t>(outcome)];
  uint64_t ended = 0;
  for (const uint64_t n : ended_) ended += n;
  TIDEMILL_ASSERT(ended <= count_);
  return count_ - ended;
}

uint64_t IndexStates::next_open(uint64_t from, uint64_t end) const {
  TIDEMILL_ASSERT(end <= count_);
  for (uint64_t i = from; i < end;) {
    const uint64_t at = i / kBlock;
    if (at >= blocks_.size()) return i;
    const Block& block = blocks_[at];
    if (!block.bits && block.uniform != Outcome::open) {
      i = (at + 1) * kBlock;
    } else if (get(i) == Outcome::open) {
      return i;
    } else {
      ++i;
    }
  }
  return end;
}

uint64_t IndexStates::ended_below() const {
  for (uint64_t at = blocks_.size(); at-- > 0;) {
    for (uint64_t i = size_of(at); i-- > 0;) {
      if (get(at * kBlock + i) != Outcome::open) return at * kBlock + i + 1;
      if (!blocks_[at].bits) break;  // all of it is open
    }
  }
  return 0;
}

uint64_t IndexStates::size_of(uint64_t block) const {
  TIDEMILL_ASSERT(block * kBlock < count_);
  return std::min(kBlock, count_ - block * kBlock);
}

void IndexStates::materialise(Block& block, uint64_t size) {
  block.bits = std::make_unique<std::array<uint64_t, kBlock / kPerWord>>();
  block.bits->fill(filled(block.uniform));
  block.counts = {};
  block.counts[static_cast<size_t>(block.uniform)] = static_cast<uint16_t>(size);
}

void IndexStates::check() const {
  std::array<uint64_t, 4> counted{};
  for (uint64_t at = 0; at < blocks_.size(); ++at) {
    const uint64_t size = size_of(at);
    std::array<uint64_t, 4> here{};
    for (uint64_t i = 0; i < size; ++i) ++here[static_cast<size_t>(get(at * kBlock + i))];
    for (size_t o = 0; o < 4; ++o) {
      if (blocks_[at].bits) TIDEMILL_ASSERT(here[o] == blocks_[at].counts[o]);
      counted[o] += here[o];
    }
  }
  for (size_t o = 1; o < 4; ++o) TIDEMILL_ASSERT(counted[o] == ended_[o]);
}

}  // namespace tidemill::machine
