// The part of the DLPack ABI that is read here: what a capsule named "dltensor" points at. The layout is that of
// DLPack 0.x, which every producer hands out when it is asked for no newer version.
#pragma once

#include <cstdint>

namespace strait::python::dlpack {

inline constexpr char kCapsuleName[] = "dltensor";

// Device types whose memory the CPU can read.
inline constexpr int32_t kCpu = 1;
inline constexpr int32_t kCudaHost = 3;  // pinned

// Type codes; the rest of a type are its bits.
inline constexpr uint8_t kInt = 0;
inline constexpr uint8_t kFloat = 2;
inline constexpr uint8_t kBfloat = 4;

struct Device {
  int32_t type;
  int32_t id;
};

struct DataType {
  uint8_t code;
  uint8_t bits;
  uint16_t lanes;  // 1 unless the elements are short vectors
};

struct Tensor {
  void* data;
  Device device;
  int32_t ndim;
  DataType dtype;
  int64_t* shape;
  int64_t* strides;  // in elements; null means contiguous
  uint64_t byte_offset;
};

// What the capsule points at begins with the tensor; what follows, the producer's own data and its deleter, is used
// by the capsule's destructor alone.
struct ManagedTensor {
  Tensor tensor;
  void* producer_data;
  void (*deleter)(ManagedTensor* self);
};

}  // namespace strait::python::dlpack
