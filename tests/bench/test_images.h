// Images for tests of image codecs.
#pragma once

#include <cmath>
#include <cstdint>

#include "datasets/dataset.h"

namespace strait {

// Smooth colours with an edge, so that channel order and lossy quality both show; `shift` moves the edge.
inline Image TestImage(int height, int width, int shift = 0) {
  Image image{height, width, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      image.pixels.push_back(static_cast<uint8_t>(40 + 160 * x / width));
      image.pixels.push_back(static_cast<uint8_t>(x > y + shift ? 30 : 200));
      image.pixels.push_back(static_cast<uint8_t>(255 * y / height));
    }
  }
  return image;
}

// Of two images of one size, a channel's value.
inline double MeanError(const Image& a, const Image& b) {
  double sum = 0;
  for (size_t i = 0; i < a.pixels.size(); ++i) sum += std::abs(a.pixels[i] - b.pixels[i]);
  return sum / static_cast<double>(a.pixels.size());
}

}  // namespace strait
