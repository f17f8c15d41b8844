#include "bindings/c/boundary.h"

namespace strait::c {

static_assert(STRAIT_MAX_RANK == Shape::kMaxRank);

static_assert(STRAIT_OK == static_cast<int>(StatusCode::kOk));
static_assert(STRAIT_INVALID_ARGUMENT == static_cast<int>(StatusCode::kInvalidArgument));
static_assert(STRAIT_TRUNCATED == static_cast<int>(StatusCode::kTruncated));
static_assert(STRAIT_CORRUPT == static_cast<int>(StatusCode::kCorrupt));
static_assert(STRAIT_UNSUPPORTED == static_cast<int>(StatusCode::kUnsupported));
static_assert(STRAIT_LIMIT_EXCEEDED == static_cast<int>(StatusCode::kLimitExceeded));
static_assert(STRAIT_MODEL_MISMATCH == static_cast<int>(StatusCode::kModelMismatch));
static_assert(STRAIT_IO == static_cast<int>(StatusCode::kIo));
static_assert(STRAIT_INTERNAL == static_cast<int>(StatusCode::kInternal));

static_assert(STRAIT_FLOAT32 == static_cast<int>(DType::kFloat32));
static_assert(STRAIT_FLOAT16 == static_cast<int>(DType::kFloat16));
static_assert(STRAIT_BFLOAT16 == static_cast<int>(DType::kBfloat16));
static_assert(STRAIT_INT8 == static_cast<int>(DType::kInt8));

namespace {

// No struct of any release is larger. A larger size is not one, and not to be read up to.
constexpr size_t kMaxStructBytes = 4096;

}  // namespace

Status InvalidArgument(std::initializer_list<std::string_view> parts) {
  std::string message;
  for (const std::string_view part : parts) message += part;
  return Status(StatusCode::kInvalidArgument, std::move(message));
}

Status CheckGiven(const void* pointer, std::string_view name) {
  return pointer != nullptr ? Status() : InvalidArgument({name, ": is NULL"});
}

Result<std::span<const uint8_t>> ToBytes(const void* bytes, size_t num_bytes, std::string_view name) {
  if (num_bytes != 0) STRAIT_RETURN_IF_ERROR(CheckGiven(bytes, name));
  return std::span(static_cast<const uint8_t*>(bytes), num_bytes);
}

Status CheckStructSize(size_t given, size_t first_bytes, std::string_view name) {
  if (given >= first_bytes && given <= kMaxStructBytes) return Status();
  return InvalidArgument({name, ": struct_size ", std::to_string(given), " is not in ", std::to_string(first_bytes),
                          "..", std::to_string(kMaxStructBytes), "; begin with the _default function of its type"});
}

Status CheckRestIsZero(const void* src, size_t given, size_t known, std::string_view name) {
  const auto* bytes = static_cast<const char*>(src);
  if (given <= known || std::all_of(bytes + known, bytes + given, [](char byte) { return byte == 0; }))
    return Status();
  return Status(StatusCode::kUnsupported, std::string(name) + ": asks for what came after version " STRAIT_VERSION
                                                              "; install a newer libstrait");
}

strait_shape_t FromShape(const Shape& shape) {
  strait_shape_t result = {};
  result.rank = shape.size();
  std::copy(shape.begin(), shape.end(), result.dims);
  return result;
}

Result<Shape> ToShape(const strait_shape_t& shape) {
  if (shape.rank == 0 || shape.rank > STRAIT_MAX_RANK)
    return InvalidArgument({"shape: rank ", std::to_string(shape.rank), " is not in 1..8"});
  const Shape result(shape.dims, shape.dims + shape.rank);
  const bool has_elements = std::all_of(result.begin(), result.end(), [](int64_t dim) { return dim > 0; });
  if (has_elements && NumElements(result) > 0) return result;
  return InvalidArgument(
      {"shape ", ToString(result), has_elements ? ": has too many elements" : ": has no elements"});
}

Result<Limits> ToLimits(int64_t max_model_bytes, int64_t max_tensor_elements, int64_t max_transform_elements) {
  if (std::min({max_model_bytes, max_tensor_elements, max_transform_elements}) < 0)
    return InvalidArgument({"limits: a limit is negative; zero is the library's own"});
  Limits limits;
  if (max_model_bytes != 0) limits.max_model_bytes = max_model_bytes;
  if (max_tensor_elements != 0) limits.max_tensor_elements = max_tensor_elements;
  if (max_transform_elements != 0) limits.max_transform_elements = max_transform_elements;
  return limits;
}

Result<CoderOptions> ToCoderOptions(const strait_coder_options_t* options) {
  strait_coder_options_t known = strait_coder_options_default();
  const size_t first_bytes = offsetof(strait_coder_options_t, reserved) + sizeof(int32_t);
  STRAIT_RETURN_IF_ERROR(ReadStruct(options, first_bytes, "coder options", known));
  if (known.reserved != 0) return InvalidArgument({"coder options: reserved must be zero"});
  CoderOptions result;
  STRAIT_ASSIGN_OR_RETURN(result.limits, ToLimits(0, known.max_tensor_elements, known.max_transform_elements));
  result.threads = std::clamp(known.threads, 1, 64);
  return result;
}

}  // namespace strait::c

const char* strait_status_name(strait_status_t status) {
  // The names are literals and so end with a zero byte.
  return strait::StatusCodeName(static_cast<strait::StatusCode>(status)).data();
}

const char* strait_version(void) { return STRAIT_VERSION; }
