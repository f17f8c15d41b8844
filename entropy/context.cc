#include "entropy/context.h"

#include <algorithm>

namespace strait {

// A loop over memory, so that vectors are written where vectors will be read: a processor waits for narrower
// writes.
void ContextNear::Leave(std::span<const int16_t> symbols) const {
  for (size_t i = 0; i < symbols.size(); ++i)
    row[i] = std::clamp<int16_t>(symbols[i], -kMaxNeighbour, kMaxNeighbour);
}

void ContextCellsAt(const ContextNear& near, size_t channels, const ContextWeights& weights, uint16_t* cells) {
  const size_t position = InContextBlocks(channels);
  const int16_t* const neighbours[] = {near.row - position, near.above, near.above - position,
                                       near.above + position};
  constexpr int16_t kMost = kContextSide - 1;
  for (size_t block = 0; block < position; block += kContextBlock) {
    int16_t sum[kContextBlock] = {}, above[kContextBlock] = {};  // of all terms, of those above zero
    for (int k = 0; k < kNumNeighbours; ++k) {
      const int16_t* const neighbour = neighbours[k] + block;
      const auto weight = static_cast<int16_t>(weights[static_cast<size_t>(k)]);
      for (size_t i = 0; i < kContextBlock; ++i) {
        const auto term = static_cast<int16_t>(weight * neighbour[i]);
        sum[i] = static_cast<int16_t>(sum[i] + term);
        above[i] = static_cast<int16_t>(above[i] + (term > 0 ? term : 0));
      }
    }
    for (size_t i = 0; i < kContextBlock; ++i) {
      const auto below = static_cast<int16_t>(above[i] - sum[i]);
      const int16_t high = above[i] < kMost ? above[i] : kMost, low = below < kMost ? below : kMost;
      cells[block + i] = static_cast<uint16_t>(high * kContextSide + low);
    }
  }
}

}  // namespace strait
