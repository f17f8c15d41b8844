#include "strait/encoder.h"

#include <algorithm>
#include <cmath>

#include "codec/frame.h"
#include "codec/model_impl.h"
#include "codec/no_throw.h"
#include "codec/quantizer.h"
#include "codec/rate_control.h"
#include "codec/shape_cache.h"
#include "codec/transform.h"
#include "entropy/error.h"
#include "entropy/rans.h"

namespace strait {
namespace {

Status CheckFinite(std::span<const float> src) {
  for (size_t i = 0; i < src.size(); ++i) {
    if (!std::isfinite(src[i])) {
      return Error(StatusCode::kInvalidArgument, "tensor: element ", i, " is ", src[i],
                   "; only finite values can be encoded");
    }
  }
  return Status();
}

}  // namespace

struct Encoder::Impl {
  std::shared_ptr<const Model> model;
  ShapeCache<CompiledTransform> analyses;
  std::vector<float> latent;
  std::vector<uint8_t> payload;

  // Leaves the latent of `src` in `latent` and returns its shape.
  Result<Shape> Analyze(const TensorView& src) {
    if (model == nullptr) return Error(StatusCode::kInvalidArgument, "encoder: has no model");
    const Limits limits;
    STRAIT_ASSIGN_OR_RETURN(
        CompiledTransform * analysis,
        analyses.Get(src.shape, limits.max_transform_elements, [&]() -> Result<CompiledTransform> {
          STRAIT_RETURN_IF_ERROR(LatentShapeOf(model->impl(), src.shape, limits).status());
          return CompiledTransform::Compile(model->impl().spec.analysis, src.shape, limits);
        }));
    if (src.data == nullptr) return Error(StatusCode::kInvalidArgument, "tensor: has no data");
    const std::span<const float> values(src.data, static_cast<size_t>(NumElements(src.shape)));
    STRAIT_RETURN_IF_ERROR(CheckFinite(values));
    latent.resize(static_cast<size_t>(NumElements(analysis->dst_shape())));
    STRAIT_RETURN_IF_ERROR(analysis->Run(values, latent));
    return analysis->dst_shape();
  }

  Status QuantizeAt(int code, const SymbolLayout& layout, std::vector<int16_t>& symbols) const {
    const ModelImpl& impl = model->impl();
    symbols.resize(latent.size());
    return QuantizeLatent(latent, layout, InterpolateGains(impl.spec.gain, code), impl.tables, symbols);
  }

  Result<std::vector<uint8_t>> EncodeAt(int code, const Shape& latent_shape, const FrameHeader& common) {
    const ModelImpl& impl = model->impl();
    const SymbolLayout layout = LayoutOf(latent_shape, code, impl.spec.sets_per_level);
    std::vector<int16_t> symbols;
    STRAIT_RETURN_IF_ERROR(QuantizeAt(code, layout, symbols));
    payload.clear();
    STRAIT_RETURN_IF_ERROR(RansEncode<int16_t>(symbols, layout, impl.tables, payload));
    FrameHeader header = common;
    header.quality_code = code;
    return WriteFrame(header, impl.id, payload);
  }

  bool IsDefaultShape(const Shape& shape) const {
    return shape[0] == 1 && std::equal(shape.begin() + 1, shape.end(), model->feature_shape().begin());
  }
};

Encoder::Encoder(std::shared_ptr<const Model> model) : impl_(std::make_unique<Impl>()) {
  impl_->model = std::move(model);
}
Encoder::~Encoder() = default;
Encoder::Encoder(Encoder&&) noexcept = default;
Encoder& Encoder::operator=(Encoder&&) noexcept = default;

Status Encoder::Encode(const TensorView& src, const EncodeOptions& options, std::vector<uint8_t>& dst) {
  return NoThrow("encode", [&]() -> Status {
    if (options.quality && options.max_bytes) {
      return Error(StatusCode::kInvalidArgument, "encode: set quality or max_bytes, not both");
    }
    STRAIT_ASSIGN_OR_RETURN(const Shape latent_shape, impl_->Analyze(src));
    const size_t levels = impl_->model->levels().size();
    FrameHeader header;
    header.has_checksum = options.checksum;
    if (!impl_->IsDefaultShape(src.shape)) header.shape = src.shape;

    if (options.max_bytes) {
      const auto encode = [&](int code) { return impl_->EncodeAt(code, latent_shape, header); };
      STRAIT_ASSIGN_OR_RETURN(dst, EncodeWithin(*options.max_bytes, MaxQualityCode(levels), encode));
      return Status();
    }
    int code = MaxQualityCode(levels);
    if (options.quality) {
      STRAIT_ASSIGN_OR_RETURN(code, QualityCode(*options.quality, levels));
    }
    STRAIT_ASSIGN_OR_RETURN(dst, impl_->EncodeAt(code, latent_shape, header));
    return Status();
  });
}

Status Encoder::Quantize(const TensorView& src, double quality, std::vector<int16_t>& symbols) {
  return NoThrow("quantize", [&]() -> Status {
    STRAIT_ASSIGN_OR_RETURN(const Shape latent_shape, impl_->Analyze(src));
    STRAIT_ASSIGN_OR_RETURN(const int code, QualityCode(quality, impl_->model->levels().size()));
    const SymbolLayout layout = LayoutOf(latent_shape, code, impl_->model->impl().spec.sets_per_level);
    return impl_->QuantizeAt(code, layout, symbols);
  });
}

}  // namespace strait
