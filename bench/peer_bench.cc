// What Codec/... is measured against: LibTorch running only the transforms of the same units, on one thread,
// without quantisation or coding, and OpenCV encoding a picture as JPEG.
#include <benchmark/benchmark.h>
#include <torch/torch.h>

#include <cmath>
#include <memory>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

#include "bench/bench_units.h"
#include "bench/benchmarks.h"
#include "training/torch_shape.h"

namespace strait {
namespace {

torch::Tensor ToTorch(const Weights& weights) {
  return torch::from_blob(const_cast<float*>(weights.data.data()), SizesOf(weights.shape)).clone();
}

// The ops of a unit's transform, weights ready.
class TorchTransform {
 public:
  // LibTorch chooses how by itself; at batch 1 on one thread it leaves pointwise convolutions to the BLAS.
  // `by_onednn` makes it use oneDNN for all that are not transposed.
  TorchTransform(const Transform& transform, bool by_onednn)
      : by_onednn_(by_onednn), last_reader_(transform.size()) {
    for (size_t k = 0; k < transform.size(); ++k) {
      Layer layer{transform[k], {}, {}, transform[k].src};
      if (layer.src.empty()) layer.src = {static_cast<int>(k)};
      for (const int value : layer.src) last_reader_[static_cast<size_t>(value)] = k;
      if (!layer.op.weight.data.empty()) layer.weight = ToTorch(layer.op.weight);
      if (!layer.op.bias.data.empty()) layer.bias = ToTorch(layer.op.bias);
      layers_.push_back(std::move(layer));
    }
  }

  // What nothing reads any more is given back or written over, as networks do.
  torch::Tensor Forward(const torch::Tensor& src) const {
    std::vector<torch::Tensor> values = {src};
    for (size_t k = 0; k < layers_.size(); ++k) {
      const Layer& layer = layers_[k];
      const auto first = static_cast<size_t>(layer.src[0]);
      const bool is_last = first > 0 && last_reader_[first] == k;
      values.push_back(layer.op.kind == OpKind::kAdd ? values[first] + values[static_cast<size_t>(layer.src[1])]
                                                     : Run(layer, values[first], is_last));
      if (is_last) values[first] = torch::Tensor();
    }
    return values.back();
  }

 private:
  struct Layer {
    Op op;
    torch::Tensor weight, bias;
    std::vector<int> src;
  };

  torch::Tensor Run(const Layer& layer, torch::Tensor x, bool may_overwrite) const {
    const auto& [op, weight, bias, src] = layer;
    const std::vector<int64_t> stride{op.stride[0], op.stride[1]}, padding{op.padding[0], op.padding[1]};
    const std::vector<int64_t> output_padding{op.output_padding[0], op.output_padding[1]};
    switch (op.kind) {
      case OpKind::kConv2d:
        return by_onednn_ ? torch::mkldnn_convolution(x, weight, bias, padding, stride, {1, 1}, op.groups)
                          : torch::conv2d(x, weight, bias, stride, padding, 1, op.groups);
      case OpKind::kConvTranspose2d:
        return torch::conv_transpose2d(x, weight, bias, stride, padding, output_padding, op.groups);
      case OpKind::kLinear:
        return torch::linear(x, weight, bias);
      case OpKind::kLeakyRelu:
        return torch::leaky_relu(x, op.slope);
      case OpKind::kPixelShuffle:
        return torch::pixel_shuffle(x, op.factor);
      case OpKind::kRelu:
        return may_overwrite ? torch::relu_(x) : torch::relu(x);
      case OpKind::kAdd:
        break;  // has two sources
    }
    return {};
  }

  bool by_onednn_;
  std::vector<Layer> layers_;
  std::vector<size_t> last_reader_;  // of each value but the last
};

void BenchTorch(benchmark::State& state, const std::shared_ptr<const BenchUnit>& unit, bool analysis,
                bool by_onednn) {
  const c10::InferenceMode guard;
  torch::set_num_threads(1);
  const ModelSpec& spec = unit->spec;
  const TorchTransform transform(analysis ? spec.analysis : spec.synthesis, by_onednn);
  const Shape src_shape = WithBatch(1, analysis ? spec.feature_shape : spec.latent_shape);
  const torch::Tensor src = torch::rand(SizesOf(src_shape));
  for (auto _ : state) {
    const torch::Tensor dst = transform.Forward(src);
    benchmark::DoNotOptimize(dst.data_ptr());
  }
}

// Noise of falling spectrum and some edges: as JPEG of quality 75 it has 10.4 kB, the mean of the Imagenette
// validation photographs at 224x224.
cv::Mat PhotographLike(int size) {
  cv::RNG random(7);
  cv::Mat sum(size, size, CV_32FC3, cv::Scalar::all(128));
  for (int cells = 4; cells <= size; cells *= 2) {
    cv::Mat noise(cells, cells, CV_32FC3), octave;
    random.fill(noise, cv::RNG::NORMAL, 0, 120.0 / std::pow(cells, 0.65));
    cv::resize(noise, octave, sum.size(), 0, 0, cv::INTER_CUBIC);
    sum += octave * 2;
  }
  for (int i = 0; i < 12; ++i) {
    const cv::Point center(random.uniform(0, size), random.uniform(0, size));
    const cv::Scalar color(random.uniform(0, 256), random.uniform(0, 256), random.uniform(0, 256));
    cv::Mat shape = sum.clone();
    cv::circle(shape, center, random.uniform(size / 20, size / 5), color, cv::FILLED, cv::LINE_AA);
    cv::addWeighted(sum, 0.5, shape, 0.5, 0, sum);
  }
  cv::Mat picture;
  sum.convertTo(picture, CV_8UC3);
  return picture;
}

void BenchJpeg(benchmark::State& state, int size) {
  cv::setNumThreads(1);
  const cv::Mat picture = PhotographLike(size);
  std::vector<uchar> bytes;
  for (auto _ : state) {
    cv::imencode(".jpg", picture, bytes, {cv::IMWRITE_JPEG_QUALITY, 75});
    benchmark::DoNotOptimize(bytes.data());
  }
  state.counters["bytes"] = static_cast<double>(bytes.size());
}

}  // namespace

void RegisterPeerBenchmarks(const BenchUnits& units) {
  for (const auto& unit : units) {
    const auto add = [&](const char* kind, bool analysis, bool by_onednn) {
      benchmark::RegisterBenchmark((kind + unit->name).c_str(), BenchTorch, unit, analysis, by_onednn)
          ->Unit(benchmark::kMicrosecond);
    };
    add("TorchUnit/Analysis/", true, false);
    add("TorchUnit/Synthesis/", false, false);
    add("TorchOnednn/Analysis/", true, true);
  }
  for (const int size : {128, 224}) {
    benchmark::RegisterBenchmark(("Jpeg75/Encode/" + std::to_string(size)).c_str(), BenchJpeg, size)
        ->Unit(benchmark::kMicrosecond);
  }
}

}  // namespace strait
