// Monotone piecewise cubic interpolation through given points, with its exact integral.
// Method: F. N. Fritsch and R. E. Carlson, "Monotone Piecewise Cubic Interpolation", SIAM J. Numer. Anal. 17(2),
// 1980; inner slopes are the weighted harmonic means of F. N. Fritsch and J. Butland, SIAM J. Sci. Stat. Comput.
// 5(2), 1984, and end slopes three-point, as in the `pchip` of MATLAB and SciPy that published BD-rates use.
#pragma once

#include <cstddef>
#include <vector>

namespace strait {

class Pchip {
 public:
  // Precondition: x strictly increasing, x.size() == y.size() >= 2.
  Pchip(std::vector<double> x, std::vector<double> y);

  // Precondition for both: arguments within [x.front(), x.back()].
  double operator()(double at) const;
  double Integral(double low, double high) const;

 private:
  size_t IntervalOf(double at) const;
  // Integral from x_[k] to `at` within interval k.
  double PartialIntegral(size_t k, double at) const;

  std::vector<double> x_, y_, slope_;
};

}  // namespace strait
