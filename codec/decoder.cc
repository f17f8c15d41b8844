#include "strait/decoder.h"

#include "codec/frame.h"
#include "codec/model_impl.h"
#include "codec/no_throw.h"
#include "codec/quantizer.h"
#include "codec/shape_cache.h"
#include "codec/transform.h"
#include "entropy/error.h"
#include "entropy/rans.h"

namespace strait {

struct Decoder::Impl {
  std::shared_ptr<const Model> model;
  Limits limits;
  ShapeCache<Shape> latent_shapes;          // by feature shape
  ShapeCache<CompiledTransform> syntheses;  // by latent shape
  std::vector<float> latent;

  // Everything about a frame that can be known before its payload is read.
  Result<ParsedFrame> Open(std::span<const uint8_t> frame) {
    if (model == nullptr) return Error(StatusCode::kInvalidArgument, "decoder: has no model");
    STRAIT_ASSIGN_OR_RETURN(const ParsedFrame parsed, ParseFrame(frame));
    STRAIT_RETURN_IF_ERROR(VerifyFrameChecksum(frame, parsed, model->id()));
    const int max_code = MaxQualityCode(model->levels().size());
    if (parsed.header.quality_code > max_code) {
      return Error(StatusCode::kModelMismatch, "frame: quality ",
                   static_cast<double>(parsed.header.quality_code) / kQualitySteps, ", model ",
                   ModelIdText(model->id()), " ends at ", max_code / kQualitySteps,
                   "; the frame is corrupt or was made with another model");
    }
    return parsed;
  }

  Result<Shape> LatentShape(const Shape& frame_shape) {
    Shape default_shape = model->feature_shape();
    default_shape.insert(default_shape.begin(), 1);
    if (frame_shape == default_shape)
      return Error(StatusCode::kCorrupt, "frame: spells out the model's default shape");
    const Shape& feature_shape = frame_shape.empty() ? default_shape : frame_shape;
    const auto make = [&]() -> Result<Shape> {
      const int64_t elements = NumElements(feature_shape);
      if (elements < 0 || elements > limits.max_tensor_elements) {
        return Error(StatusCode::kLimitExceeded, "frame: shape ", ToString(feature_shape), " has more than ",
                     limits.max_tensor_elements, " elements");
      }
      Result<Shape> latent_shape = LatentShapeOf(model->impl(), feature_shape, limits);
      if (latent_shape.ok() || latent_shape.status().code() == StatusCode::kLimitExceeded) return latent_shape;
      const bool other_model = latent_shape.status().code() == StatusCode::kInvalidArgument;
      return Error(other_model ? StatusCode::kModelMismatch : StatusCode::kCorrupt,
                   "frame: ", latent_shape.status().message());
    };
    STRAIT_ASSIGN_OR_RETURN(const Shape* latent_shape,
                            latent_shapes.Get(feature_shape, limits.max_transform_elements, make));
    return *latent_shape;
  }

  Status ReadSymbols(const ParsedFrame& parsed, const Shape& latent_shape, std::vector<int16_t>& symbols) const {
    const ModelImpl& impl = model->impl();
    const SymbolLayout layout = LayoutOf(latent_shape, parsed.header.quality_code, impl.spec.sets_per_level);
    symbols.resize(static_cast<size_t>(NumElements(latent_shape)));
    return RansDecode<int16_t>(parsed.payload, layout, impl.tables, symbols);
  }

  Status Restore(std::span<const int16_t> symbols, const Shape& latent_shape, int code, Tensor& dst) {
    const ModelSpec& spec = model->impl().spec;
    STRAIT_ASSIGN_OR_RETURN(CompiledTransform * synthesis,
                            syntheses.Get(latent_shape, limits.max_transform_elements, [&] {
                              return CompiledTransform::Compile(spec.synthesis, latent_shape, limits);
                            }));
    latent.resize(symbols.size());
    RestoreLatent(symbols, LayoutOf(latent_shape, code, spec.sets_per_level),
                  InterpolateGains(spec.inverse_gain, code), latent);
    Tensor restored{synthesis->dst_shape(),
                    std::vector<float>(static_cast<size_t>(NumElements(synthesis->dst_shape())))};
    STRAIT_RETURN_IF_ERROR(synthesis->Run(latent, restored.data));
    dst = std::move(restored);
    return Status();
  }
};

Decoder::Decoder(std::shared_ptr<const Model> model, const Limits& limits) : impl_(std::make_unique<Impl>()) {
  impl_->model = std::move(model);
  impl_->limits = limits;
}
Decoder::~Decoder() = default;
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;

Status Decoder::Decode(std::span<const uint8_t> frame, Tensor& dst) {
  return NoThrow("decode", [&]() -> Status {
    STRAIT_ASSIGN_OR_RETURN(const ParsedFrame parsed, impl_->Open(frame));
    STRAIT_ASSIGN_OR_RETURN(const Shape latent_shape, impl_->LatentShape(parsed.header.shape));
    std::vector<int16_t> symbols;
    STRAIT_RETURN_IF_ERROR(impl_->ReadSymbols(parsed, latent_shape, symbols));
    return impl_->Restore(symbols, latent_shape, parsed.header.quality_code, dst);
  });
}

Status Decoder::DecodeSymbols(std::span<const uint8_t> frame, std::vector<int16_t>& symbols, Shape& latent_shape) {
  return NoThrow("decode", [&]() -> Status {
    STRAIT_ASSIGN_OR_RETURN(const ParsedFrame parsed, impl_->Open(frame));
    STRAIT_ASSIGN_OR_RETURN(Shape shape, impl_->LatentShape(parsed.header.shape));
    std::vector<int16_t> decoded;
    STRAIT_RETURN_IF_ERROR(impl_->ReadSymbols(parsed, shape, decoded));
    symbols = std::move(decoded);
    latent_shape = std::move(shape);
    return Status();
  });
}

Status Decoder::Synthesize(std::span<const int16_t> symbols, const Shape& latent_shape, double quality,
                           Tensor& dst) {
  return NoThrow("synthesize", [&]() -> Status {
    if (impl_->model == nullptr) return Error(StatusCode::kInvalidArgument, "decoder: has no model");
    const ModelSpec& spec = impl_->model->impl().spec;
    const size_t rank = spec.latent_shape.size() + 1;
    const size_t channel_axis = rank == 4 ? 1 : 2;
    if (latent_shape.size() != rank || latent_shape[channel_axis] != spec.latent_channels()) {
      return Error(StatusCode::kInvalidArgument, "latent shape ", ToString(latent_shape), ": model wants Nx",
                   ToString(spec.latent_shape));
    }
    if (NumElements(latent_shape) != static_cast<int64_t>(symbols.size())) {
      return Error(StatusCode::kInvalidArgument, "latent shape ", ToString(latent_shape), ": got ", symbols.size(),
                   " symbols");
    }
    STRAIT_ASSIGN_OR_RETURN(const int code, QualityCode(quality, spec.levels.size()));
    return impl_->Restore(symbols, latent_shape, code, dst);
  });
}

}  // namespace strait
