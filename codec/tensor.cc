#include "strait/tensor.h"

namespace strait {

Shape WithBatch(int64_t batch, const Shape& sample) {
  Shape shape{batch};
  for (const int64_t dim : sample) shape.push_back(dim);
  return shape;
}

Shape WithoutBatch(const Shape& shape) { return Shape(shape.begin() + 1, shape.end()); }

int64_t NumElements(const Shape& shape) {
  int64_t product = 1;
  for (const int64_t dim : shape) {
    if (dim < 0 || __builtin_mul_overflow(product, dim, &product)) return -1;
  }
  return product;
}

std::string ToString(const Shape& shape) {
  std::string text;
  for (const int64_t dim : shape) {
    if (!text.empty()) text += 'x';
    text += std::to_string(dim);
  }
  return text;
}

}  // namespace strait
