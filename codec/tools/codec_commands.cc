#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "codec/file_io.h"
#include "codec/model_impl.h"
#include "codec/npy.h"
#include "codec/tools/commands.h"
#include "entropy/error.h"
#include "strait/decoder.h"
#include "strait/encoder.h"
#include "strait/model.h"

namespace strait::tools {
namespace {

Status At(const std::string& file, const Status& status) {
  return Error(status.code(), file, ": ", status.message());
}

// Says what a file is when it is sound.
Result<std::string> VerifyFile(const std::string& file, const std::shared_ptr<const Model>& model) {
  STRAIT_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, ReadFile(file));
  if (LooksLikeModel(bytes)) {
    STRAIT_ASSIGN_OR_RETURN(const auto parsed, Model::FromBytes(bytes));
    return fmt::format("model {}, well-formed (a changed weight changes the id)", ModelIdText(parsed->id()));
  }
  if (model == nullptr) {
    STRAIT_ASSIGN_OR_RETURN(const FrameInfo info, ReadFrameInfo(bytes));
    return fmt::format("frame of {} payload bytes, header sound (payload not checked: give the model with -m)",
                       info.payload_bytes);
  }
  Tensor tensor;
  STRAIT_RETURN_IF_ERROR(Decoder(model).Decode(bytes, tensor));
  return fmt::format("frame of {} bytes, decodes to {}", bytes.size(), ToString(tensor.shape));
}

double MedianMicroseconds(std::vector<double>& samples) {
  std::ranges::sort(samples);
  return samples[samples.size() / 2];
}

template <typename Work>
Result<double> TimeMicroseconds(int repetitions, const Work& work) {
  std::vector<double> samples;
  STRAIT_RETURN_IF_ERROR(work());  // compiles the transforms and fills the caches
  for (int i = 0; i < repetitions; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    STRAIT_RETURN_IF_ERROR(work());
    samples.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count());
  }
  return MedianMicroseconds(samples);
}

// Uniform in [0, 1), the range of features behind a ReLU; a fixed generator, so that runs compare.
Tensor RandomFeatures(const Shape& sample_shape) {
  Tensor tensor{WithBatch(1, sample_shape), {}};
  uint64_t state = 1;
  for (int64_t i = NumElements(tensor.shape); i > 0; --i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    tensor.data.push_back(static_cast<float>(state >> 40) * 0x1p-24f);
  }
  return tensor;
}

}  // namespace

Status RunEncode(const EncodeArgs& args) {
  STRAIT_ASSIGN_OR_RETURN(const auto model, Model::Load(args.model));
  STRAIT_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, ReadFile(args.input));
  Result<Tensor> tensor = ParseNpy(bytes);
  if (!tensor.ok()) return At(args.input, tensor.status());
  if (tensor->shape.size() == model->feature_shape().size()) tensor->shape = WithBatch(1, tensor->shape);

  EncodeOptions options;
  options.quality = args.quality;
  if (args.max_bytes) options.max_bytes = static_cast<size_t>(*args.max_bytes);
  options.checksum = args.checksum;
  std::vector<uint8_t> frame;
  const Status status = Encoder(model).Encode({tensor->data.data(), tensor->shape}, options, frame);
  if (!status.ok()) return At(args.input, status);
  STRAIT_RETURN_IF_ERROR(WriteFileAtomic(args.output, frame));
  STRAIT_ASSIGN_OR_RETURN(const FrameInfo info, ReadFrameInfo(frame));
  fmt::print("{} bytes, quality {}\n", frame.size(), info.quality);
  return Status();
}

Status RunDecode(const DecodeArgs& args) {
  STRAIT_ASSIGN_OR_RETURN(const auto model, Model::Load(args.model));
  STRAIT_ASSIGN_OR_RETURN(const std::vector<uint8_t> frame, ReadFile(args.input));
  Tensor tensor;
  if (const Status status = Decoder(model).Decode(frame, tensor); !status.ok()) return At(args.input, status);
  STRAIT_RETURN_IF_ERROR(WriteFileAtomic(args.output, SerializeNpy({tensor.data.data(), tensor.shape})));
  fmt::print("{} float32\n", ToString(tensor.shape));
  return Status();
}

Status RunVerify(const VerifyArgs& args) {
  std::shared_ptr<const Model> model;
  if (!args.model.empty()) {
    STRAIT_ASSIGN_OR_RETURN(model, Model::Load(args.model));
  }
  size_t bad = 0;
  for (const std::string& file : args.files) {
    const Result<std::string> verdict = VerifyFile(file, model);
    if (!verdict.ok()) ++bad;
    fmt::print("{}: {}\n", file, verdict.ok() ? "ok: " + *verdict : "bad: " + verdict.status().ToString());
  }
  if (bad == 0) return Status();
  return Error(StatusCode::kCorrupt, bad, " of ", args.files.size(), " files are not sound");
}

Status RunBench(const BenchArgs& args) {
  STRAIT_ASSIGN_OR_RETURN(const auto model, Model::Load(args.model));
  const Tensor features = RandomFeatures(model->feature_shape());
  fmt::print("random features {}, uniform in [0, 1), one sample a frame, one thread, median of {}\n",
             ToString(features.shape), args.repetitions);
  fmt::print("{:>5} {:>12} {:>8} {:>10} {:>10}\n", "level", "lambda", "bytes", "encode_us", "decode_us");
  Encoder encoder(model);
  Decoder decoder(model);
  for (size_t level = 0; level < model->levels().size(); ++level) {
    EncodeOptions options;
    options.quality = static_cast<double>(level);
    std::vector<uint8_t> frame;
    Tensor restored;
    STRAIT_ASSIGN_OR_RETURN(const double encode_us, TimeMicroseconds(args.repetitions, [&] {
                              return encoder.Encode({features.data.data(), features.shape}, options, frame);
                            }));
    STRAIT_ASSIGN_OR_RETURN(const double decode_us,
                            TimeMicroseconds(args.repetitions, [&] { return decoder.Decode(frame, restored); }));
    fmt::print("{:>5} {:>12.6g} {:>8} {:>10.1f} {:>10.1f}\n", level, model->levels()[level].lambda, frame.size(),
               encode_us, decode_us);
  }
  return Status();
}

}  // namespace strait::tools
