// CIFAR-10 and CIFAR-100 in their binary versions: 32x32 RGB, held in memory.
// Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
// CIFAR-10: DIR/data_batch_1.bin to data_batch_5.bin and test_batch.bin, records of label, then 3 x 32 x 32 bytes.
// CIFAR-100: DIR/train.bin and test.bin, records of coarse label, fine label (the one used), then 3 x 32 x 32
// bytes.
#pragma once

#include <memory>
#include <string>

#include "datasets/dataset.h"

namespace strait {

// kIo when a file is missing, kCorrupt when its size is no whole number of records or a label is out of range.
Result<std::unique_ptr<Dataset>> OpenCifar10(const std::string& dir, Subset subset);
Result<std::unique_ptr<Dataset>> OpenCifar100(const std::string& dir, Subset subset);

}  // namespace strait
