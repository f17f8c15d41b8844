// The C interface: encoders.
#include "bindings/c/handles.h"

using strait::c::Call;
using strait::c::CheckGiven;
using strait::c::ErrorText;

namespace {

strait::Result<strait::EncodeOptions> ToEncodeOptions(const strait_encode_options_t* options) {
  strait_encode_options_t known = strait_encode_options_default();
  const size_t first_bytes = offsetof(strait_encode_options_t, reserved) + sizeof(int32_t);
  STRAIT_RETURN_IF_ERROR(strait::c::ReadStruct(options, first_bytes, "encode options", known));
  if (known.reserved != 0) return strait::c::InvalidArgument({"encode options: reserved must be zero"});
  strait::EncodeOptions result;
  if (known.quality != STRAIT_QUALITY_HIGHEST) result.quality = known.quality;
  if (known.max_bytes != 0) result.max_bytes = known.max_bytes;
  result.checksum = known.checksum != 0;
  return result;
}

}  // namespace

strait_status_t strait_encoder_create(const strait_model_t* model, const strait_coder_options_t* options,
                                      strait_encoder_t** encoder, char* error, size_t error_bytes) {
  if (encoder != nullptr) *encoder = nullptr;
  return Call(ErrorText(error, error_bytes), [&]() -> strait::Status {
    STRAIT_RETURN_IF_ERROR(CheckGiven(model, "model"));
    STRAIT_RETURN_IF_ERROR(CheckGiven(encoder, "encoder"));
    STRAIT_ASSIGN_OR_RETURN(const strait::CoderOptions coder_options, strait::c::ToCoderOptions(options));
    *encoder = new strait_encoder{strait::Encoder(model->model, coder_options)};
    return strait::Status();
  });
}

void strait_encoder_free(strait_encoder_t* encoder) { delete encoder; }

const char* strait_encoder_error(const strait_encoder_t* encoder) {
  return encoder != nullptr ? encoder->error : "encoder: is NULL";
}

strait_status_t strait_encoder_bound(strait_encoder_t* encoder, const strait_shape_t* shape, size_t* frame_bytes) {
  if (frame_bytes != nullptr) *frame_bytes = 0;
  if (encoder == nullptr) return STRAIT_INVALID_ARGUMENT;
  return Call(ErrorText(encoder->error, sizeof encoder->error), [&]() -> strait::Status {
    STRAIT_RETURN_IF_ERROR(CheckGiven(shape, "shape"));
    STRAIT_RETURN_IF_ERROR(CheckGiven(frame_bytes, "frame_bytes"));
    STRAIT_ASSIGN_OR_RETURN(const strait::Shape src_shape, strait::c::ToShape(*shape));
    STRAIT_ASSIGN_OR_RETURN(*frame_bytes, encoder->encoder.EncodeBound(src_shape));
    return strait::Status();
  });
}

strait_status_t strait_encoder_encode(strait_encoder_t* encoder, const strait_tensor_desc_t* src_desc,
                                      const void* src, const strait_encode_options_t* options, void* frame,
                                      size_t frame_capacity, size_t* frame_bytes) {
  if (frame_bytes != nullptr) *frame_bytes = 0;
  if (encoder == nullptr) return STRAIT_INVALID_ARGUMENT;
  return Call(ErrorText(encoder->error, sizeof encoder->error), [&]() -> strait::Status {
    STRAIT_RETURN_IF_ERROR(CheckGiven(frame, "frame"));
    STRAIT_RETURN_IF_ERROR(CheckGiven(frame_bytes, "frame_bytes"));
    STRAIT_ASSIGN_OR_RETURN(const auto view, strait::c::ToView<strait::TensorView>(src_desc, src, "src"));
    STRAIT_ASSIGN_OR_RETURN(const strait::EncodeOptions encode_options, ToEncodeOptions(options));
    const std::span dst(static_cast<uint8_t*>(frame), frame_capacity);
    STRAIT_ASSIGN_OR_RETURN(*frame_bytes, encoder->encoder.EncodeInto(view, encode_options, dst));
    return strait::Status();
  });
}
