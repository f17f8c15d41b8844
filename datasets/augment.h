// The geometry of Preprocess: resize, centre crop, random resized crop and flip, on images and their masks.
// ResizeAndCrop and Normalize, the deterministic half, are declared in loader.h.
#pragma once

#include "datasets/loader.h"
#include "datasets/random.h"

namespace strait {

// kInvalidArgument when a field is out of its range.
Status ValidatePreprocess(const Preprocess& preprocess);

// A crop rectangle in pixels, inside its image.
struct CropBox {
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;
};

// A random rectangle of at least about `min_area` of a height x width image, aspect ratio 3/4 to 4/3
// (Szegedy et al., "Going deeper with convolutions", 2015, training methodology).
CropBox RandomCropBox(int height, int width, float min_area, Random& random);

// Everything `preprocess` does to a sample before normalisation. `random` is used only when preprocess.augment.
Result<Sample> PreprocessSample(Sample sample, const Preprocess& preprocess, Random& random);

}  // namespace strait
