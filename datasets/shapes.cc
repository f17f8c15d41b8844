#include "datasets/shapes.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "datasets/random.h"
#include "datasets/shapes_outline.h"
#include "entropy/error.h"

namespace strait {
namespace {

// How hard the set is. Lengths are in pixels of the 64x64 image, colours in [0, 1].
constexpr float kMinRadius = 12.0f;  // of the object; below 8 pentagon, disk and square merge for people too
constexpr float kMaxRadius = 22.0f;
constexpr float kMaxStretch = 1.35f;  // ratio of the two axes of the object, in a random direction
// The object is brighter than the ground, on average over the channels: with either sign of the contrast the
// built-in network reached 14 % after six epochs (strait-train backbone), so 94 % after seven.
constexpr float kMaxGround = 0.5f;         // of a channel of the ground's base colour
constexpr float kMinContrast = 0.25f;      // mean difference of the two base colours, object less ground
constexpr float kMaxTextureSwing = 0.16f;  // how far a texture's second colour lies from its base, a channel
constexpr float kMinTexturePeriod = 4.0f;  // of stripes, checks and value noise
constexpr float kMaxTexturePeriod = 16.0f;
constexpr int kMaxDistractors = 4;  // small outlines and blobs behind the object
constexpr float kMinDistractorRadius = 2.0f;
constexpr float kMaxDistractorRadius = 6.0f;
constexpr int kMaxOccluders = 2;  // bars and blobs in front of it
constexpr float kMaxOccluderRadius = 4.5f;
constexpr float kMaxBarWidth = 3.0f;
constexpr float kMinLight = 0.55f;  // brightness at the darkest border, the opposite one having 1
constexpr float kMaxNoise = 0.10f;  // half width of the triangular noise on each channel

constexpr int kPixels = kShapesSide * kShapesSide;
using Colour = std::array<float, 3>;

Colour RandomColour(Random& random, float max_channel = 0.95f) {
  Colour colour;
  for (float& channel : colour) channel = random.Uniform(0.05f, max_channel);
  return colour;
}

// A colour brighter than `other` by at least `contrast`, on average over the channels.
Colour BrighterColour(const Colour& other, float contrast, Random& random) {
  while (true) {
    const Colour colour = RandomColour(random);
    float sum = 0;
    for (int c = 0; c < 3; ++c) sum += colour[c] - other[c];
    if (sum >= 3 * contrast) return colour;
  }
}

// A uniformly distributed direction without sine or cosine: a point of the disk, normalised.
Point RandomDirection(Random& random) {
  while (true) {
    const Point p{random.Uniform(-1, 1), random.Uniform(-1, 1)};
    const float square = p.x * p.x + p.y * p.y;
    if (square > 1 || square < 0.01f) continue;
    const float length = std::sqrt(square);
    return {p.x / length, p.y / length};
  }
}

// Rotation, then a stretch along a random axis, then rotation back to nowhere in particular; size kept.
Affine RandomAffine(float radius, float max_stretch, Point centre, Random& random) {
  const Point first = RandomDirection(random);
  const Point second = RandomDirection(random);
  const float ratio = std::sqrt(random.Uniform(1, max_stretch));
  const float along = radius * ratio;
  const float across = radius / ratio;
  return {second.x * along * first.x - second.y * across * first.y,
          -second.x * along * first.y - second.y * across * first.x,
          second.y * along * first.x + second.x * across * first.y,
          -second.y * along * first.y + second.x * across * first.x,
          centre.x,
          centre.y};
}

// A colour for each pixel: two colours mixed by a gradient, stripes, checks or smooth value noise.
class Texture {
 public:
  Texture(const Colour& base, Random& random) : kind_(random.Below(5)), base_(base) {
    for (float& channel : swing_) channel = random.Uniform(-kMaxTextureSwing, kMaxTextureSwing);
    const float period = random.Uniform(kMinTexturePeriod, kMaxTexturePeriod);
    const Point direction = RandomDirection(random);
    step_ = {direction.x / period, direction.y / period};
    phase_ = {random.Uniform(), random.Uniform()};
    if (kind_ == kNoise) {
      for (float& value : lattice_) value = random.Uniform(-1, 1);
    }
  }

  Colour At(int x, int y) const {
    const float t = Mix(static_cast<float>(x), static_cast<float>(y));
    return {base_[0] + t * swing_[0], base_[1] + t * swing_[1], base_[2] + t * swing_[2]};
  }

 private:
  enum Kind : uint32_t { kFlat, kGradient, kStripes, kChecks, kNoise };
  static constexpr int kLattice = 32;  // the noise repeats after that many cells, more than the image has

  // In [-1, 1].
  float Mix(float x, float y) const {
    const float u = x * step_.x + y * step_.y + phase_.x;
    const float v = x * step_.y - y * step_.x + phase_.y;
    switch (kind_) {
      case kGradient:
        return std::clamp((x + y - kShapesSide) * (1.0f / kShapesSide), -1.0f, 1.0f);
      case kStripes:
        return Wave(u);
      case kChecks:
        return Wave(u) * Wave(v);
      case kNoise:
        return Noise(u, v);
      default:
        return 0;
    }
  }

  // Triangle wave of period 1.
  static float Wave(float u) { return 4 * std::abs(u - std::floor(u) - 0.5f) - 1; }

  float Noise(float u, float v) const {
    const float u0 = std::floor(u);
    const float v0 = std::floor(v);
    const float s = Smooth(u - u0);
    const float t = Smooth(v - v0);
    const int i = static_cast<int>(u0);
    const int j = static_cast<int>(v0);
    const float top = Cell(i, j) + s * (Cell(i + 1, j) - Cell(i, j));
    const float bottom = Cell(i, j + 1) + s * (Cell(i + 1, j + 1) - Cell(i, j + 1));
    return top + t * (bottom - top);
  }
  static float Smooth(float t) { return t * t * (3 - 2 * t); }
  float Cell(int i, int j) const { return lattice_[(j & (kLattice - 1)) * kLattice + (i & (kLattice - 1))]; }

  uint32_t kind_;
  Colour base_;
  Colour swing_;
  Point step_;
  Point phase_;
  std::array<float, kLattice * kLattice> lattice_;
};

// The picture as it is built up, layer over layer.
class Canvas {
 public:
  Canvas(const Texture& ground) {
    for (int i = 0; i < kPixels; ++i) colours_[i] = ground.At(i % kShapesSide, i / kShapesSide);
  }

  // Paints `outline`; mask pixels of which it hides half or more become `mask_value`.
  void Paint(const Outline& outline, const Texture& texture, uint8_t mask_value, std::vector<uint8_t>* mask) {
    Rasterise(outline, &coverage_);
    for (int i = coverage_.first_row * kShapesSide; i < coverage_.last_row * kShapesSide; ++i) {
      const int points = coverage_.points[i];
      if (points == 0) continue;
      const Colour colour = texture.At(i % kShapesSide, i / kShapesSide);
      const float alpha = static_cast<float>(points) * (1.0f / kFullCoverage);
      for (int c = 0; c < 3; ++c) colours_[i][c] += alpha * (colour[c] - colours_[i][c]);
      if (2 * points >= kFullCoverage) (*mask)[i] = mask_value;
    }
  }

  // Light that falls off in one direction, then triangular noise, then 8 bits.
  std::vector<uint8_t> Develop(Random& random) const {
    const Point direction = RandomDirection(random);
    const float fall = (1 - random.Uniform(kMinLight, 1)) * 0.5f;
    const float noise = random.Uniform(0, kMaxNoise) * (1.0f / 256);
    std::vector<uint8_t> pixels(3 * kPixels);
    for (int i = 0; i < kPixels; ++i) {
      const float x = (static_cast<float>(i % kShapesSide) - kShapesSide / 2) * (1.0f / kShapesSide);
      const float y = (static_cast<float>(i / kShapesSide) - kShapesSide / 2) * (1.0f / kShapesSide);
      const float light = 1 - fall + fall * 1.4142135f * (direction.x * x + direction.y * y);
      uint64_t bits = random.Next();
      for (int c = 0; c < 3; ++c, bits >>= 16) {
        const int triangular = static_cast<int>(bits & 0xFF) - static_cast<int>((bits >> 8) & 0xFF);
        const float value = colours_[i][c] * light + noise * static_cast<float>(triangular);
        pixels[3 * i + c] = static_cast<uint8_t>(std::clamp(value, 0.0f, 1.0f) * 255.0f + 0.5f);
      }
    }
    return pixels;
  }

 private:
  std::array<Colour, kPixels> colours_;
  Coverage coverage_;
};

Point RandomPoint(float margin, Random& random) {
  const float x = random.Uniform(margin, kShapesSide - margin);
  return {x, random.Uniform(margin, kShapesSide - margin)};
}

// A bar through `at` in a random direction, or a blob there.
Outline RandomOccluder(Point at, Random& random) {
  if (random.Chance(0.5f)) {
    const Point direction = RandomDirection(random);
    const float half_length = random.Uniform(10, 40);
    const float half_width = random.Uniform(0.5f, kMaxBarWidth / 2);
    const Point along{direction.x * half_length, direction.y * half_length};
    const Point across{-direction.y * half_width, direction.x * half_width};
    return {{{at.x - along.x - across.x, at.y - along.y - across.y},
             {at.x + along.x - across.x, at.y + along.y - across.y},
             {at.x + along.x + across.x, at.y + along.y + across.y},
             {at.x - along.x + across.x, at.y - along.y + across.y}}};
  }
  Outline blob = ShapeOutline(0);
  Transform(RandomAffine(random.Uniform(kMinDistractorRadius, kMaxOccluderRadius), 2.0f, at, random), &blob);
  return blob;
}

Sample Render(uint64_t seed, Subset subset, uint64_t index) {
  Random random(seed, static_cast<uint64_t>(subset), index);
  const int shape = static_cast<int>(index % kNumShapes);
  Sample sample{{kShapesSide, kShapesSide, {}}, shape, std::vector<uint8_t>(kPixels)};

  const Colour ground_colour = RandomColour(random, kMaxGround);
  const Colour object_colour = BrighterColour(ground_colour, kMinContrast, random);
  Canvas canvas(Texture(ground_colour, random));
  for (uint32_t left = random.Below(kMaxDistractors + 1); left > 0; --left) {
    Outline outline = ShapeOutline(static_cast<int>(random.Below(kNumShapes)));
    const float radius = random.Uniform(kMinDistractorRadius, kMaxDistractorRadius);
    Transform(RandomAffine(radius, 2.0f, RandomPoint(0, random), random), &outline);
    canvas.Paint(outline, Texture(RandomColour(random), random), 0, &sample.mask);
  }

  const float radius = random.Uniform(kMinRadius, kMaxRadius);
  const Point centre = RandomPoint(0.9f * radius, random);
  Outline object = ShapeOutline(shape);
  Transform(RandomAffine(radius, kMaxStretch, centre, random), &object);
  canvas.Paint(object, Texture(object_colour, random), static_cast<uint8_t>(shape + 1), &sample.mask);

  for (uint32_t left = random.Below(kMaxOccluders + 1); left > 0; --left) {
    const Point offset{random.Uniform(-radius, radius), random.Uniform(-radius, radius)};
    const Outline outline = RandomOccluder({centre.x + offset.x, centre.y + offset.y}, random);
    canvas.Paint(outline, Texture(RandomColour(random), random), 0, &sample.mask);
  }
  sample.image.pixels = canvas.Develop(random);
  return sample;
}

class Shapes final : public Dataset {
 public:
  Shapes(const ShapesOptions& options, Subset subset)
      : seed_(options.seed),
        subset_(subset),
        size_(subset == Subset::kTrain ? options.train_size : options.validation_size),
        class_names_(kShapeNames.begin(), kShapeNames.end()) {}

  size_t size() const override { return size_; }
  const std::vector<std::string>& class_names() const override { return class_names_; }

  Result<Sample> Get(size_t index) const override {
    if (index >= size_) return Error(StatusCode::kInvalidArgument, "shapes: image ", index, " of ", size_);
    return Render(seed_, subset_, index);
  }

 private:
  uint64_t seed_;
  Subset subset_;
  size_t size_;
  std::vector<std::string> class_names_;
};

}  // namespace

std::unique_ptr<Dataset> MakeShapes(const ShapesOptions& options, Subset subset) {
  return std::make_unique<Shapes>(options, subset);
}

}  // namespace strait
