#include "datasets/shapes_outline.h"

#include <algorithm>
#include <cmath>

namespace strait {
namespace {

// Rotations are written out: sine and cosine of different C libraries may differ in the last bit.
struct Turn {
  float cosine;
  float sine;
};
constexpr Turn kTurn120{-0.5f, 0.86602540f};
constexpr Turn kTurn72{0.30901699f, 0.95105652f};
constexpr Turn kTurn36{0.80901699f, 0.58778525f};
constexpr Turn kTurnMinus22{0.92387953f, -0.38268343f};  // 22.5 degrees
constexpr Turn kTurn11{0.98078528f, 0.19509032f};        // 11.25 degrees, 32 to the circle
constexpr int kCirclePoints = 32;

Point Rotate(Point p, Turn turn) {
  return {p.x * turn.cosine - p.y * turn.sine, p.x * turn.sine + p.y * turn.cosine};
}

// `count` points from `start` on, each turned once more round `centre`.
void AppendArc(Point centre, Point start, Turn turn, int count, std::vector<Point>* points) {
  Point arm{start.x - centre.x, start.y - centre.y};
  for (int i = 0; i < count; ++i) {
    points->push_back({centre.x + arm.x, centre.y + arm.y});
    arm = Rotate(arm, turn);
  }
}

std::vector<Point> Regular(float radius, Turn turn, int count) {
  std::vector<Point> points;
  AppendArc({0, 0}, {0, -radius}, turn, count, &points);
  return points;
}

std::vector<Point> Star() {
  std::vector<Point> points;
  Point direction{0, -1};
  for (int i = 0; i < 10; ++i) {
    const float radius = i % 2 == 0 ? 1.1f : 0.47f;
    points.push_back({direction.x * radius, direction.y * radius});
    direction = Rotate(direction, kTurn36);
  }
  return points;
}

// Half a disk less half an ellipse with the same tips.
std::vector<Point> Crescent() {
  constexpr float kShift = 0.45f;
  constexpr float kInner = 0.32f;
  std::vector<Point> half;
  AppendArc({0, 0}, {0, 1}, kTurn11, kCirclePoints / 2 + 1, &half);
  std::vector<Point> points;
  for (const Point p : half) points.push_back({p.x * 0.95f + kShift, p.y});
  for (size_t i = half.size() - 1; i-- > 1;) points.push_back({half[i].x * kInner + kShift, half[i].y});
  return points;
}

// A square on its corner with a half disk on each upper side.
std::vector<Point> Heart() {
  constexpr float kCorner = 0.78f;
  constexpr float kHalf = kCorner / 2;
  std::vector<Point> points{{0, kCorner}};
  AppendArc({kHalf, -kHalf}, {kCorner, 0}, kTurnMinus22, 9, &points);
  AppendArc({-kHalf, -kHalf}, {0, -kCorner}, kTurnMinus22, 9, &points);
  for (Point& p : points) p.y += 0.15f;
  return points;
}

std::vector<Point> Cross() {
  constexpr float kArm = 0.95f;
  constexpr float kHalf = 0.3f;
  return {{-kHalf, -kArm}, {kHalf, -kArm}, {kHalf, -kHalf}, {kArm, -kHalf}, {kArm, kHalf},   {kHalf, kHalf},
          {kHalf, kArm},   {-kHalf, kArm}, {-kHalf, kHalf}, {-kArm, kHalf}, {-kArm, -kHalf}, {-kHalf, -kHalf}};
}

std::vector<Point> Arrow() {
  return {{-1, -0.24f}, {0.05f, -0.24f}, {0.05f, -0.72f}, {1.05f, 0}, {0.05f, 0.72f}, {0.05f, 0.24f}, {-1, 0.24f}};
}

// First of the points at 1/4, 3/4, 5/4, ... that is not left of `x`, as its number; clipped to the grid.
int FirstPoint(float x) {
  return static_cast<int>(std::ceil(std::clamp(2 * x - 0.5f, 0.0f, static_cast<float>(2 * kShapesSide))));
}

// Where the edges cross the horizontal line at `y`, in ascending order.
void Crossings(const Outline& outline, float y, std::vector<float>* xs) {
  xs->clear();
  for (const std::vector<Point>& polygon : outline) {
    Point from = polygon.back();
    for (const Point to : polygon) {
      if ((from.y <= y) != (to.y <= y)) xs->push_back(from.x + (y - from.y) / (to.y - from.y) * (to.x - from.x));
      from = to;
    }
  }
  std::sort(xs->begin(), xs->end());
}

}  // namespace

Outline ShapeOutline(int shape) {
  switch (shape) {
    case 0:
      return {Regular(0.9f, kTurn11, kCirclePoints)};
    case 1:
      return {Regular(0.95f, kTurn11, kCirclePoints), Regular(0.5f, kTurn11, kCirclePoints)};
    case 2:
      return {Regular(1.1f, kTurn120, 3)};
    case 3:
      return {{{-0.8f, -0.8f}, {0.8f, -0.8f}, {0.8f, 0.8f}, {-0.8f, 0.8f}}};
    case 4:
      return {Regular(1.0f, kTurn72, 5)};
    case 5:
      return {Star()};
    case 6:
      return {Cross()};
    case 7:
      return {Crescent()};
    case 8:
      return {Heart()};
    default:
      return {Arrow()};
  }
}

void Transform(const Affine& affine, Outline* outline) {
  for (std::vector<Point>& polygon : *outline) {
    for (Point& p : polygon) {
      p = {affine.a * p.x + affine.b * p.y + affine.x0, affine.c * p.x + affine.d * p.y + affine.y0};
    }
  }
}

void Rasterise(const Outline& outline, Coverage* dst) {
  std::fill_n(dst->points.begin() + dst->first_row * kShapesSide, (dst->last_row - dst->first_row) * kShapesSide,
              0);
  float top = kShapesSide;
  float bottom = 0;
  for (const std::vector<Point>& polygon : outline) {
    for (const Point p : polygon) {
      top = std::min(top, p.y);
      bottom = std::max(bottom, p.y);
    }
  }
  dst->first_row = static_cast<int>(std::clamp(std::floor(top), 0.0f, static_cast<float>(kShapesSide)));
  dst->last_row = static_cast<int>(std::clamp(std::ceil(bottom), 0.0f, static_cast<float>(kShapesSide)));
  dst->last_row = std::max(dst->last_row, dst->first_row);
  std::vector<float> xs;
  for (int row = 2 * dst->first_row; row < 2 * dst->last_row; ++row) {
    Crossings(outline, (static_cast<float>(row) + 0.5f) * 0.5f, &xs);
    uint8_t* line = dst->points.data() + row / 2 * kShapesSide;
    for (size_t i = 0; i + 1 < xs.size(); i += 2) {
      const int end = FirstPoint(xs[i + 1]);
      for (int at = FirstPoint(xs[i]); at < end; ++at) ++line[at / 2];
    }
  }
}

}  // namespace strait
