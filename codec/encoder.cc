#include "strait/encoder.h"

#include <algorithm>
#include <functional>

#include "codec/frame.h"
#include "codec/geometry.h"
#include "codec/model_impl.h"
#include "codec/no_throw.h"
#include "codec/op_names.h"
#include "codec/quantizer.h"
#include "codec/rate_control.h"
#include "codec/shape_cache.h"
#include "codec/tensor_io.h"
#include "codec/thread_pool.h"
#include "codec/transform.h"
#include "entropy/error.h"
#include "entropy/rans.h"

namespace strait {
namespace {

// What is prepared for a sample shape.
struct Analysis {
  SampleGeometry geometry;
  CompiledTransform transform;
  int64_t num_elements() const { return transform.num_elements(); }
};

}  // namespace

struct Encoder::Impl {
  Impl(std::shared_ptr<const Model> the_model, const CoderOptions& the_options)
      : model(std::move(the_model)), options(the_options), pool(options.threads) {}

  std::shared_ptr<const Model> model;
  CoderOptions options;
  ThreadPool pool;
  ShapeCache<Analysis> analyses;  // by sample shape
  std::vector<float> latent;      // of all samples, in memory order
  std::vector<int16_t> symbols;
  std::vector<float> gains;
  int gains_code = -1;
  SymbolBuffers buffers;

  Result<Analysis*> Prepare(const Shape& shape) {
    if (model == nullptr) return Error(StatusCode::kInvalidArgument, "encoder: has no model");
    if (shape.empty()) return Error(StatusCode::kInvalidArgument, "tensor: has no dimensions");
    if (shape[0] < 1)
      return Error(StatusCode::kInvalidArgument, "tensor: shape ", ToString(shape), " has no samples");
    STRAIT_ASSIGN_OR_RETURN(
        Analysis * analysis,
        analyses.Get(WithoutBatch(shape), options.limits.max_transform_elements, [&]() -> Result<Analysis> {
          STRAIT_ASSIGN_OR_RETURN(SampleGeometry geometry, GeometryOf(model->impl(), shape, options.limits));
          STRAIT_ASSIGN_OR_RETURN(
              const std::vector<Shape> values,
              InferShapes(model->impl().spec.analysis, WithBatch(1, geometry.padded), options.limits));
          STRAIT_ASSIGN_OR_RETURN(
              CompiledTransform transform,
              CompiledTransform::Compile(model->impl().analysis, values, options.limits, pool.threads()));
          return Analysis{std::move(geometry), std::move(transform)};
        }));
    STRAIT_RETURN_IF_ERROR(CheckBatch(analysis->geometry, shape[0], options.limits));
    return analysis;
  }

  // Leaves the latent of `src` in `latent` and returns its shape.
  Result<Shape> Analyze(const TensorView& src) {
    STRAIT_ASSIGN_OR_RETURN(Analysis * analysis, Prepare(src.shape));
    STRAIT_ASSIGN_OR_RETURN(const SampleLayout layout, LayoutOf(src));
    const auto batch = src.shape[0];
    for (int64_t n = 0; n < batch; ++n) STRAIT_RETURN_IF_ERROR(CheckFinite(src, layout, n));
    const Shape latent_shape = WithBatch(batch, analysis->geometry.latent);
    const auto sample_size = static_cast<size_t>(NumElements(analysis->geometry.latent));
    latent.resize(sample_size * static_cast<size_t>(batch));
    for (int64_t n = 0; n < batch; ++n) {
      float* const dst = latent.data() + static_cast<size_t>(n) * sample_size;
      analysis->transform.Analyze(src, layout, n, dst, pool);
    }
    return latent_shape;
  }

  std::span<const float> GainsAt(int code) {
    if (code != gains_code) {
      InterpolateGains(model->impl().spec.gain, code, gains);
      gains_code = code;
    }
    return gains;
  }

  const EntropyModel& entropy() const { return model->impl().entropy; }

  // Leaves the symbols of the latent in `symbols`.
  Status QuantizeAt(int code, const Shape& latent_shape) {
    symbols.resize(latent.size());
    return QuantizeLatent(latent, latent_shape, GainsAt(code), entropy().tables(), entropy().ChannelTables(code),
                          symbols);
  }

  // Leaves the payload of the latent in the buffers and returns its size.
  Result<size_t> CodeAt(int code, const Shape& latent_shape) {
    STRAIT_RETURN_IF_ERROR(QuantizeAt(code, latent_shape));
    STRAIT_RETURN_IF_ERROR(entropy().Encode(symbols, latent_shape, code, buffers));
    return buffers.encoder.payload_bytes();
  }

  // Its size before it is rounded up, more cheaply.
  Result<double> EstimateAt(int code, const Shape& latent_shape) {
    if (entropy().has_context()) {
      STRAIT_RETURN_IF_ERROR(QuantizeAt(code, latent_shape));
      return entropy().EstimateBytes(symbols, latent_shape, code, buffers);
    }
    STRAIT_ASSIGN_OR_RETURN(const double bits, CostOfLatent(latent, latent_shape, GainsAt(code), entropy().tables(),
                                                            entropy().ChannelTables(code)));
    return RansPayloadEstimate(bits, latent.size());
  }

  bool IsDefaultShape(const Shape& shape) const {
    return shape[0] == 1 && std::equal(shape.begin() + 1, shape.end(), model->feature_shape().begin());
  }

  // Leaves the payload in the buffers; the header that belongs before it.
  Result<FrameHeader> EncodePayload(const TensorView& src, const EncodeOptions& encode_options) {
    if (encode_options.quality && encode_options.max_bytes) {
      return Error(StatusCode::kInvalidArgument, "encode: set quality or max_bytes, not both");
    }
    STRAIT_ASSIGN_OR_RETURN(const Shape latent_shape, Analyze(src));
    const size_t levels = model->levels().size();
    FrameHeader header;
    header.has_checksum = encode_options.checksum;
    if (!IsDefaultShape(src.shape)) header.shape = src.shape;
    if (encode_options.max_bytes) {
      RateSearch search;
      search.max_code = MaxQualityCode(levels);
      const auto estimate = [&](int code) -> Result<double> {
        header.quality_code = code;
        STRAIT_ASSIGN_OR_RETURN(const double payload_bytes, EstimateAt(code, latent_shape));
        return static_cast<double>(FrameHeaderBytes(header)) + payload_bytes;
      };
      search.estimate = std::ref(estimate);  // held in place: nothing is allocated
      search.error = RansEstimateError(latent.size());
      const auto encode = [&](int code) -> Result<size_t> {
        header.quality_code = code;
        STRAIT_ASSIGN_OR_RETURN(const size_t payload_bytes, CodeAt(code, latent_shape));
        return FrameHeaderBytes(header) + payload_bytes;
      };
      search.encode = std::ref(encode);
      STRAIT_RETURN_IF_ERROR(EncodeWithin(*encode_options.max_bytes, search).status());
      return header;
    }
    header.quality_code = MaxQualityCode(levels);
    if (encode_options.quality) {
      STRAIT_ASSIGN_OR_RETURN(header.quality_code, QualityCode(*encode_options.quality, levels));
    }
    STRAIT_RETURN_IF_ERROR(CodeAt(header.quality_code, latent_shape).status());
    return header;
  }

  size_t FrameBytes(const FrameHeader& header) const {
    return FrameHeaderBytes(header) + buffers.encoder.payload_bytes();
  }

  // Writes FrameBytes(header) bytes.
  void WriteFrame(const FrameHeader& header, uint8_t* dst) const {
    const size_t header_bytes = WriteFrameHeader(header, dst);
    buffers.encoder.WritePayload(dst + header_bytes);
    if (header.has_checksum) SealFrame(header_bytes, model->id(), {dst, FrameBytes(header)});
  }
};

Encoder::Encoder(std::shared_ptr<const Model> model, const CoderOptions& options)
    : impl_(std::make_unique<Impl>(std::move(model), options)) {}
Encoder::~Encoder() = default;
Encoder::Encoder(Encoder&&) noexcept = default;
Encoder& Encoder::operator=(Encoder&&) noexcept = default;

Result<size_t> Encoder::EncodeBound(const Shape& src_shape) {
  return NoThrow("encode bound", [&]() -> Result<size_t> {
    STRAIT_ASSIGN_OR_RETURN(const Analysis* analysis, impl_->Prepare(src_shape));
    const int64_t count = NumElements(WithBatch(src_shape[0], analysis->geometry.latent));
    return kMaxFrameHeaderBytes + impl_->entropy().PayloadBound(static_cast<size_t>(count));
  });
}

Result<size_t> Encoder::EncodeInto(const TensorView& src, const EncodeOptions& options, std::span<uint8_t> dst) {
  return NoThrow("encode", [&]() -> Result<size_t> {
    STRAIT_ASSIGN_OR_RETURN(const FrameHeader header, impl_->EncodePayload(src, options));
    const size_t frame_bytes = impl_->FrameBytes(header);
    if (frame_bytes > dst.size()) {
      return Error(StatusCode::kLimitExceeded, "encode: the frame has ", frame_bytes, " bytes, dst ", dst.size(),
                   "; EncodeBound says what is always enough");
    }
    impl_->WriteFrame(header, dst.data());
    return frame_bytes;
  });
}

Status Encoder::Encode(const TensorView& src, const EncodeOptions& options, std::vector<uint8_t>& dst) {
  return NoThrow("encode", [&]() -> Status {
    STRAIT_ASSIGN_OR_RETURN(const FrameHeader header, impl_->EncodePayload(src, options));
    dst.resize(impl_->FrameBytes(header));
    impl_->WriteFrame(header, dst.data());
    return Status();
  });
}

Status Encoder::Quantize(const TensorView& src, double quality, std::vector<int16_t>& symbols) {
  return NoThrow("quantize", [&]() -> Status {
    STRAIT_ASSIGN_OR_RETURN(const Shape latent_shape, impl_->Analyze(src));
    STRAIT_ASSIGN_OR_RETURN(const int code, QualityCode(quality, impl_->model->levels().size()));
    STRAIT_RETURN_IF_ERROR(impl_->QuantizeAt(code, latent_shape));
    symbols = impl_->symbols;
    return Status();
  });
}

}  // namespace strait
