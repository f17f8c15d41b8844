// What a user asks of a curve: how many bytes an accuracy costs, and which accuracy a number of bytes buys.
#pragma once

#include <optional>
#include <span>
#include <string>
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
  std::vector<std::optional<double>> bytes_at_drop;  // of each of kDrops
  std::vector<std::optional<double>> drop_at_bytes;  // of each of kBytes
};
inline constexpr double kDrops[] = {0.5, 1, 2};  // points below the unsplit network
inline constexpr double kBytes[] = {50, 65, 100, 150, 250, 500, 1000, 2000};

std::vector<OperatingPoints> FindOperatingPoints(const std::vector<RdPoint>& rows);

}  // namespace strait
