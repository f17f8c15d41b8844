#include "bench/rd/pchip.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

namespace strait {
namespace {

// Slope at the end of a curve from its first two intervals, kept within what monotonicity allows.
double EndSlope(double h0, double h1, double delta0, double delta1) {
  const double slope = ((2 * h0 + h1) * delta0 - h0 * delta1) / (h0 + h1);
  if (slope * delta0 <= 0) return 0;
  if (delta0 * delta1 <= 0 && std::abs(slope) > 3 * std::abs(delta0)) return 3 * delta0;
  return slope;
}

}  // namespace

Pchip::Pchip(std::vector<double> x, std::vector<double> y) : x_(std::move(x)), y_(std::move(y)), slope_(x_.size()) {
  assert(x_.size() >= 2 && x_.size() == y_.size());
  const size_t intervals = x_.size() - 1;
  std::vector<double> h(intervals), delta(intervals);
  for (size_t k = 0; k < intervals; ++k) {
    h[k] = x_[k + 1] - x_[k];
    assert(h[k] > 0);
    delta[k] = (y_[k + 1] - y_[k]) / h[k];
  }
  if (intervals == 1) {
    slope_[0] = slope_[1] = delta[0];
    return;
  }
  for (size_t k = 1; k < intervals; ++k) {
    if (delta[k - 1] * delta[k] <= 0) continue;  // a local extremum stays one: slope 0
    const double w0 = 2 * h[k] + h[k - 1];
    const double w1 = h[k] + 2 * h[k - 1];
    slope_[k] = (w0 + w1) / (w0 / delta[k - 1] + w1 / delta[k]);
  }
  slope_.front() = EndSlope(h[0], h[1], delta[0], delta[1]);
  slope_.back() = EndSlope(h[intervals - 1], h[intervals - 2], delta[intervals - 1], delta[intervals - 2]);
}

size_t Pchip::IntervalOf(double at) const {
  const auto next = std::upper_bound(x_.begin() + 1, x_.end() - 1, at);
  return static_cast<size_t>(next - x_.begin()) - 1;
}

double Pchip::operator()(double at) const {
  const size_t k = IntervalOf(at);
  const double h = x_[k + 1] - x_[k], t = at - x_[k];
  const double delta = (y_[k + 1] - y_[k]) / h;
  const double c2 = (3 * delta - 2 * slope_[k] - slope_[k + 1]) / h;
  const double c3 = (slope_[k] + slope_[k + 1] - 2 * delta) / (h * h);
  return y_[k] + t * (slope_[k] + t * (c2 + t * c3));
}

double Pchip::PartialIntegral(size_t k, double at) const {
  const double h = x_[k + 1] - x_[k], t = at - x_[k];
  const double delta = (y_[k + 1] - y_[k]) / h;
  const double c2 = (3 * delta - 2 * slope_[k] - slope_[k + 1]) / h;
  const double c3 = (slope_[k] + slope_[k + 1] - 2 * delta) / (h * h);
  return t * (y_[k] + t * (slope_[k] / 2 + t * (c2 / 3 + t * c3 / 4)));
}

double Pchip::Integral(double low, double high) const {
  const size_t first = IntervalOf(low), last = IntervalOf(high);
  double sum = PartialIntegral(last, high) - PartialIntegral(first, low);
  for (size_t k = first; k < last; ++k) sum += PartialIntegral(k, x_[k + 1]);
  return sum;
}

}  // namespace strait
