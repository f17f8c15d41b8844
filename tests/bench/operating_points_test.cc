#include "bench/rd/operating_points.h"

#include <gtest/gtest.h>

#include <cmath>

#include "bench/rd/report.h"

namespace strait {
namespace {

// In order of bytes: the third is dominated by the second.
const std::vector<CurvePoint> kCurve = {{400, 84}, {50, 80}, {120, 81}, {100, 82}};

TEST(OperatingPoints, LieBetweenThePointsThatNoneDominates) {
  EXPECT_NEAR(BytesAtAccuracy(kCurve, 81).value(), std::sqrt(50.0 * 100), 1e-9);
  EXPECT_NEAR(BytesAtAccuracy(kCurve, 83).value(), 200, 1e-9);
  EXPECT_EQ(BytesAtAccuracy(kCurve, 84), 400);
  EXPECT_EQ(BytesAtAccuracy(kCurve, 70), 50);
  EXPECT_EQ(BytesAtAccuracy(kCurve, 84.01), std::nullopt);
  EXPECT_NEAR(AccuracyAtBytes(kCurve, 200).value(), 83, 1e-9);
  EXPECT_EQ(AccuracyAtBytes(kCurve, 50), 80);
  EXPECT_EQ(AccuracyAtBytes(kCurve, 120).value() > 82, true);
  EXPECT_EQ(AccuracyAtBytes(kCurve, 1e6), 84);
  EXPECT_EQ(AccuracyAtBytes(kCurve, 49.9), std::nullopt);
  for (const double accuracy : {80.5, 82.0, 83.7})
    EXPECT_NEAR(AccuracyAtBytes(kCurve, *BytesAtAccuracy(kCurve, accuracy)).value(), accuracy, 1e-9);
  EXPECT_EQ(BytesAtAccuracy({}, 10), std::nullopt);
  EXPECT_EQ(AccuracyAtBytes({}, 10), std::nullopt);
}

TEST(OperatingPoints, AreTabledForEachCodec) {
  const std::vector<RdPoint> rows = {{"unsplit", "-", 0, 0, 0, 86, 0, 100},
                                     {"ours", "0", 0.02, 40, 0, 84, 2, 90},
                                     {"ours", "1", 0.01, 160, 0, 86, 0, 95},
                                     {"png", "-", 0, 30000, 0, 86, 0, 100}};
  EXPECT_EQ(
      OperatingTable(FindOperatingPoints(rows)),
      "codec  bytes at -0.5  bytes at -1  bytes at -2  drop at 50  drop at 65  drop at 100  drop at 150  drop at "
      "250  drop at 500  drop at 1000  drop at 2000\n"
      "ours           113.1         80.0         40.0        1.68        1.30         0.68         0.09         "
      "0.00         0.00          0.00          0.00\n"
      "png          30000.0      30000.0      30000.0           -           -            -            -          "
      "  -            -             -             -\n");
}

TEST(OperatingPoints, AreAtTheBytesAskedFor) {
  const std::vector<RdPoint> rows = {{"unsplit", "-", 0, 0, 0, 86, 0, 100},
                                     {"ours", "0", 0.02, 4000, 0, 84, 2, 90},
                                     {"ours", "1", 0.01, 16000, 0, 86, 0, 95}};
  EXPECT_EQ(OperatingTable(FindOperatingPoints(rows, {3000, 8000})),
            "codec  bytes at -0.5  bytes at -1  bytes at -2  drop at 8000\n"
            "ours         11313.7       8000.0       4000.0          1.00\n");
  EXPECT_EQ(OperatingTable({}), "");
}

}  // namespace
}  // namespace strait
