// Outlines of the ten classes of `shapes` as polygons, and their antialiased coverage of a pixel grid.
// Coordinates are x to the right and y down; a unit outline fits the circle of radius 1.15 round the origin.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace strait {

struct Point {
  float x = 0;
  float y = 0;
};

// Closed polygons, filled by the even-odd rule.
using Outline = std::vector<std::vector<Point>>;

inline constexpr int kNumShapes = 10;
inline constexpr std::array<const char*, kNumShapes> kShapeNames = {
    "disk", "ring", "triangle", "square", "pentagon", "star", "cross", "crescent", "heart", "arrow"};

// The unit outline of class `shape`, 0 to kNumShapes - 1.
Outline ShapeOutline(int shape);

// x' = a x + b y + x0, y' = c x + d y + y0.
struct Affine {
  float a = 1, b = 0, c = 0, d = 1;
  float x0 = 0, y0 = 0;
};

void Transform(const Affine& affine, Outline* outline);

inline constexpr int kShapesSide = 64;
inline constexpr int kFullCoverage = 4;  // 2 x 2 points a pixel

// Covered points of each pixel, rows from the top; `first_row` to `last_row` - 1 are the rows not all zero.
struct Coverage {
  std::array<uint8_t, kShapesSide * kShapesSide> points{};
  int first_row = 0;
  int last_row = 0;
};

// Pixel (x, y) is the unit square from (x, y). Parts outside the grid are cut off.
void Rasterise(const Outline& outline, Coverage* dst);

}  // namespace strait
