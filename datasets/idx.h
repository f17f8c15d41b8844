// IDX files of the MNIST family (MNIST, Fashion-MNIST, KMNIST): grey images, given as RGB, held in memory.
// DIR/train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte, unzipped.
// Format: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits".
#pragma once

#include <memory>
#include <string>

#include "datasets/dataset.h"

namespace strait {

// kIo when a file is missing, kCorrupt when its header contradicts its size or the two files disagree.
Result<std::unique_ptr<Dataset>> OpenIdx(const std::string& dir, Subset subset);

}  // namespace strait
