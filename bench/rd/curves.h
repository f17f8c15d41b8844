// Rows of a measurement as curves, one a codec.
#pragma once

#include <string>
#include <vector>

#include "bench/rd/bd_rate.h"
#include "training/evaluate.h"

namespace strait {

struct Curve {
  std::string codec;
  std::vector<CurvePoint> points;  // from the fewest bytes on
};

// What a curve's bytes are set against: the accuracy (top1) or the agreement with the unsplit network.
using RdColumn = double RdPoint::*;

// In order of first appearance; rows that send nothing, as the unsplit network's, are left out.
std::vector<Curve> CurvesOf(const std::vector<RdPoint>& rows, RdColumn over = &RdPoint::top1);

}  // namespace strait
