// Bjontegaard delta rate: by how many percent one codec's bytes differ from another's at equal accuracy.
// Source: G. Bjontegaard, "Calculation of average PSNR differences between RD-curves", ITU-T SG16 Q.6 VCEG-M33,
// 2001, with accuracy in the place of PSNR and the piecewise cubic of bench/rd/pchip.h in the place of one cubic.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "strait/result.h"

namespace strait {

struct CurvePoint {
  double bytes = 0;     // per sample, > 0
  double accuracy = 0;  // percent
};

struct BdRate {
  double percent = 0;  // negative: `test` needs fewer bytes than `reference`
  // The common accuracies the average is over, in percent.
  double low_accuracy = 0;
  double high_accuracy = 0;
  // Points left out because a point of fewer or equal bytes is at least as accurate: measured accuracy is noisy and
  // saturates, and rate as a function of accuracy needs both to rise.
  int dropped_reference = 0;
  int dropped_test = 0;
};

// The points that no other dominates (fewer or equal bytes at equal or better accuracy), both coordinates strictly
// rising.
std::vector<CurvePoint> UndominatedPoints(std::span<const CurvePoint> points);

// Points each curve must keep after dominated ones are dropped.
inline constexpr int kMinBdPoints = 4;
// Least share of the narrower curve's accuracy interval that both must cover; with less the average says nothing
// about either codec.
inline constexpr double kMinBdOverlap = 0.1;

// Average of log10(bytes of test) - log10(bytes of reference) over the common accuracies, as a percentage.
// Points come in any order. Errors: kInvalidArgument with the reason, when a point is not finite or has no bytes,
// fewer than kMinBdPoints are left, or the curves share less than kMinBdOverlap of the narrower one's accuracies.
Result<BdRate> ComputeBdRate(std::span<const CurvePoint> reference, std::span<const CurvePoint> test);

}  // namespace strait
