#include "bench/rd/baselines.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "entropy/error.h"
#include "training/run_log.h"
#include "training/torch_status.h"

namespace strait {
namespace {

constexpr size_t kBatchSize = 64;

const std::map<std::string, FeatureCodec> kFeatureCodecs = {
    {"raw", FeatureCodec::kRaw}, {"f16", FeatureCodec::kF16Zstd}, {"u8", FeatureCodec::kU8Zstd}};
const std::map<std::string, ImageCodec> kImageCodecs = {
    {"jpeg", ImageCodec::kJpeg}, {"webp", ImageCodec::kWebp}, {"png", ImageCodec::kPng}};

const std::map<std::string, VideoCodec> kVideoCodecs = {{"avif", VideoCodec::kAvif}, {"hevc", VideoCodec::kHevc}};

// Calls batch(first, count) over all samples.
template <typename Body>
Status InBatches(size_t samples, const std::string& label, const Body& body) {
  Progress progress(label, static_cast<int64_t>(samples));
  for (size_t first = 0; first < samples; first += kBatchSize) {
    const size_t count = std::min(kBatchSize, samples - first);
    STRAIT_RETURN_IF_ERROR(body(first, count));
    progress.Update(static_cast<int64_t>(first + count), "");
  }
  progress.Finish();
  return {};
}

}  // namespace

Result<RdPoint> EvaluateFeatureBaseline(FeatureCodec codec, const EvalData& data) {
  torch::NoGradGuard no_grad;
  const std::string name = FeatureCodecName(codec);
  const size_t samples = static_cast<size_t>(data.set.features.size(0));
  torch::jit::Module tail = data.network.tail;
  size_t total_bytes = 0;
  std::vector<torch::Tensor> answers;
  const auto body = [&](size_t first, size_t count) -> Status {
    const torch::Tensor src = data.set.features.narrow(0, static_cast<int64_t>(first), static_cast<int64_t>(count))
                                  .to(torch::kFloat)
                                  .contiguous();
    torch::Tensor dst = torch::empty_like(src);
    const size_t elements = static_cast<size_t>(src.numel()) / count;
    for (size_t i = 0; i < count; ++i) {
      STRAIT_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes,
                              EncodeFeature(codec, {src.data_ptr<float>() + i * elements, elements}));
      total_bytes += bytes.size();
      STRAIT_RETURN_IF_ERROR(DecodeFeature(codec, bytes, {dst.data_ptr<float>() + i * elements, elements}));
    }
    answers.push_back(AnswersOf(tail.forward({dst}).toTensor()));
    return {};
  };
  STRAIT_RETURN_IF_ERROR(CatchTorch(StatusCode::kInternal, name, [&] { return InBatches(samples, name, body); }));
  return MakeRdPoint(name, "-", 0, static_cast<double>(total_bytes) / static_cast<double>(samples),
                     torch::cat(answers), data.set);
}

Result<RdPoint> EvaluateImageBaseline(ImageCodec codec, int quality, const EvalData& data,
                                      const std::vector<Image>& crops) {
  torch::NoGradGuard no_grad;
  const std::string name = ImageCodecName(codec);
  const std::string level = codec == ImageCodec::kPng ? "lossless" : std::to_string(quality);
  torch::jit::Module network = data.backbone.network();
  size_t total_bytes = 0;
  std::vector<torch::Tensor> answers;
  const auto body = [&](size_t first, size_t count) -> Status {
    std::vector<Image> decoded;
    for (size_t i = first; i < first + count; ++i) {
      STRAIT_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, EncodeImage(codec, crops[i], quality));
      total_bytes += bytes.size();
      STRAIT_ASSIGN_OR_RETURN(Image image, DecodeImage(bytes));
      decoded.push_back(std::move(image));
    }
    answers.push_back(AnswersOf(network.forward({ToInput(decoded, 0, count, data.preprocess)}).toTensor()));
    return {};
  };
  const std::string label = name + " " + level;
  STRAIT_RETURN_IF_ERROR(
      CatchTorch(StatusCode::kInternal, label, [&] { return InBatches(crops.size(), label, body); }));
  return MakeRdPoint(name, level, 0, static_cast<double>(total_bytes) / static_cast<double>(crops.size()),
                     torch::cat(answers), data.set);
}

Result<RdPoint> EvaluateVideoBaseline(VideoCodec codec, int quality, const EvalData& data,
                                      const std::vector<Image>& crops) {
  torch::NoGradGuard no_grad;
  const std::string level = std::to_string(quality), label = VideoCodecName(codec) + (" " + level);
  STRAIT_ASSIGN_OR_RETURN(const CodedImages coded, CodeImages(codec, crops, quality));
  torch::jit::Module network = data.backbone.network();
  std::vector<torch::Tensor> answers;
  const auto body = [&](size_t first, size_t count) -> Status {
    answers.push_back(
        AnswersOf(network.forward({ToInput(coded.decoded, first, count, data.preprocess)}).toTensor()));
    return {};
  };
  STRAIT_RETURN_IF_ERROR(
      CatchTorch(StatusCode::kInternal, label, [&] { return InBatches(crops.size(), label, body); }));
  const double total = std::accumulate(coded.bytes.begin(), coded.bytes.end(), 0.0);
  return MakeRdPoint(VideoCodecName(codec), level, 0, total / static_cast<double>(crops.size()),
                     torch::cat(answers), data.set);
}

const std::vector<std::string>& BaselineNames() {
  static const std::vector<std::string> names = {"raw", "f16", "u8", "jpeg", "webp", "png", "avif", "hevc"};
  return names;
}

std::string BaselineCodec(const std::string& name) {
  const auto feature = kFeatureCodecs.find(name);
  return feature == kFeatureCodecs.end() ? name : FeatureCodecName(feature->second);
}

Status CheckBaselines(const std::vector<std::string>& names, size_t splits) {
  for (const std::string& name : names) {
    if (splits > 1 && kFeatureCodecs.contains(name)) {
      return Error(StatusCode::kInvalidArgument, "--baselines ", name,
                   " codes the features of one split, but the runs are of ", splits,
                   "; leave it out or measure the splits apart");
    }
    const auto video = kVideoCodecs.find(name);
    if (video != kVideoCodecs.end()) STRAIT_RETURN_IF_ERROR(CheckVideoCodec(video->second));
  }
  return Status();
}

Result<std::vector<Image>> BaselineCrops(const std::vector<std::string>& names, const EvalData& data) {
  std::vector<Image> crops;
  for (const std::string& name : names) {
    if (kFeatureCodecs.contains(name)) continue;
    if (crops.empty()) {
      STRAIT_ASSIGN_OR_RETURN(crops, LoadCrops(data));
    }
    const auto video = kVideoCodecs.find(name);
    if (video != kVideoCodecs.end()) STRAIT_RETURN_IF_ERROR(CheckVideoImages(video->second, crops));
  }
  return crops;
}

Result<std::vector<RdPoint>> EvaluateBaselines(const std::vector<std::string>& names, const EvalData& data,
                                               const std::vector<Image>& crops) {
  std::vector<RdPoint> rows;
  for (const std::string& name : names) {
    if (const auto feature = kFeatureCodecs.find(name); feature != kFeatureCodecs.end()) {
      STRAIT_ASSIGN_OR_RETURN(RdPoint row, EvaluateFeatureBaseline(feature->second, data));
      rows.push_back(std::move(row));
      continue;
    }
    const auto image = kImageCodecs.find(name);
    const auto video = kVideoCodecs.find(name);
    if (image == kImageCodecs.end() && video == kVideoCodecs.end())
      return Error(StatusCode::kInvalidArgument, "unknown baseline '", name, "'");
    if (video != kVideoCodecs.end()) {
      for (const int quality : VideoQualities(video->second)) {
        STRAIT_ASSIGN_OR_RETURN(RdPoint row, EvaluateVideoBaseline(video->second, quality, data, crops));
        rows.push_back(std::move(row));
      }
      continue;
    }
    for (const int quality : ImageQualities(image->second)) {
      STRAIT_ASSIGN_OR_RETURN(RdPoint row, EvaluateImageBaseline(image->second, quality, data, crops));
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

}  // namespace strait
