#include "bench/rd/baseline_codecs.h"

#include <c10/util/Half.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "entropy/error.h"
#include "entropy/zstd_block.h"

namespace strait {
namespace {

constexpr int kZstdLevel = 3;
constexpr float kMaxHalf = 65504;
constexpr size_t kRangeBytes = 2 * sizeof(float);  // of u8-zstd: minimum and maximum

std::vector<uint8_t> ToHalf(std::span<const float> src) {
  std::vector<uint8_t> dst(src.size() * sizeof(c10::Half));
  for (size_t i = 0; i < src.size(); ++i) {
    const c10::Half half(std::clamp(src[i], -kMaxHalf, kMaxHalf));
    std::memcpy(dst.data() + i * sizeof half, &half, sizeof half);
  }
  return dst;
}

void FromHalf(std::span<const uint8_t> src, std::span<float> dst) {
  for (size_t i = 0; i < dst.size(); ++i) {
    c10::Half half;
    std::memcpy(&half, src.data() + i * sizeof half, sizeof half);
    dst[i] = half;
  }
}

Result<std::vector<uint8_t>> EncodeU8(std::span<const float> src) {
  const auto [low, high] = std::minmax_element(src.begin(), src.end());
  const float range[2] = {*low, *high};
  // In double: the difference of two floats may overflow one.
  const double scale = range[1] > range[0] ? 255 / (static_cast<double>(range[1]) - range[0]) : 0;
  std::vector<uint8_t> values(src.size());
  for (size_t i = 0; i < src.size(); ++i) {
    values[i] = static_cast<uint8_t>(std::lround((static_cast<double>(src[i]) - range[0]) * scale));
  }
  STRAIT_ASSIGN_OR_RETURN(const std::vector<uint8_t> packed, ZstdCompress(values, kZstdLevel));
  std::vector<uint8_t> dst(kRangeBytes);
  std::memcpy(dst.data(), range, kRangeBytes);
  dst.insert(dst.end(), packed.begin(), packed.end());
  return dst;
}

Status DecodeU8(std::span<const uint8_t> bytes, std::span<float> dst) {
  if (bytes.size() < kRangeBytes) {
    return Error(StatusCode::kTruncated, "u8-zstd: need ", kRangeBytes, " bytes of range, have ", bytes.size());
  }
  float range[2];
  std::memcpy(range, bytes.data(), kRangeBytes);
  STRAIT_ASSIGN_OR_RETURN(const std::vector<uint8_t> values,
                          ZstdDecompress(bytes.subspan(kRangeBytes), dst.size()));
  if (values.size() != dst.size()) {
    return Error(StatusCode::kCorrupt, "u8-zstd: need ", dst.size(), " values, have ", values.size());
  }
  const double step = (static_cast<double>(range[1]) - range[0]) / 255;
  for (size_t i = 0; i < dst.size(); ++i) dst[i] = static_cast<float>(range[0] + values[i] * step);
  return {};
}

}  // namespace

const char* FeatureCodecName(FeatureCodec codec) {
  switch (codec) {
    case FeatureCodec::kRaw:
      return "raw";
    case FeatureCodec::kF16Zstd:
      return "f16-zstd";
    case FeatureCodec::kU8Zstd:
      return "u8-zstd";
  }
  return "?";
}

Result<std::vector<uint8_t>> EncodeFeature(FeatureCodec codec, std::span<const float> src) {
  if (src.empty()) return Error(StatusCode::kInvalidArgument, FeatureCodecName(codec), ": empty feature tensor");
  const auto bad = std::find_if(src.begin(), src.end(), [](float value) { return !std::isfinite(value); });
  if (bad != src.end()) {
    return Error(StatusCode::kInvalidArgument, FeatureCodecName(codec), ": value ", bad - src.begin(), " is ", *bad,
                 ", need finite values");
  }
  switch (codec) {
    case FeatureCodec::kRaw: {
      std::vector<uint8_t> dst(src.size_bytes());
      std::memcpy(dst.data(), src.data(), src.size_bytes());
      return dst;
    }
    case FeatureCodec::kF16Zstd:
      return ZstdCompress(ToHalf(src), kZstdLevel);
    case FeatureCodec::kU8Zstd:
      return EncodeU8(src);
  }
  return Error(StatusCode::kInternal, "feature codec ", static_cast<int>(codec), " is unknown");
}

Status DecodeFeature(FeatureCodec codec, std::span<const uint8_t> bytes, std::span<float> dst) {
  switch (codec) {
    case FeatureCodec::kRaw: {
      if (bytes.size() != dst.size_bytes()) {
        return Error(StatusCode::kCorrupt, "raw: need ", dst.size_bytes(), " bytes, have ", bytes.size());
      }
      std::memcpy(dst.data(), bytes.data(), bytes.size());
      return {};
    }
    case FeatureCodec::kF16Zstd: {
      const size_t want_bytes = dst.size() * sizeof(c10::Half);
      STRAIT_ASSIGN_OR_RETURN(const std::vector<uint8_t> halves, ZstdDecompress(bytes, want_bytes));
      if (halves.size() != want_bytes) {
        return Error(StatusCode::kCorrupt, "f16-zstd: need ", want_bytes, " bytes, have ", halves.size());
      }
      FromHalf(halves, dst);
      return {};
    }
    case FeatureCodec::kU8Zstd:
      return DecodeU8(bytes, dst);
  }
  return Error(StatusCode::kInternal, "feature codec ", static_cast<int>(codec), " is unknown");
}

const char* ImageCodecName(ImageCodec codec) {
  switch (codec) {
    case ImageCodec::kJpeg:
      return "jpeg";
    case ImageCodec::kWebp:
      return "webp";
    case ImageCodec::kPng:
      return "png";
  }
  return "?";
}

std::vector<int> ImageQualities(ImageCodec codec) {
  switch (codec) {
    case ImageCodec::kJpeg:
      return {5, 10, 20, 30, 50, 75, 90};
    case ImageCodec::kWebp:
      return {1, 5, 10, 20, 30, 50, 75};
    case ImageCodec::kPng:
      return {0};
  }
  return {};
}

Result<std::vector<uint8_t>> EncodeImage(ImageCodec codec, const Image& src, int quality) {
  const char* name = ImageCodecName(codec);
  const size_t want_bytes = static_cast<size_t>(src.height) * src.width * 3;
  if (src.height <= 0 || src.width <= 0 || src.pixels.size() != want_bytes) {
    return Error(StatusCode::kInvalidArgument, name, ": need ", src.height, "x", src.width, "x3 bytes, got ",
                 src.pixels.size());
  }
  if (codec != ImageCodec::kPng && (quality < 1 || quality > 100)) {
    return Error(StatusCode::kInvalidArgument, name, ": quality must be in 1..100, got ", quality);
  }
  std::vector<int> parameters;
  switch (codec) {
    case ImageCodec::kJpeg:
      parameters = {cv::IMWRITE_JPEG_QUALITY, quality, cv::IMWRITE_JPEG_OPTIMIZE, 1};
      break;
    case ImageCodec::kWebp:
      parameters = {cv::IMWRITE_WEBP_QUALITY, quality};
      break;
    case ImageCodec::kPng:
      parameters = {cv::IMWRITE_PNG_COMPRESSION, 9};
      break;
  }
  std::string extension = ".";
  extension += name;
  std::vector<uint8_t> bytes;
  try {
    const cv::Mat rgb(src.height, src.width, CV_8UC3, const_cast<uint8_t*>(src.pixels.data()));
    cv::Mat bgr;
    cv::cvtColor(rgb, bgr, cv::COLOR_RGB2BGR);
    if (!cv::imencode(extension, bgr, bytes, parameters)) {
      return Error(StatusCode::kInternal, name, ": OpenCV could not encode the image");
    }
  } catch (const cv::Exception& exception) {
    return Error(StatusCode::kUnsupported, name, ": OpenCV: ", exception.err);
  }
  return bytes;
}

Result<Image> DecodeImage(std::span<const uint8_t> bytes) {
  if (bytes.empty()) return Error(StatusCode::kTruncated, "image: no bytes");
  try {
    const cv::Mat packed(1, static_cast<int>(bytes.size()), CV_8UC1, const_cast<uint8_t*>(bytes.data()));
    const cv::Mat bgr = cv::imdecode(packed, cv::IMREAD_COLOR);
    if (bgr.empty()) return Error(StatusCode::kCorrupt, "image: OpenCV could not decode ", bytes.size(), " bytes");
    Image image{bgr.rows, bgr.cols, std::vector<uint8_t>(bgr.total() * 3)};
    cv::Mat rgb(bgr.rows, bgr.cols, CV_8UC3, image.pixels.data());
    cv::cvtColor(bgr, rgb, cv::COLOR_BGR2RGB);
    return image;
  } catch (const cv::Exception& exception) {
    return Error(StatusCode::kCorrupt, "image: OpenCV: ", exception.err);
  }
}

}  // namespace strait
