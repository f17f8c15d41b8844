// Intra codecs that ffmpeg brings: AVIF's AV1 and HEVC. All images go through one call, each a frame of its own;
// what is counted of an image is its packet, without container and parameter sets, which is kinder to them than
// files would be (of AV1 each packet holds its sequence header, 12 bytes).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "strait/result.h"

namespace strait {

enum class VideoCodec { kAvif, kHevc };

// "avif", "hevc".
const char* VideoCodecName(VideoCodec codec);

// Constant rate factors that the tool measures, fewest bytes first.
std::vector<int> VideoQualities(VideoCodec codec);

struct CodedImages {
  std::vector<size_t> bytes;  // of each image
  std::vector<Image> decoded;
};

// Codes a small image: to be asked before an hour of measuring. kIo when there is no ffmpeg on PATH or it was built
// without the encoder.
Status CheckVideoCodec(VideoCodec codec);

// kInvalidArgument unless the images are of one size, both sides even.
Status CheckVideoImages(VideoCodec codec, const std::vector<Image>& images);

// Of such images. 4:2:0 chroma, as JPEG and WebP have it. Errors: kInvalidArgument, kIo with what ffmpeg said.
Result<CodedImages> CodeImages(VideoCodec codec, const std::vector<Image>& images, int quality);

}  // namespace strait
