#include "strait/decoder.h"

#include <algorithm>

#include "codec/frame.h"
#include "codec/geometry.h"
#include "codec/kernels/kernels.h"
#include "codec/model_impl.h"
#include "codec/no_throw.h"
#include "codec/op_names.h"
#include "codec/quantizer.h"
#include "codec/shape_cache.h"
#include "codec/tensor_io.h"
#include "codec/thread_pool.h"
#include "codec/transform.h"
#include "entropy/error.h"
#include "entropy/rans.h"

namespace strait {

namespace {

struct OpenFrame {
  ParsedFrame parsed;
  Shape shape;  // of the feature tensor, batch first
  SampleGeometry geometry;

  int code() const { return parsed.header.quality_code; }
  Shape latent_shape() const { return WithBatch(shape[0], geometry.latent); }
};

Status CheckShape(const OpenFrame& frame, const Shape& room) {
  if (frame.shape == room) return Status();
  return Error(StatusCode::kInvalidArgument, "frame: holds ", ToString(frame.shape), ", dst has room for ",
               ToString(room));
}

}  // namespace

struct Decoder::Impl {
  Impl(std::shared_ptr<const Model> the_model, const CoderOptions& the_options)
      : model(std::move(the_model)), options(the_options), pool(options.threads) {}

  std::shared_ptr<const Model> model;
  CoderOptions options;
  ThreadPool pool;
  ShapeCache<SampleGeometry> geometries;    // by feature sample
  ShapeCache<CompiledTransform> syntheses;  // by latent sample
  std::vector<int16_t> symbols;             // of one frame
  SymbolBuffers buffers;
  std::vector<float> latent;  // of all frames
  std::vector<float> inverse_gains;
  int gains_code = -1;
  std::vector<bool> is_sound;  // of each frame of a batch

  // Everything about a frame that can be known before its payload is read.
  Result<OpenFrame> Open(FrameView bytes) {
    if (model == nullptr) return Error(StatusCode::kInvalidArgument, "decoder: has no model");
    OpenFrame frame;
    STRAIT_ASSIGN_OR_RETURN(frame.parsed, ParseFrame(bytes));
    STRAIT_RETURN_IF_ERROR(VerifyFrameChecksum(bytes, frame.parsed, model->id()));
    const int max_code = MaxQualityCode(model->levels().size());
    if (frame.code() > max_code) {
      return Error(StatusCode::kModelMismatch, "frame: quality ", static_cast<double>(frame.code()) / kQualitySteps,
                   ", model ", ModelIdText(model->id()), " ends at ", max_code / kQualitySteps,
                   "; the frame is corrupt or was made with another model");
    }
    const Shape default_shape = WithBatch(1, model->feature_shape());
    if (frame.parsed.header.shape == default_shape)
      return Error(StatusCode::kCorrupt, "frame: spells out the model's default shape");
    frame.shape = frame.parsed.header.shape.empty() ? default_shape : frame.parsed.header.shape;
    STRAIT_ASSIGN_OR_RETURN(frame.geometry, GeometryOfFrame(frame.shape));
    return frame;
  }

  // Of the samples of a frame, whose batch is held to the limits too.
  Result<SampleGeometry> GeometryOfFrame(const Shape& shape) {
    const auto make = [&]() -> Result<SampleGeometry> {
      Result<SampleGeometry> geometry = GeometryOf(model->impl(), shape, options.limits);
      if (geometry.ok() || geometry.status().code() == StatusCode::kLimitExceeded) return geometry;
      const bool other_model = geometry.status().code() == StatusCode::kInvalidArgument;
      return Error(other_model ? StatusCode::kModelMismatch : StatusCode::kCorrupt,
                   "frame: ", geometry.status().message());
    };
    STRAIT_ASSIGN_OR_RETURN(const SampleGeometry* geometry,
                            geometries.Get(WithoutBatch(shape), options.limits.max_transform_elements, make));
    STRAIT_RETURN_IF_ERROR(CheckBatch(*geometry, shape[0], options.limits));
    return *geometry;
  }

  Status ReadSymbols(const OpenFrame& frame) {
    const ModelImpl& impl = model->impl();
    const Shape latent_shape = frame.latent_shape();
    symbols.resize(static_cast<size_t>(NumElements(latent_shape)));
    return impl.entropy.Decode(frame.parsed.payload, latent_shape, frame.code(), buffers, symbols);
  }

  // The latent of symbols, from sample `first` of `latent` on.
  void RestoreLatentAt(std::span<const int16_t> from, const Shape& latent_shape, int code, int64_t first) {
    const ModelSpec& spec = model->impl().spec;
    if (code != gains_code) {
      InterpolateGains(spec.inverse_gain, code, inverse_gains);
      gains_code = code;
    }
    const size_t offset = static_cast<size_t>(first) * (from.size() / static_cast<size_t>(latent_shape[0]));
    if (latent.size() < offset + from.size() + kOverread) latent.resize(offset + from.size() + kOverread);
    RestoreLatent(from, latent_shape, inverse_gains, std::span(latent).subspan(offset, from.size()));
  }

  Result<CompiledTransform*> SynthesisOf(const Shape& latent_sample) {
    const auto make = [&]() -> Result<CompiledTransform> {
      STRAIT_ASSIGN_OR_RETURN(
          const std::vector<Shape> values,
          InferShapes(model->impl().spec.synthesis, WithBatch(1, latent_sample), options.limits));
      return CompiledTransform::Compile(model->impl().synthesis, values, options.limits, pool.threads());
    };
    return syntheses.Get(latent_sample, options.limits.max_transform_elements, make);
  }

  // Samples [begin, end) of `dst` from `latent`.
  Status SynthesizeSamples(const Shape& latent_sample, const MutableTensorView& dst, const SampleLayout& layout,
                           int64_t begin, int64_t end) {
    STRAIT_ASSIGN_OR_RETURN(CompiledTransform * synthesis, SynthesisOf(latent_sample));
    const int64_t size = NumElements(latent_sample);
    for (int64_t n = begin; n < end; ++n) synthesis->Synthesize(latent.data() + n * size, dst, layout, n, pool);
    return Status();
  }

  // The whole way from symbols to a tensor of `shape`.
  Status Restore(std::span<const int16_t> from, const Shape& latent_shape, const Shape& shape, int code,
                 Tensor& dst) {
    RestoreLatentAt(from, latent_shape, code, 0);
    STRAIT_RETURN_IF_ERROR(SynthesisOf(WithoutBatch(latent_shape)).status());  // before `dst` is touched
    dst.data.resize(static_cast<size_t>(NumElements(shape)));
    dst.shape = shape;
    const MutableTensorView view = dst.view();
    STRAIT_ASSIGN_OR_RETURN(const SampleLayout layout, LayoutOf(view));
    return SynthesizeSamples(WithoutBatch(latent_shape), view, layout, 0, shape[0]);
  }

  // The latent of a frame of `shape` from sample `first` of `latent` on.
  Status DecodeLatent(FrameView frame, const Shape& shape, int64_t first, Shape& latent_sample) {
    STRAIT_ASSIGN_OR_RETURN(const OpenFrame open, Open(frame));
    STRAIT_RETURN_IF_ERROR(CheckShape(open, shape));
    STRAIT_RETURN_IF_ERROR(ReadSymbols(open));
    RestoreLatentAt(symbols, open.latent_shape(), open.code(), first);
    latent_sample = open.geometry.latent;
    return Status();
  }
};

Decoder::Decoder(std::shared_ptr<const Model> model, const CoderOptions& options)
    : impl_(std::make_unique<Impl>(std::move(model), options)) {}
Decoder::~Decoder() = default;
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;

Result<Shape> Decoder::ShapeOf(FrameView frame) {
  return NoThrow("decode", [&]() -> Result<Shape> {
    STRAIT_ASSIGN_OR_RETURN(const OpenFrame open, impl_->Open(frame));
    return open.shape;
  });
}

Status Decoder::Decode(FrameView frame, const MutableTensorView& dst) {
  return NoThrow("decode", [&]() -> Status {
    STRAIT_ASSIGN_OR_RETURN(const SampleLayout layout, LayoutOf(dst));
    STRAIT_ASSIGN_OR_RETURN(const OpenFrame open, impl_->Open(frame));
    STRAIT_RETURN_IF_ERROR(CheckShape(open, dst.shape));
    STRAIT_RETURN_IF_ERROR(impl_->ReadSymbols(open));
    impl_->RestoreLatentAt(impl_->symbols, open.latent_shape(), open.code(), 0);
    return impl_->SynthesizeSamples(open.geometry.latent, dst, layout, 0, dst.shape[0]);
  });
}

Status Decoder::Decode(FrameView frame, Tensor& dst) {
  return NoThrow("decode", [&]() -> Status {
    STRAIT_ASSIGN_OR_RETURN(const OpenFrame open, impl_->Open(frame));
    STRAIT_RETURN_IF_ERROR(impl_->ReadSymbols(open));
    return impl_->Restore(impl_->symbols, open.latent_shape(), open.shape, open.code(), dst);
  });
}

Status Decoder::DecodeBatch(std::span<const FrameView> frames, const MutableTensorView& dst,
                            std::span<Status> statuses) {
  return NoThrow("decode batch", [&]() -> Status {
    if (frames.empty()) return Error(StatusCode::kInvalidArgument, "decode batch: no frames");
    if (!statuses.empty() && statuses.size() != frames.size()) {
      return Error(StatusCode::kInvalidArgument, "decode batch: ", statuses.size(), " statuses for ", frames.size(),
                   " frames");
    }
    STRAIT_ASSIGN_OR_RETURN(const SampleLayout layout, LayoutOf(dst));
    const auto num_frames = static_cast<int64_t>(frames.size());
    if (dst.shape[0] % num_frames != 0) {
      return Error(StatusCode::kInvalidArgument, "decode batch: dst ", ToString(dst.shape),
                   " does not divide into ", frames.size(), " frames");
    }
    const int64_t batch = dst.shape[0] / num_frames;
    const Shape frame_shape = WithBatch(batch, WithoutBatch(dst.shape));
    Shape latent_sample;  // of the sound frames
    impl_->is_sound.assign(frames.size(), false);
    for (size_t i = 0; i < frames.size(); ++i) {
      const Status status =
          impl_->DecodeLatent(frames[i], frame_shape, static_cast<int64_t>(i) * batch, latent_sample);
      impl_->is_sound[i] = status.ok();
      if (!statuses.empty()) statuses[i] = status;
      if (!status.ok() && statuses.empty()) return Error(status.code(), "frame ", i, ": ", status.message());
    }
    // Whatever can fail does so before `dst` is touched.
    if (!latent_sample.empty()) {
      const Status status = impl_->SynthesisOf(latent_sample).status();
      if (!status.ok()) {
        std::ranges::fill(statuses, status);
        return status;
      }
    }
    for (size_t i = 0; i < frames.size(); ++i) {
      const int64_t begin = static_cast<int64_t>(i) * batch;
      if (impl_->is_sound[i]) {
        STRAIT_RETURN_IF_ERROR(impl_->SynthesizeSamples(latent_sample, dst, layout, begin, begin + batch));
      } else {
        for (int64_t n = begin; n < begin + batch; ++n) ZeroSample(dst, layout, n);
      }
    }
    return Status();
  });
}

Status Decoder::DecodeSymbols(FrameView frame, std::vector<int16_t>& symbols, Shape& latent_shape) {
  return NoThrow("decode", [&]() -> Status {
    STRAIT_ASSIGN_OR_RETURN(const OpenFrame open, impl_->Open(frame));
    STRAIT_RETURN_IF_ERROR(impl_->ReadSymbols(open));
    symbols = impl_->symbols;
    latent_shape = open.latent_shape();
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
    if (NumElements(latent_shape) != static_cast<int64_t>(symbols.size()) || symbols.empty()) {
      return Error(StatusCode::kInvalidArgument, "latent shape ", ToString(latent_shape), ": got ", symbols.size(),
                   " symbols");
    }
    STRAIT_ASSIGN_OR_RETURN(const int code, QualityCode(quality, spec.levels.size()));
    STRAIT_ASSIGN_OR_RETURN(const CompiledTransform* synthesis, impl_->SynthesisOf(WithoutBatch(latent_shape)));
    const Shape shape = WithBatch(latent_shape[0], synthesis->dst_shape());
    const int64_t elements = NumElements(shape);
    if (elements < 0 || elements > impl_->options.limits.max_tensor_elements) {
      return Error(StatusCode::kLimitExceeded, "shape ", ToString(shape), " has more than ",
                   impl_->options.limits.max_tensor_elements, " elements");
    }
    return impl_->Restore(symbols, latent_shape, shape, code, dst);
  });
}

}  // namespace strait
