// State of an interrupted run, in one file that is replaced atomically.
// The file is a zip archive as torch::pickle_save writes it (a dict of strings, integers and CPU tensors), its
// comment a checksum.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <map>
#include <string>

#include "strait/result.h"

namespace strait {

struct Checkpoint {
  int64_t step = 0;                              // optimiser steps done
  int64_t train_samples = 0;                     // of the data set: a resumed run refuses another size,
  std::string backbone_hash;                     // and another network
  std::string recipe_toml;                       // as resolved: a resumed run refuses another recipe
  std::map<std::string, torch::Tensor> tensors;  // parameters and buffers, any dtype; moved to the CPU when saved
  std::string optimizer_state;                   // bytes of a torch archive
};

// Writes atomically: on any failure, a full disk included, the old file is intact. kIo names path and reason.
Status SaveCheckpoint(const std::string& path, const Checkpoint& checkpoint);

// Tensors come back on the CPU. Errors: kIo (cannot be read), kCorrupt (cut off, damaged or not a checkpoint; a
// checksum of the whole file is verified first), each one line with what to do.
Result<Checkpoint> LoadCheckpoint(const std::string& path);

}  // namespace strait
