#include "bench/rd/operating_points.h"

#include <algorithm>
#include <cmath>

#include "bench/rd/curves.h"

namespace strait {
namespace {

// Where `at` lies between a and b.
double Share(double at, double a, double b) { return (at - a) / (b - a); }

}  // namespace

std::optional<double> BytesAtAccuracy(std::span<const CurvePoint> points, double accuracy) {
  const std::vector<CurvePoint> curve = UndominatedPoints(points);
  const auto above = std::ranges::find_if(curve, [&](const CurvePoint& p) { return p.accuracy >= accuracy; });
  if (above == curve.end()) return std::nullopt;
  if (above == curve.begin()) return above->bytes;
  const CurvePoint& below = above[-1];
  return below.bytes * std::pow(above->bytes / below.bytes, Share(accuracy, below.accuracy, above->accuracy));
}

std::optional<double> AccuracyAtBytes(std::span<const CurvePoint> points, double bytes) {
  const std::vector<CurvePoint> curve = UndominatedPoints(points);
  const auto above = std::ranges::find_if(curve, [&](const CurvePoint& p) { return p.bytes > bytes; });
  if (above == curve.begin()) return std::nullopt;
  const CurvePoint& below = above[-1];
  if (above == curve.end()) return below.accuracy;
  const double share = Share(std::log(bytes), std::log(below.bytes), std::log(above->bytes));
  return below.accuracy + share * (above->accuracy - below.accuracy);
}

std::vector<OperatingPoints> FindOperatingPoints(const std::vector<RdPoint>& rows, std::vector<double> bytes) {
  if (bytes.empty()) bytes = {50, 65, 100, 150, 250, 500, 1000, 2000};
  std::vector<OperatingPoints> all;
  const double unsplit = rows.front().top1;
  for (const Curve& curve : CurvesOf(rows)) {
    OperatingPoints& points = all.emplace_back(OperatingPoints{curve.codec, {}, {}});
    for (const double drop : {0.5, 1.0, 2.0})
      points.bytes_at_drop.emplace_back(drop, BytesAtAccuracy(curve.points, unsplit - drop));
    for (const double limit : bytes) {
      const std::optional<double> accuracy = AccuracyAtBytes(curve.points, limit);
      points.drop_at_bytes.emplace_back(limit, accuracy ? std::optional(unsplit - *accuracy) : std::nullopt);
    }
  }
  return all;
}

}  // namespace strait
