#include "bench/rd/bd_rate.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "bench/rd/pchip.h"
#include "entropy/error.h"

namespace strait {
namespace {

Result<std::vector<CurvePoint>> PointsOfCurve(std::span<const CurvePoint> points, const char* role) {
  for (const CurvePoint& point : points) {
    if (!std::isfinite(point.bytes) || !std::isfinite(point.accuracy) || point.bytes <= 0) {
      return Error(StatusCode::kInvalidArgument, "bd-rate: ", role,
                   " curve: need finite points with bytes > 0, got ", point.bytes, " bytes at ", point.accuracy,
                   " %");
    }
  }
  std::vector<CurvePoint> kept = UndominatedPoints(points);
  if (kept.size() < static_cast<size_t>(kMinBdPoints)) {
    return Error(StatusCode::kInvalidArgument, "bd-rate: ", role, " curve: need ", kMinBdPoints, " points, have ",
                 kept.size(), " after dropping ", points.size() - kept.size(), " dominated");
  }
  return kept;
}

Pchip LogRateOverAccuracy(const std::vector<CurvePoint>& points) {
  std::vector<double> accuracy, log_bytes;
  for (const CurvePoint& point : points) {
    accuracy.push_back(point.accuracy);
    log_bytes.push_back(std::log10(point.bytes));
  }
  return Pchip(std::move(accuracy), std::move(log_bytes));
}

}  // namespace

std::vector<CurvePoint> UndominatedPoints(std::span<const CurvePoint> points) {
  std::vector<CurvePoint> sorted(points.begin(), points.end());
  std::sort(sorted.begin(), sorted.end(), [](const CurvePoint& a, const CurvePoint& b) {
    return a.bytes != b.bytes ? a.bytes < b.bytes : a.accuracy > b.accuracy;
  });
  std::vector<CurvePoint> kept;
  for (const CurvePoint& point : sorted) {
    if (kept.empty() || point.accuracy > kept.back().accuracy) kept.push_back(point);
  }
  return kept;
}

Result<BdRate> ComputeBdRate(std::span<const CurvePoint> reference, std::span<const CurvePoint> test) {
  STRAIT_ASSIGN_OR_RETURN(const std::vector<CurvePoint> a, PointsOfCurve(reference, "reference"));
  STRAIT_ASSIGN_OR_RETURN(const std::vector<CurvePoint> b, PointsOfCurve(test, "test"));
  BdRate result;
  result.dropped_reference = static_cast<int>(reference.size() - a.size());
  result.dropped_test = static_cast<int>(test.size() - b.size());
  result.low_accuracy = std::max(a.front().accuracy, b.front().accuracy);
  result.high_accuracy = std::min(a.back().accuracy, b.back().accuracy);
  const double overlap = result.high_accuracy - result.low_accuracy;
  const double narrower = std::min(a.back().accuracy - a.front().accuracy, b.back().accuracy - b.front().accuracy);
  if (overlap < kMinBdOverlap * narrower) {
    return Error(StatusCode::kInvalidArgument, "bd-rate: curves ",
                 overlap <= 0 ? "do not overlap" : "hardly overlap", ": accuracies ", a.front().accuracy, "..",
                 a.back().accuracy, " and ", b.front().accuracy, "..", b.back().accuracy, " %");
  }
  const double integral_a = LogRateOverAccuracy(a).Integral(result.low_accuracy, result.high_accuracy);
  const double integral_b = LogRateOverAccuracy(b).Integral(result.low_accuracy, result.high_accuracy);
  result.percent = (std::pow(10.0, (integral_b - integral_a) / overlap) - 1) * 100;
  return result;
}

}  // namespace strait
