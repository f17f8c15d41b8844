// Pictures on their way into the network: read and prepared as in training, and as JPEG for those that are sent
// whole. OpenCV inside. Thread-safe.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "strait/result.h"

namespace split_inference {

// 8-bit RGB, row by row.
struct Picture {
  int height = 0;
  int width = 0;
  std::vector<uint8_t> rgb;
};

// How an image becomes the network's input.
struct Preparation {
  int height = 0;  // of the input
  int width = 0;
  int resize = 0;  // of the shorter side; 0: leave
  int crop = 0;    // side of the centre square; 0: all
  std::vector<double> mean, std;

  bool operator==(const Preparation&) const = default;
};

// Reads an image file, resizes and crops it. Errors name the file.
strait::Result<Picture> ReadPicture(const std::string& path, const Preparation& preparation);

// To float {1, 3, H, W}: (pixel / 255 - mean) / std.
torch::Tensor Normalize(const Picture& picture, const Preparation& preparation);

// As strait-plan and strait-rd compress: baseline, 4:2:0, its own Huffman tables. Quality is 1 to 100.
strait::Result<std::vector<uint8_t>> CompressJpeg(const Picture& picture, int quality);

// `file` may be anything: what is no whole JPEG file of that size is refused before memory is taken for it.
strait::Result<Picture> DecompressJpeg(std::span<const uint8_t> file, int height, int width);

// Image files: `path` itself, or those in a directory, sorted.
strait::Result<std::vector<std::string>> ListImages(const std::string& path);

}  // namespace split_inference
