#include "datasets/augment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "entropy/error.h"

namespace strait {
namespace {

// cv::setNumThreads is global to the process and belongs to the application, so this library does not call it.
// It does not need to: OpenCV splits a resize or colour conversion only above 2^16 destination pixels (256 x 256),
// more than the images a split network is trained on, and JPEG decoding is single-threaded anyway.

constexpr int kMaxSide = 1 << 14;

// What happens to a sample: the rectangle `box` becomes `size`, then the window of `out` at (x, y) is kept.
struct Plan {
  cv::Rect box;
  cv::Size size;
  cv::Rect out;
  bool flip = false;
};

cv::Mat Apply(const cv::Mat& src, const Plan& plan, int shrink, int grow) {
  cv::Mat dst = src(plan.box);
  if (plan.size != plan.box.size()) {
    const bool smaller = plan.size.width <= plan.box.width && plan.size.height <= plan.box.height;
    cv::Mat resized;
    cv::resize(dst, resized, plan.size, 0, 0, smaller ? shrink : grow);
    dst = resized;
  }
  dst = dst(plan.out);
  if (plan.flip) {
    cv::Mat flipped;
    cv::flip(dst, flipped, 1);
    dst = flipped;
  }
  return dst;
}

std::vector<uint8_t> ToVector(const cv::Mat& mat) {
  const size_t row_bytes = static_cast<size_t>(mat.cols) * mat.elemSize();
  std::vector<uint8_t> bytes(row_bytes * mat.rows);
  for (int y = 0; y < mat.rows; ++y) std::copy_n(mat.ptr<uint8_t>(y), row_bytes, bytes.data() + y * row_bytes);
  return bytes;
}

// OpenCV has no const view; the source is only read.
cv::Mat View(int height, int width, int type, const std::vector<uint8_t>& bytes) {
  return cv::Mat(height, width, type, const_cast<uint8_t*>(bytes.data()));
}

bool IsIdentity(const Image& image, const Plan& plan) {
  const cv::Rect all(0, 0, image.width, image.height);
  return plan.box == all && plan.size == all.size() && plan.out == all && !plan.flip;
}

Image ApplyToImage(const Image& image, const Plan& plan) {
  const cv::Mat dst =
      Apply(View(image.height, image.width, CV_8UC3, image.pixels), plan, cv::INTER_AREA, cv::INTER_LINEAR);
  return {dst.rows, dst.cols, ToVector(dst)};
}

Status CheckImage(const Image& image) {
  const size_t wanted_bytes = size_t{3} * std::max(image.height, 0) * std::max(image.width, 0);
  if (wanted_bytes == 0 || image.pixels.size() != wanted_bytes) {
    return Error(StatusCode::kInvalidArgument, "preprocess: image of ", image.height, "x", image.width, " has ",
                 image.pixels.size(), " bytes");
  }
  return Status();
}

// `side` brought to scale target / shorter, at least one pixel, halves rounded up.
int Scale(int side, int target, int shorter) {
  const int64_t scaled = (int64_t{2} * side * target + shorter) / (int64_t{2} * shorter);
  return static_cast<int>(std::max<int64_t>(1, scaled));
}

Result<Plan> PlanCentreCrop(const Image& image, const Preprocess& preprocess) {
  Plan plan;
  plan.box = cv::Rect(0, 0, image.width, image.height);
  plan.size = plan.box.size();
  if (preprocess.resize > 0) {
    const int shorter = std::min(image.height, image.width);
    plan.size =
        cv::Size(Scale(image.width, preprocess.resize, shorter), Scale(image.height, preprocess.resize, shorter));
  }
  plan.out = cv::Rect(cv::Point(), plan.size);
  if (preprocess.crop > 0) {
    const int crop = preprocess.crop;
    if (crop > std::min(plan.size.width, plan.size.height)) {
      return Error(StatusCode::kInvalidArgument, "preprocess: crop ", crop, " does not fit an image of ",
                   plan.size.height, "x", plan.size.width, ": set resize to at least ", crop);
    }
    plan.out = cv::Rect((plan.size.width - crop) / 2, (plan.size.height - crop) / 2, crop, crop);
  }
  return plan;
}

Plan PlanRandomCrop(const Image& image, const Preprocess& preprocess, Random& random) {
  const CropBox box = RandomCropBox(image.height, image.width, preprocess.min_area, random);
  Plan plan;
  plan.box = cv::Rect(box.x, box.y, box.width, box.height);
  plan.size =
      preprocess.crop > 0 ? cv::Size(preprocess.crop, preprocess.crop) : cv::Size(image.width, image.height);
  plan.out = cv::Rect(cv::Point(), plan.size);
  plan.flip = preprocess.flip && random.Chance(0.5f);
  return plan;
}

}  // namespace

Status ValidatePreprocess(const Preprocess& preprocess) {
  if (preprocess.crop < 0 || preprocess.crop > kMaxSide) {
    return Error(StatusCode::kInvalidArgument, "preprocess: crop is ", preprocess.crop, ", wanted 0 to ", kMaxSide);
  }
  if (preprocess.resize < 0 || preprocess.resize > kMaxSide) {
    return Error(StatusCode::kInvalidArgument, "preprocess: resize is ", preprocess.resize, ", wanted 0 to ",
                 kMaxSide);
  }
  if (!(preprocess.min_area > 0 && preprocess.min_area <= 1)) {
    return Error(StatusCode::kInvalidArgument, "preprocess: min_area is ", preprocess.min_area,
                 ", wanted above 0, at most 1");
  }
  for (int c = 0; c < 3; ++c) {
    if (!(preprocess.std[c] > 0) || !std::isfinite(preprocess.std[c]) || !std::isfinite(preprocess.mean[c])) {
      return Error(StatusCode::kInvalidArgument, "preprocess: channel ", c, " has mean ", preprocess.mean[c],
                   " and std ", preprocess.std[c], ", wanted finite values and std above 0");
    }
  }
  return Status();
}

CropBox RandomCropBox(int height, int width, float min_area, Random& random) {
  const float area = static_cast<float>(height) * static_cast<float>(width);
  const float log_aspect = std::log(4.0f / 3.0f);
  // Ten draws as is customary; elongated images may refuse them all.
  for (int attempt = 0; attempt < 10; ++attempt) {
    const float target = area * random.Uniform(min_area, 1.0f);
    const float aspect = std::exp(random.Uniform(-log_aspect, log_aspect));
    const int w = std::max(1, static_cast<int>(std::lround(std::sqrt(target * aspect))));
    const int h = std::max(1, static_cast<int>(std::lround(std::sqrt(target / aspect))));
    if (w > width || h > height) continue;
    const int x = static_cast<int>(random.Below(static_cast<uint32_t>(width - w + 1)));
    const int y = static_cast<int>(random.Below(static_cast<uint32_t>(height - h + 1)));
    return {x, y, w, h};
  }
  const int w = std::min(width, height * 4 / 3);
  const int h = std::min(height, width * 4 / 3);
  return {(width - w) / 2, (height - h) / 2, w, h};
}

Result<Image> ResizeAndCrop(const Image& image, const Preprocess& preprocess) {
  STRAIT_RETURN_IF_ERROR(ValidatePreprocess(preprocess));
  STRAIT_RETURN_IF_ERROR(CheckImage(image));
  STRAIT_ASSIGN_OR_RETURN(const Plan plan, PlanCentreCrop(image, preprocess));
  return IsIdentity(image, plan) ? image : ApplyToImage(image, plan);
}

Result<Sample> PreprocessSample(Sample sample, const Preprocess& preprocess, Random& random) {
  STRAIT_RETURN_IF_ERROR(CheckImage(sample.image));
  Plan plan;
  if (preprocess.augment) {
    plan = PlanRandomCrop(sample.image, preprocess, random);
  } else {
    STRAIT_ASSIGN_OR_RETURN(plan, PlanCentreCrop(sample.image, preprocess));
  }
  if (IsIdentity(sample.image, plan)) return sample;
  if (!sample.mask.empty()) {
    const cv::Mat mask = View(sample.image.height, sample.image.width, CV_8UC1, sample.mask);
    sample.mask = ToVector(Apply(mask, plan, cv::INTER_NEAREST, cv::INTER_NEAREST));
  }
  sample.image = ApplyToImage(sample.image, plan);
  return sample;
}

void Normalize(const Image& image, const Preprocess& preprocess, float* dst) {
  // A byte has 256 values: the two divisions of the definition are paid once each.
  std::array<std::array<float, 256>, 3> table;
  for (int c = 0; c < 3; ++c) {
    for (int value = 0; value < 256; ++value) {
      table[c][value] = (static_cast<float>(value) / 255.0f - preprocess.mean[c]) / preprocess.std[c];
    }
  }
  const size_t plane = static_cast<size_t>(image.height) * image.width;
  const uint8_t* src = image.pixels.data();
  for (size_t i = 0; i < plane; ++i) {
    dst[i] = table[0][src[3 * i]];
    dst[plane + i] = table[1][src[3 * i + 1]];
    dst[2 * plane + i] = table[2][src[3 * i + 2]];
  }
}

}  // namespace strait
