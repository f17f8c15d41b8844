#include "datasets/augment.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "test_files.h"

namespace strait {
namespace {

// Red counts columns, green rows, blue is constant.
Image Ramp(int height, int width) {
  Image image{height, width, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (const int value : {x, y, 77}) image.pixels.push_back(static_cast<uint8_t>(value));
    }
  }
  return image;
}

const uint8_t* At(const Image& image, int y, int x) { return &image.pixels[(y * image.width + x) * 3]; }

TEST(ResizeAndCrop, KeepsTheImageWhereNothingIsAsked) {
  const Image image = Ramp(5, 7);
  const auto out = ResizeAndCrop(image, {});
  ASSERT_TRUE(out.ok());
  EXPECT_EQ(out->height, 5);
  EXPECT_EQ(out->width, 7);
  EXPECT_EQ(out->pixels, image.pixels);
}

TEST(ResizeAndCrop, CropsTheCentreRoundedDown) {
  Preprocess preprocess;
  preprocess.crop = 4;
  const auto out = ResizeAndCrop(Ramp(9, 12), preprocess);
  ASSERT_TRUE(out.ok());
  ASSERT_EQ(out->height, 4);
  ASSERT_EQ(out->width, 4);
  EXPECT_EQ(At(*out, 0, 0)[0], 4);  // (12 - 4) / 2
  EXPECT_EQ(At(*out, 0, 0)[1], 2);  // floor((9 - 4) / 2)
  EXPECT_EQ(At(*out, 3, 3)[0], 7);
  EXPECT_EQ(At(*out, 3, 3)[1], 5);
}

TEST(ResizeAndCrop, BringsTheShorterSideToResizeAndKeepsTheAspect) {
  Preprocess preprocess;
  preprocess.resize = 10;
  const auto wide = ResizeAndCrop(Ramp(20, 31), preprocess);
  ASSERT_TRUE(wide.ok());
  EXPECT_EQ(wide->height, 10);
  EXPECT_EQ(wide->width, 16);  // 15.5 rounds up
  const auto tall = ResizeAndCrop(Ramp(50, 5), preprocess);
  ASSERT_TRUE(tall.ok());
  EXPECT_EQ(tall->height, 100);
  EXPECT_EQ(tall->width, 10);
}

TEST(ResizeAndCrop, AveragesAreasWhenShrinking) {
  Image image{2, 4, {}};
  for (const int value : {0, 100, 40, 80, 20, 40, 60, 180}) image.pixels.insert(image.pixels.end(), 3, value);
  Preprocess preprocess;
  preprocess.resize = 1;
  const auto out = ResizeAndCrop(image, preprocess);
  ASSERT_TRUE(out.ok());
  ASSERT_EQ(out->pixels.size(), 6u);
  EXPECT_EQ(out->pixels[0], 40);  // (0 + 100 + 20 + 40) / 4
  EXPECT_EQ(out->pixels[3], 90);  // (40 + 80 + 60 + 180) / 4
}

TEST(ResizeAndCrop, TellsHowToFitACropThatIsTooLarge) {
  Preprocess preprocess;
  preprocess.crop = 10;
  ExpectError(ResizeAndCrop(Ramp(9, 20), preprocess), StatusCode::kInvalidArgument, "set resize to at least 10");
}

TEST(ResizeAndCrop, RefusesAnImageWhosePixelsDoNotMatchItsSize) {
  Image image = Ramp(4, 4);
  image.pixels.pop_back();
  ExpectError(ResizeAndCrop(image, {}), StatusCode::kInvalidArgument, "4x4 has 47 bytes");
  ExpectError(ResizeAndCrop(Image{}, {}), StatusCode::kInvalidArgument, "0x0");
}

TEST(ValidatePreprocess, RefusesFieldsOutOfRange) {
  auto code_with = [](auto change) {
    Preprocess preprocess;
    change(preprocess);
    return ValidatePreprocess(preprocess).code();
  };
  EXPECT_EQ(code_with([](Preprocess&) {}), StatusCode::kOk);
  EXPECT_EQ(code_with([](Preprocess& p) { p.crop = -1; }), StatusCode::kInvalidArgument);
  EXPECT_EQ(code_with([](Preprocess& p) { p.resize = 1 << 20; }), StatusCode::kInvalidArgument);
  EXPECT_EQ(code_with([](Preprocess& p) { p.min_area = 0; }), StatusCode::kInvalidArgument);
  EXPECT_EQ(code_with([](Preprocess& p) { p.min_area = std::nanf(""); }), StatusCode::kInvalidArgument);
  EXPECT_EQ(code_with([](Preprocess& p) { p.std[1] = 0; }), StatusCode::kInvalidArgument);
  EXPECT_EQ(code_with([](Preprocess& p) { p.mean[2] = std::numeric_limits<float>::infinity(); }),
            StatusCode::kInvalidArgument);
}

TEST(Normalize, FollowsItsFormulaInPlanes) {
  const Image image{1, 2, {0, 51, 102, 153, 204, 255}};
  Preprocess preprocess;
  const float mean[3] = {0.5f, 0.25f, 0.0f};
  const float std[3] = {0.5f, 1.0f, 2.0f};
  std::copy_n(mean, 3, preprocess.mean);
  std::copy_n(std, 3, preprocess.std);
  float dst[6];
  Normalize(image, preprocess, dst);
  const float wanted[6] = {-1.0f, 0.2f, -0.05f, 0.55f, 0.2f, 0.5f};
  for (int i = 0; i < 6; ++i) EXPECT_NEAR(dst[i], wanted[i], 1e-6f) << i;
}

TEST(RandomCropBox, StaysInsideWithTheAreaAndAspectAskedFor) {
  float least = 1;
  float most = 0;
  for (uint64_t i = 0; i < 2000; ++i) {
    Random random(3, 0, i);
    const CropBox box = RandomCropBox(200, 200, 0.35f, random);
    ASSERT_GE(box.x, 0);
    ASSERT_GE(box.y, 0);
    ASSERT_LE(box.x + box.width, 200);
    ASSERT_LE(box.y + box.height, 200);
    const float share = static_cast<float>(box.width) * static_cast<float>(box.height) / 40000.0f;
    const float aspect = static_cast<float>(box.width) / static_cast<float>(box.height);
    EXPECT_GT(share, 0.34f);
    EXPECT_GT(aspect, 0.74f);
    EXPECT_LT(aspect, 1.35f);
    least = std::min(least, share);
    most = std::max(most, share);
  }
  EXPECT_LT(least, 0.37f);
  EXPECT_GT(most, 0.9f);
}

TEST(RandomCropBox, FindsABoxInImagesOfAnyShape) {
  for (const auto& [height, width] : {std::pair{1, 1}, {1, 500}, {500, 1}, {3, 7}, {64, 1000}}) {
    for (uint64_t i = 0; i < 50; ++i) {
      Random random(1, 2, i);
      const CropBox box = RandomCropBox(height, width, 1.0f, random);
      EXPECT_TRUE(box.x >= 0 && box.y >= 0 && box.width >= 1 && box.height >= 1);
      EXPECT_TRUE(box.x + box.width <= width && box.y + box.height <= height);
    }
  }
}

TEST(PreprocessSample, FlipsHalfOfTheImagesAndNoneWithoutFlip) {
  Preprocess preprocess;
  preprocess.augment = true;
  preprocess.crop = 16;
  int flipped = 0;
  for (uint64_t i = 0; i < 400; ++i) {
    for (const bool flip : {true, false}) {
      preprocess.flip = flip;
      Random random(9, 0, i);
      const auto out = PreprocessSample({Ramp(40, 40), 0, {}}, preprocess, random);
      ASSERT_TRUE(out.ok());
      ASSERT_EQ(out->image.height, 16);
      const bool mirrored = At(out->image, 8, 0)[0] > At(out->image, 8, 15)[0];
      if (flip)
        flipped += mirrored;
      else
        EXPECT_FALSE(mirrored);
      EXPECT_LT(At(out->image, 0, 8)[1], At(out->image, 15, 8)[1]);
    }
  }
  EXPECT_GT(flipped, 160);
  EXPECT_LT(flipped, 240);
}

TEST(PreprocessSample, MovesTheMaskWithTheImage) {
  Preprocess preprocess;
  preprocess.augment = true;
  preprocess.crop = 32;
  for (uint64_t i = 0; i < 100; ++i) {
    Sample sample{Ramp(64, 64), 0, std::vector<uint8_t>(64 * 64)};
    for (int p = 0; p < 64 * 64; ++p) {
      const bool object = p % 64 >= 20 && p % 64 < 50 && p / 64 >= 10;
      sample.mask[p] = object ? 3 : 0;
      std::fill_n(&sample.image.pixels[3 * p], 3, static_cast<uint8_t>(object ? 240 : 10));
    }
    Random random(4, 1, i);
    const auto out = PreprocessSample(std::move(sample), preprocess, random);
    ASSERT_TRUE(out.ok());
    ASSERT_EQ(out->mask.size(), 32u * 32);
    int mismatches = 0;
    for (int p = 0; p < 32 * 32; ++p) {
      ASSERT_TRUE(out->mask[p] == 0 || out->mask[p] == 3);
      mismatches += (out->mask[p] == 3) != (out->image.pixels[3 * p] > 125);
    }
    EXPECT_LE(mismatches, 3 * 32) << "image " << i;  // at most one pixel along the three edges
  }
}

TEST(PreprocessSample, KeepsTheSizeWhenAugmentingWithoutACrop) {
  Preprocess preprocess;
  preprocess.augment = true;
  Random random(4, 1, 0);
  const auto out = PreprocessSample({Ramp(30, 20), 0, {}}, preprocess, random);
  ASSERT_TRUE(out.ok());
  EXPECT_EQ(out->image.height, 30);
  EXPECT_EQ(out->image.width, 20);
}

}  // namespace
}  // namespace strait
