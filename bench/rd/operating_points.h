// What a user asks of a curve: how many bytes an accuracy costs, and which accuracy a number of bytes buys.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bench/rd/bd_rate.h"
#include "training/evaluate.h"

namespace strait {

// Both read the points that no other dominates, straight lines between them over the logarithm of the bytes.

// Fewest bytes with at least this accuracy: those of the first point where it has more already. nullopt when no
// point reaches it.
std::optional<double> BytesAtAccuracy(std::span<const CurvePoint> points, double accuracy);

// Best accuracy with at most so many bytes; nullopt when every point has more.
std::optional<double> AccuracyAtBytes(std::span<const CurvePoint> points, double bytes);

// A line for each codec but the unsplit network, which must come first among the rows.
struct OperatingPoints {
  std::string codec;
  // What was asked for and the answer, nullopt where the curve does not reach.
  std::vector<std::pair<double, std::optional<double>>> bytes_at_drop;  // 0.5, 1 and 2 points below
  std::vector<std::pair<double, std::optional<double>>> drop_at_bytes;
};

// `bytes`: ascending, those to give the accuracy lost at; none: 50 to 2000.
std::vector<OperatingPoints> FindOperatingPoints(const std::vector<RdPoint>& rows, std::vector<double> bytes = {});

}  // namespace strait
