#include "datasets/shapes.h"

#include <algorithm>
#include <map>
#include <set>

#include "datasets/shapes_outline.h"
#include "test_files.h"

namespace strait {
namespace {

// FNV-1a, 64 bits.
uint64_t Hash(const std::vector<uint8_t>& bytes, uint64_t hash = 0xCBF29CE484222325) {
  for (const uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001B3;
  return hash;
}

Sample GetOrDie(const Dataset& dataset, size_t index) { return dataset.Get(index).value(); }

TEST(Shapes, RendersTheSamePixelsOnEveryMachine) {
  const auto train = MakeShapes({}, Subset::kTrain);
  const auto validation = MakeShapes({.seed = 7}, Subset::kValidation);
  uint64_t image_hash = Hash({});
  uint64_t mask_hash = Hash({});
  for (const size_t index : {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1234, 7999}) {
    image_hash = Hash(GetOrDie(*train, index).image.pixels, image_hash);
    mask_hash = Hash(GetOrDie(*train, index).mask, mask_hash);
  }
  for (const size_t index : {0, 17, 1999}) {
    image_hash = Hash(GetOrDie(*validation, index).image.pixels, image_hash);
    mask_hash = Hash(GetOrDie(*validation, index).mask, mask_hash);
  }
  EXPECT_EQ(image_hash, 9364181742495391832ull);
  EXPECT_EQ(mask_hash, 18021605721480999766ull);
}

TEST(Shapes, DependsOnSeedSubsetAndIndexOnly) {
  const auto reference = MakeShapes({}, Subset::kTrain);
  const auto longer = MakeShapes({.seed = 1, .train_size = 9000, .validation_size = 5}, Subset::kTrain);
  const auto other_seed = MakeShapes({.seed = 2}, Subset::kTrain);
  const auto validation = MakeShapes({}, Subset::kValidation);
  EXPECT_EQ(GetOrDie(*reference, 42).image.pixels, GetOrDie(*longer, 42).image.pixels);
  EXPECT_NE(GetOrDie(*reference, 42).image.pixels, GetOrDie(*other_seed, 42).image.pixels);
  EXPECT_NE(GetOrDie(*reference, 42).image.pixels, GetOrDie(*validation, 42).image.pixels);
  EXPECT_NE(GetOrDie(*reference, 42).image.pixels, GetOrDie(*reference, 52).image.pixels);
}

TEST(Shapes, HasAsManyImagesOfEachClass) {
  const auto dataset = MakeShapes({.seed = 1, .train_size = 200}, Subset::kTrain);
  std::map<int64_t, int> counts;
  for (size_t i = 0; i < dataset->size(); ++i) ++counts[GetOrDie(*dataset, i).label];
  ASSERT_EQ(counts.size(), 10u);
  for (const auto& [label, count] : counts) EXPECT_EQ(count, 20) << "class " << label;
  EXPECT_EQ(dataset->class_names().size(), 10u);
  const std::set<std::string> distinct(dataset->class_names().begin(), dataset->class_names().end());
  EXPECT_EQ(distinct.size(), 10u);
}

TEST(Shapes, MasksHoldTheClassOfTheVisibleObjectAndNothingElse) {
  const auto dataset = MakeShapes({}, Subset::kTrain);
  int small = 0;
  for (size_t i = 0; i < 500; ++i) {
    const Sample sample = GetOrDie(*dataset, i);
    ASSERT_EQ(sample.mask.size(), 64u * 64);
    ASSERT_EQ(sample.image.pixels.size(), 64u * 64 * 3);
    size_t covered = 0;
    for (const uint8_t value : sample.mask) {
      ASSERT_TRUE(value == 0 || value == sample.label + 1);
      covered += value != 0;
    }
    EXPECT_GT(covered, 20u) << "image " << i;
    EXPECT_LT(covered, 64u * 64 * 2 / 3) << "image " << i;
    small += covered < 60;
  }
  EXPECT_LE(small, 10);
}

TEST(Shapes, CoverageOfAnOutlineIsItsArea) {
  Outline square = {{{10.5f, 8}, {20.5f, 8}, {20.5f, 18}, {10.5f, 18}}};
  Coverage coverage;
  Rasterise(square, &coverage);
  EXPECT_EQ(coverage.points[8 * 64 + 9], 0);
  EXPECT_EQ(coverage.points[8 * 64 + 10], 2);
  EXPECT_EQ(coverage.points[17 * 64 + 15], 4);
  EXPECT_EQ(coverage.points[18 * 64 + 15], 0);
  for (int shape = 0; shape < kNumShapes; ++shape) {
    Outline outline = ShapeOutline(shape);
    Transform({20, 0, 0, 20, 32, 32}, &outline);
    double area = 0;
    for (size_t p = 0; p < outline.size(); ++p) {
      double twice = 0;
      for (size_t i = 0; i < outline[p].size(); ++i) {
        const Point a = outline[p][i];
        const Point b = outline[p][(i + 1) % outline[p].size()];
        twice += a.x * b.y - a.y * b.x;
      }
      area += (p == 0 ? 0.5 : -0.5) * std::abs(twice);  // the second polygon of the ring is its hole
    }
    Rasterise(outline, &coverage);
    int points = 0;
    for (const uint8_t value : coverage.points) points += value;
    EXPECT_NEAR(points / 4.0, area, 0.02 * area + 4) << kShapeNames[shape];
  }
}

TEST(Shapes, CutsOutlinesAtTheBorder) {
  Coverage coverage;
  Rasterise({{{-1e6f, -1e6f}, {1e6f, -1e6f}, {1e6f, 1e6f}, {-1e6f, 1e6f}}}, &coverage);
  EXPECT_TRUE(std::all_of(coverage.points.begin(), coverage.points.end(), [](uint8_t v) { return v == 4; }));
  Rasterise({{{100, 100}, {120, 100}, {110, 130}}}, &coverage);
  EXPECT_TRUE(std::all_of(coverage.points.begin(), coverage.points.end(), [](uint8_t v) { return v == 0; }));
}

TEST(Shapes, RefusesAnIndexBeyondItsSize) {
  ExpectError(MakeShapes({.seed = 1, .train_size = 10}, Subset::kTrain)->Get(10), StatusCode::kInvalidArgument,
              "10 of 10");
}

}  // namespace
}  // namespace strait
