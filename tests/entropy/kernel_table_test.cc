#include "entropy/kernel_table.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "tests/entropy/random_tables.h"

namespace strait::rans {
namespace {

uint32_t Divide(uint32_t state, const Reciprocal& reciprocal) {
  const uint64_t dividend = uint64_t{state} + static_cast<uint64_t>(reciprocal.increment);
  EXPECT_LE(dividend, 0xffffffffu);  // kernels add in 32 bits
  return static_cast<uint32_t>(dividend * reciprocal.multiplier >> 32 >> reciprocal.shift);
}

TEST(Reciprocal, DividesEveryStateBelowTheThresholdExactly) {
  std::mt19937 random(1);
  for (int precision = 8; precision <= kMaxKernelPrecision; ++precision) {
    for (uint32_t freq = 1; freq < 1u << precision; ++freq) {
      const Reciprocal reciprocal = ReciprocalOf(freq);
      const uint64_t limit = uint64_t{freq} << (32 - precision);
      const auto check = [&](uint64_t state) {
        if (state >= limit) return;
        ASSERT_EQ(Divide(static_cast<uint32_t>(state), reciprocal), state / freq) << state << " / " << freq;
      };
      // The error grows with the state, and shows first just below and at multiples of the frequency.
      for (uint64_t multiple = 0; multiple < 3; ++multiple) {
        check(multiple * freq);
        check(multiple * freq + freq - 1);
        check(limit - (multiple + 1) * freq);
        check(limit - multiple * freq - 1);
      }
      for (int i = 0; i < 4; ++i) {
        const uint64_t multiple = random() % (uint64_t{1} << (32 - precision)) * freq;
        check(multiple);
        check(multiple + freq - 1);
      }
    }
  }
}

TEST(KernelTable, TreeLeadsEverySlotToItsEntry) {
  std::mt19937 random(2);
  for (int trial = 0; trial < 200; ++trial) {
    const int precision = 9 + trial % 7;
    const bool escape = trial % 2 == 0;
    const int values = 1 + static_cast<int>(random() % 255) + (escape ? 0 : 1);
    const auto set = CdfTableSet::Create({RandomTable(random, values, escape, precision)}, precision).value();
    const auto& view = set.View(0);
    const KernelTable& kernel = view.kernel;
    const size_t entries = set.table(0).freq.size();
    ASSERT_GT(kernel.depth, 0);
    ASSERT_LE(entries, size_t{1} << kernel.depth);
    ASSERT_GT(2 * entries, size_t{1} << kernel.depth);
    const size_t leaves = size_t{1} << kernel.depth, words = kernel.section_words();
    for (uint32_t slot = 0; slot < 1u << precision; ++slot) {
      size_t node = 1;
      while (node < leaves) node = 2 * node + (slot > kernel.section(kTreeSection)[node] ? 1 : 0);
      ASSERT_EQ(node - leaves, view.EntryOf(slot)) << "trial " << trial << " slot " << slot;
      ASSERT_EQ(kernel.section(kCumSection)[node % words], view.cum[node - leaves]);
      ASSERT_EQ(kernel.section(kFreqSection)[node % words], view.cum[node - leaves + 1] - view.cum[node - leaves]);
    }
  }
}

TEST(KernelTable, LeavesTablesItCannotHoldToTheScalarCode) {
  EXPECT_EQ(KernelDepth(1, 12), 0);
  EXPECT_EQ(KernelDepth(2, 12), 1);
  EXPECT_EQ(KernelDepth(64, 12), 6);
  EXPECT_EQ(KernelDepth(256, 12), 8);
  EXPECT_EQ(KernelDepth(257, 12), 0);
  EXPECT_EQ(KernelDepth(8, 16), 0);
}

}  // namespace
}  // namespace strait::rans
