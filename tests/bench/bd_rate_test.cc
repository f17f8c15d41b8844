#include "bench/rd/bd_rate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "bench/rd/pchip.h"

namespace strait {
namespace {

using Curve = std::vector<CurvePoint>;

const Curve kCurve = {{40, 88.1}, {75, 93.0}, {110, 95.4}, {220, 96.8}, {500, 97.2}};

Curve Scaled(Curve curve, double factor) {
  for (CurvePoint& point : curve) point.bytes *= factor;
  return curve;
}

TEST(Pchip, PassesThroughItsPointsAndStaysMonotone) {
  const std::vector<double> x = {0, 1, 2, 3.5, 10}, y = {0, 0.1, 5, 5.01, 5.02};
  const Pchip pchip(x, y);
  for (size_t k = 0; k < x.size(); ++k) EXPECT_NEAR(pchip(x[k]), y[k], 1e-12);
  double previous = pchip(0);
  for (double at = 0.01; at <= 10; at += 0.01) {
    const double value = pchip(at);
    EXPECT_GE(value, previous - 1e-12) << at;
    previous = value;
  }
}

// Points (0,0) (1,1) (2,4): slope at 1 is 6 / (3/1 + 3/3) = 1.5; ends are (3*1 - 3)/2 = 0 and (3*3 - 1)/2 = 4.
// On [0,1]: 1.5 t^2 - 0.5 t^3, integral 0.375. On [1,2]: 1 + 1.5 t + 2 t^2 - 0.5 t^3 has integral 1 + .75 + 2/3 -
// 1/8.
TEST(Pchip, AgreesWithASplineWorkedByHand) {
  const Pchip pchip({0, 1, 2}, {0, 1, 4});
  EXPECT_NEAR(pchip(0.5), 0.3125, 1e-12);
  EXPECT_NEAR(pchip(1.5), 1 + 0.75 + 0.5 - 0.0625, 1e-12);
  EXPECT_NEAR(pchip.Integral(0, 1), 0.375, 1e-12);
  EXPECT_NEAR(pchip.Integral(0, 2), 0.375 + 1 + 0.75 + 2.0 / 3 - 0.125, 1e-12);
}

TEST(Pchip, IntegralMatchesANumericalSumBetweenInnerPoints) {
  const Pchip pchip({0, 1, 2.5, 3, 7}, {1, 2, 2.5, 6, 6.5});
  const double low = 0.3, high = 5.9;
  const int steps = 20000;
  double sum = 0;
  for (int i = 0; i < steps; ++i) sum += pchip(low + (high - low) * (i + 0.5) / steps);
  EXPECT_NEAR(pchip.Integral(low, high), sum * (high - low) / steps, 1e-6);
}

TEST(BdRate, OfACurveWithItselfIsZero) {
  const auto rate = ComputeBdRate(kCurve, kCurve);
  ASSERT_TRUE(rate.ok()) << rate.status().message();
  EXPECT_NEAR(rate->percent, 0, 1e-9);
  EXPECT_DOUBLE_EQ(rate->low_accuracy, 88.1);
  EXPECT_DOUBLE_EQ(rate->high_accuracy, 97.2);
}

TEST(BdRate, OfACurveScaledByAFactorIsThatFactorAsPercentage) {
  for (const double factor : {0.25, 0.8, 1.5, 10.0}) {
    const auto rate = ComputeBdRate(kCurve, Scaled(kCurve, factor));
    ASSERT_TRUE(rate.ok()) << rate.status().message();
    EXPECT_NEAR(rate->percent, (factor - 1) * 100, 1e-8);
  }
}

TEST(BdRate, SwappingTheCurvesInvertsTheRatio) {
  const Curve other = {{30, 86.0}, {70, 94.1}, {130, 95.5}, {260, 97.0}};
  const auto forward = ComputeBdRate(kCurve, other);
  const auto backward = ComputeBdRate(other, kCurve);
  ASSERT_TRUE(forward.ok() && backward.ok());
  EXPECT_NE(forward->percent, 0);
  EXPECT_NEAR((1 + forward->percent / 100) * (1 + backward->percent / 100), 1, 1e-9);
}

// log10 of the bytes is linear in accuracy, which the spline keeps: 1 + (a - 60) / 10 for the reference and
// 1.2 + (a - 60) / 20 for the test curve. Over 60..90 the difference 0.2 - (a - 60) / 20 averages 0.2 - 0.75.
TEST(BdRate, AgreesWithLinesIntegratedByHand) {
  Curve reference, test;
  for (const double accuracy : {55.0, 60.0, 70.0, 80.0, 90.0}) {
    reference.push_back({std::pow(10, 1 + (accuracy - 60) / 10), accuracy});
  }
  for (const double accuracy : {60.0, 72.0, 85.0, 95.0}) {
    test.push_back({std::pow(10, 1.2 + (accuracy - 60) / 20), accuracy});
  }
  const auto rate = ComputeBdRate(reference, test);
  ASSERT_TRUE(rate.ok()) << rate.status().message();
  EXPECT_DOUBLE_EQ(rate->low_accuracy, 60);
  EXPECT_DOUBLE_EQ(rate->high_accuracy, 90);
  EXPECT_NEAR(rate->percent, (std::pow(10, -0.55) - 1) * 100, 1e-8);
}

TEST(BdRate, IgnoresTheOrderOfThePoints) {
  const Curve reversed(kCurve.rbegin(), kCurve.rend());
  const auto rate = ComputeBdRate(kCurve, Scaled(reversed, 2));
  ASSERT_TRUE(rate.ok());
  EXPECT_NEAR(rate->percent, 100, 1e-8);
}

TEST(BdRate, DropsDominatedPointsAndCountsThem) {
  Curve noisy = kCurve;
  noisy.push_back({90, 92.0});   // more bytes than 75, less accurate
  noisy.push_back({600, 97.2});  // more bytes, no gain
  const auto rate = ComputeBdRate(kCurve, noisy);
  ASSERT_TRUE(rate.ok()) << rate.status().message();
  EXPECT_EQ(rate->dropped_reference, 0);
  EXPECT_EQ(rate->dropped_test, 2);
  EXPECT_NEAR(rate->percent, 0, 1e-9);
}

TEST(BdRate, RefusesFewerThanFourPointsLeft) {
  const Curve three(kCurve.begin(), kCurve.begin() + 3);
  EXPECT_NE(ComputeBdRate(kCurve, three).status().message().find("test curve: need 4 points, have 3"),
            std::string::npos);
  Curve flat = three;
  flat.push_back({900, 90.0});
  const auto refused = ComputeBdRate(flat, kCurve);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.status().code(), StatusCode::kInvalidArgument);
  EXPECT_NE(refused.status().message().find("reference curve: need 4 points, have 3 after dropping 1"),
            std::string::npos);
}

TEST(BdRate, RefusesCurvesThatHardlyOrNeverOverlap) {
  const Curve apart = {{10, 50}, {20, 60}, {30, 70}, {40, 80}};
  EXPECT_NE(ComputeBdRate(kCurve, apart).status().message().find("do not overlap"), std::string::npos);
  const Curve touching = {{10, 70}, {20, 75}, {30, 80}, {40, 88.5}};
  EXPECT_NE(ComputeBdRate(kCurve, touching).status().message().find("hardly overlap"), std::string::npos);
}

TEST(BdRate, RefusesPointsWithoutBytesOrNotFinite) {
  Curve bad = kCurve;
  bad[2].bytes = 0;
  EXPECT_FALSE(ComputeBdRate(kCurve, bad).ok());
  bad = kCurve;
  bad[0].accuracy = NAN;
  EXPECT_FALSE(ComputeBdRate(bad, kCurve).ok());
}

}  // namespace
}  // namespace strait
