// The codecs a bottleneck unit is compared with, as bytes in and out; no network here.
// At the split they code one sample's float32 feature tensor, at the input one 8-bit RGB image.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "strait/result.h"

namespace strait {

enum class FeatureCodec : uint8_t {
  kRaw,      // float32 as it is
  kF16Zstd,  // float16 (round to nearest even, clamped to its finite range), then zstd level 3
  kU8Zstd,   // minimum and maximum as float32, then 8-bit values between them through zstd level 3
};

// "raw", "f16-zstd", "u8-zstd".
const char* FeatureCodecName(FeatureCodec codec);

// Errors: kInvalidArgument for a value that is not finite.
Result<std::vector<uint8_t>> EncodeFeature(FeatureCodec codec, std::span<const float> src);
// Fills dst, whose size both sides know. Errors: kTruncated, kCorrupt.
Status DecodeFeature(FeatureCodec codec, std::span<const uint8_t> bytes, std::span<float> dst);

enum class ImageCodec : uint8_t { kJpeg, kWebp, kPng };

// "jpeg", "webp", "png".
const char* ImageCodecName(ImageCodec codec);

// The qualities the tool measures, fewest bytes first; {0} for PNG, which is lossless and ignores it.
std::vector<int> ImageQualities(ImageCodec codec);

// quality: 1 to 100 (JPEG with optimised Huffman tables, WebP lossy, PNG compression level 9).
Result<std::vector<uint8_t>> EncodeImage(ImageCodec codec, const Image& src, int quality);
Result<Image> DecodeImage(std::span<const uint8_t> bytes);

}  // namespace strait
