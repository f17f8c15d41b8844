// A CDF table laid out for SIMD registers: what a kernel looks up per symbol, as sections of 16-bit words that are
// addressed by permutes, not by gathers. Only tables of 2 to 256 entries have one, of a precision up to 15 bits.
#pragma once

#include <cstddef>
#include <cstdint>

namespace strait::rans {

inline constexpr size_t kMaxKernelEntries = 256;
inline constexpr int kMaxKernelPrecision = 15;  // slots are compared as signed words

// Sections in the order of the image. Entry e sits at word (e + 2^depth) mod section_words of every section but the
// tree, so that the search ends with the index it looks up next.
enum KernelSection {
  kTreeSection,    // see SearchBound
  kFreqSection,    // frequency
  kCumSection,     // first slot
  kReciprocalLow,  // of the division by the frequency: see Reciprocal
  kReciprocalHigh,
  kReciprocalShift,  // shift in the low byte, increment in the top bit
  kNumKernelSections
};

struct KernelTable {
  const uint16_t* image = nullptr;
  int depth = 0;  // levels of the search tree: 2^depth is the number of entries rounded up; 0 is no kernel
  uint16_t num_values = 0;  // entries but the escape
  bool has_escape = false;  // the escape is entry num_values

  // Always inlined: files compiled for other instruction sets use them.
  [[gnu::always_inline]] size_t section_words() const { return SectionWords(depth); }
  [[gnu::always_inline]] const uint16_t* section(KernelSection index) const {
    return image + index * section_words();
  }

  [[gnu::always_inline]] static size_t SectionWords(int depth) { return depth <= 5 ? 32 : size_t{1} << depth; }
};

// Levels of the tree of a table of `entries` entries at `precision`; 0 when it has no kernel.
int KernelDepth(size_t entries, int precision);

// Division by a frequency d of [1, 2^precision) as a multiplication: for every state s < d << (32 - precision),
// s / d = ((s + increment) * multiplier) >> (32 + shift). The multiplier is 2^(31 + ceil(log2 d)) / d rounded to
// the nearer integer; rounded down it needs the increment. Exact because the error of the product is then at most
// d / 2 * s < d^2 * 2^(31 - precision) <= 2^(31 + ceil(log2 d)).
struct Reciprocal {
  uint32_t multiplier;
  int shift;
  int increment;
};
Reciprocal ReciprocalOf(uint32_t freq);

// Writes the image of a table: kNumKernelSections sections. `cum` has entries + 1 values.
void BuildKernelImage(const uint32_t* cum, size_t entries, int depth, uint16_t* image);

}  // namespace strait::rans
