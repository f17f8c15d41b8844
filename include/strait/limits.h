// Upper bounds on what hostile bytes can make Strait allocate, and the threads it may use.
#pragma once

#include <cstdint>

namespace strait {

struct Limits {
  int64_t max_tensor_elements = int64_t{1} << 26;  // of one feature tensor or latent, batch included
  // Of all values that one transform makes for a sample, together. Its buffers may take twice as many, and a copy
  // of what goes in and comes out.
  int64_t max_transform_elements = int64_t{1} << 28;
  int64_t max_model_bytes = int64_t{1} << 28;  // size of a model file
};

// What an Encoder or a Decoder is made with.
struct CoderOptions {
  Limits limits = {};
  // Threads that one call may use, the caller's included; 1 to 64, others are clamped. The bytes and tensors are
  // the same for any number. The others are started once and sleep between calls.
  int threads = 1;
};

}  // namespace strait
