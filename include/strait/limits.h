// Upper bounds on what a hostile frame or model file can make Strait allocate.
#pragma once

#include <cstdint>

namespace strait {

struct Limits {
  int64_t max_tensor_elements = int64_t{1} << 26;     // of one feature tensor or latent, batch included
  int64_t max_transform_elements = int64_t{1} << 28;  // of all values that one transform makes, together
  int64_t max_model_bytes = int64_t{1} << 28;         // size of a model file
};

}  // namespace strait
