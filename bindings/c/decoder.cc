// The C interface: frames and decoders.
#include "bindings/c/handles.h"

using strait::c::Call;
using strait::c::CheckGiven;
using strait::c::ErrorText;

namespace {

// Runs `body` as a call on `decoder`, which forgets the last one.
template <typename Body>
strait_status_t CallOn(strait_decoder_t* decoder, const Body& body) {
  if (decoder == nullptr) return STRAIT_INVALID_ARGUMENT;
  decoder->statuses.clear();
  return Call(ErrorText(decoder->error, sizeof decoder->error), body);
}

strait::Status DecodeBatch(strait_decoder_t* decoder, std::span<const strait_frame_t> frames,
                           const strait::MutableTensorView& dst, strait_status_t* statuses) {
  decoder->frames.clear();
  for (const strait_frame_t& frame : frames) {
    STRAIT_ASSIGN_OR_RETURN(const auto bytes, strait::c::ToBytes(frame.bytes, frame.num_bytes, "bytes of a frame"));
    decoder->frames.push_back(bytes);
  }
  if (statuses == nullptr) return decoder->decoder.DecodeBatch(decoder->frames, dst);
  decoder->statuses.resize(frames.size());
  const strait::Status status = decoder->decoder.DecodeBatch(decoder->frames, dst, decoder->statuses);
  if (!status.ok()) {
    decoder->statuses.clear();
    return status;
  }
  for (size_t i = 0; i < frames.size(); ++i)
    statuses[i] = static_cast<strait_status_t>(decoder->statuses[i].code());
  return status;
}

}  // namespace

strait_status_t strait_frame_get_info(const void* frame, size_t frame_bytes, strait_frame_info_t* info, char* error,
                                      size_t error_bytes) {
  return Call(ErrorText(error, error_bytes), [&]() -> strait::Status {
    STRAIT_ASSIGN_OR_RETURN(const auto bytes, strait::c::ToBytes(frame, frame_bytes, "frame"));
    STRAIT_ASSIGN_OR_RETURN(const strait::FrameInfo facts, strait::ReadFrameInfo(bytes));
    strait_frame_info_t known = strait_frame_info_default();
    known.version = facts.version;
    known.has_checksum = facts.has_checksum ? 1 : 0;
    known.quality = facts.quality;
    known.shape = strait::c::FromShape(facts.shape);
    known.header_bytes = facts.header_bytes;
    known.payload_bytes = facts.payload_bytes;
    const size_t first_bytes = offsetof(strait_frame_info_t, payload_bytes) + sizeof(size_t);
    return strait::c::WriteStruct(known, first_bytes, "info", info);
  });
}

strait_status_t strait_decoder_create(const strait_model_t* model, const strait_coder_options_t* options,
                                      strait_decoder_t** decoder, char* error, size_t error_bytes) {
  if (decoder != nullptr) *decoder = nullptr;
  return Call(ErrorText(error, error_bytes), [&]() -> strait::Status {
    STRAIT_RETURN_IF_ERROR(CheckGiven(model, "model"));
    STRAIT_RETURN_IF_ERROR(CheckGiven(decoder, "decoder"));
    STRAIT_ASSIGN_OR_RETURN(const strait::CoderOptions coder_options, strait::c::ToCoderOptions(options));
    *decoder = new strait_decoder{strait::Decoder(model->model, coder_options), {}, {}};
    return strait::Status();
  });
}

void strait_decoder_free(strait_decoder_t* decoder) { delete decoder; }

const char* strait_decoder_error(const strait_decoder_t* decoder) {
  return decoder != nullptr ? decoder->error : "decoder: is NULL";
}

strait_status_t strait_decoder_shape(strait_decoder_t* decoder, const void* frame, size_t frame_bytes,
                                     strait_shape_t* shape) {
  if (shape != nullptr) *shape = strait_shape_t{};
  return CallOn(decoder, [&]() -> strait::Status {
    STRAIT_RETURN_IF_ERROR(CheckGiven(shape, "shape"));
    STRAIT_ASSIGN_OR_RETURN(const auto bytes, strait::c::ToBytes(frame, frame_bytes, "frame"));
    STRAIT_ASSIGN_OR_RETURN(const strait::Shape facts, decoder->decoder.ShapeOf(bytes));
    *shape = strait::c::FromShape(facts);
    return strait::Status();
  });
}

strait_status_t strait_decoder_decode(strait_decoder_t* decoder, const void* frame, size_t frame_bytes,
                                      const strait_tensor_desc_t* dst_desc, void* dst) {
  return CallOn(decoder, [&]() -> strait::Status {
    STRAIT_ASSIGN_OR_RETURN(const auto bytes, strait::c::ToBytes(frame, frame_bytes, "frame"));
    STRAIT_ASSIGN_OR_RETURN(const auto view, strait::c::ToView<strait::MutableTensorView>(dst_desc, dst, "dst"));
    return decoder->decoder.Decode(bytes, view);
  });
}

strait_status_t strait_decoder_decode_batch(strait_decoder_t* decoder, const strait_frame_t* frames,
                                            size_t num_frames, const strait_tensor_desc_t* dst_desc, void* dst,
                                            strait_status_t* statuses) {
  const strait_status_t status = CallOn(decoder, [&]() -> strait::Status {
    STRAIT_RETURN_IF_ERROR(CheckGiven(frames, "frames"));
    STRAIT_ASSIGN_OR_RETURN(const auto view, strait::c::ToView<strait::MutableTensorView>(dst_desc, dst, "dst"));
    return DecodeBatch(decoder, {frames, num_frames}, view, statuses);
  });
  if (status != STRAIT_OK && statuses != nullptr) std::fill_n(statuses, num_frames, status);
  return status;
}

const char* strait_decoder_frame_error(const strait_decoder_t* decoder, size_t index) {
  if (decoder == nullptr) return "decoder: is NULL";
  return index < decoder->statuses.size() ? decoder->statuses[index].message().c_str() : "";
}
