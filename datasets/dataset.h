// Labelled images, one at a time: the face of every reader. Readers are immutable after Open and safe to call
// from many threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "strait/result.h"

namespace strait {

// 8-bit RGB, rows from the top, interleaved (HWC).
struct Image {
  int height = 0;
  int width = 0;
  std::vector<uint8_t> pixels;  // height * width * 3
};

struct Sample {
  Image image;
  int64_t label = 0;
  std::vector<uint8_t> mask;  // height * width class per pixel (0 = background); empty where the set has none
};

enum class Subset : uint8_t { kTrain = 0, kValidation = 1 };

class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual size_t size() const = 0;
  virtual const std::vector<std::string>& class_names() const = 0;
  // Errors name the file and the reason; a corrupt image is kCorrupt and the loader skips it.
  virtual Result<Sample> Get(size_t index) const = 0;
};

// Opens a SPEC: `imagefolder:DIR` (DIR/train and DIR/val, one folder a class, sorted), `cifar10:DIR`,
// `cifar100:DIR` (binary version), `idx:DIR` (MNIST family, grey to RGB), `shapes` (built in;
// `shapes:seed=1,train=8000,val=2000`). Errors name the spec and what was expected where.
Result<std::unique_ptr<Dataset>> OpenDataset(const std::string& spec, Subset subset);

}  // namespace strait
