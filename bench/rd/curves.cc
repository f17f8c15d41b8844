#include "bench/rd/curves.h"

#include <algorithm>

namespace strait {

std::vector<Curve> CurvesOf(const std::vector<RdPoint>& rows, RdColumn over) {
  std::vector<Curve> curves;
  for (const RdPoint& row : rows) {
    if (row.codec == "unsplit" || row.bytes_per_sample <= 0) continue;
    auto curve = std::ranges::find(curves, row.codec, &Curve::codec);
    if (curve == curves.end()) curve = curves.insert(curves.end(), {row.codec, {}});
    curve->points.push_back({row.bytes_per_sample, row.*over});
  }
  for (Curve& curve : curves) std::ranges::stable_sort(curve.points, {}, &CurvePoint::bytes);
  return curves;
}

}  // namespace strait
