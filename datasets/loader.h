// Batches of preprocessed images, prepared by background threads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "strait/result.h"

namespace strait {

// From an 8-bit image to a normalised CHW float tensor: value = (pixel / 255 - mean) / std.
struct Preprocess {
  int crop = 0;  // side of the square that comes out; 0 keeps the image's size (after resize)
  int resize =
      0;  // shorter side is brought here first, by area averaging when shrinking, else linear; 0: no resize
  float mean[3] = {0, 0, 0};
  float std[3] = {1, 1, 1};
  bool augment = false;    // random resized crop and flip instead of resize and centre crop
  float min_area = 0.35f;  // of the random resized crop, as a share of the image's area; aspect 3/4 to 4/3
  bool flip = true;        // with augment: mirror left-right half of the time
};

// 8-bit side of Preprocess: resize and crop only (what JPEG and WebP baselines compress).
Result<Image> ResizeAndCrop(const Image& image, const Preprocess& preprocess);
// Float side: normalises into dst, 3 * height * width values, CHW.
void Normalize(const Image& image, const Preprocess& preprocess, float* dst);

struct LoaderOptions {
  int batch_size = 64;
  bool shuffle = false;
  bool drop_last = false;
  uint64_t seed = 0;  // order and augmentation depend on (seed, epoch, index) alone, never on thread timing
  int threads = 2;
  int prefetch_batches = 4;
};

struct Batch {
  int size = 0;
  int height = 0;
  int width = 0;
  std::vector<float> pixels;  // size x 3 x height x width
  std::vector<int64_t> labels;
  std::vector<size_t> indices;  // into the data set
  std::vector<uint8_t> masks;   // size x height x width, or empty
};

// One pass over a data set, which must outlive it. Corrupt images are skipped, named once on `skipped()`; more than
// 1 % of the data set end the pass with kCorrupt. A batch is shorter by the images skipped in it; its contents are
// the same for any number of threads. Next is for one thread at a time; the destructor may run at any moment.
class Loader {
 public:
  Loader(const Dataset& dataset, const Preprocess& preprocess, const LoaderOptions& options, uint64_t epoch);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  // The next batch, nullopt at the end of the pass.
  Result<std::optional<Batch>> Next();
  // One line for each image skipped so far.
  std::vector<std::string> skipped() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace strait
