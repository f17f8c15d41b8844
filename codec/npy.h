// NumPy .npy arrays of float32: reads float16, float32, float64, uint8, int32 and int64, little endian, C order,
// rounded to float32 where they do not fit; writes float32.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "strait/decoder.h"
#include "strait/limits.h"
#include "strait/result.h"

namespace strait {

Result<Tensor> ParseNpy(std::span<const uint8_t> bytes, const Limits& limits = {});
std::vector<uint8_t> SerializeNpy(const TensorView& tensor);

}  // namespace strait
