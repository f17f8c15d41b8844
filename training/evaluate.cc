#include "training/evaluate.h"

#include <fmt/format.h>

#include <atomic>
#include <cmath>
#include <limits>
#include <mutex>
#include <numeric>
#include <thread>

#include "entropy/error.h"
#include "training/torch_status.h"

namespace strait {
namespace {

constexpr int64_t kTailBatch = 64;

std::string LevelName(double quality) {
  const bool integral = quality == std::floor(quality);
  return integral ? fmt::format("{}", static_cast<int64_t>(quality)) : fmt::format("{:.6g}", quality);
}

double ShareOf(const torch::Tensor& is_true) { return 100.0 * is_true.to(torch::kFloat64).mean().item<double>(); }

// One sample out to a frame and back: `src` and `dst` are contiguous float32 of one sample. Returns the frame's
// bytes.
Result<size_t> RoundTrip(Encoder& encoder, Decoder& decoder, const float* src, const Shape& shape, double quality,
                         float* dst) {
  EncodeOptions options;
  options.quality = quality;
  std::vector<uint8_t> frame;
  STRAIT_RETURN_IF_ERROR(encoder.Encode({src, shape}, options, frame));
  Tensor restored;
  STRAIT_RETURN_IF_ERROR(decoder.Decode(frame, restored));
  if (restored.shape != shape) {
    return Error(StatusCode::kInternal, "evaluate: sent ", ToString(shape), ", restored ",
                 ToString(restored.shape));
  }
  std::copy(restored.data.begin(), restored.data.end(), dst);
  return frame.size();
}

// Restores a batch of features with one Encoder and Decoder a thread, and adds the sizes of the frames.
class BatchCoder {
 public:
  BatchCoder(const std::shared_ptr<const Model>& model, double quality) : quality_(quality) {
    const unsigned threads = std::max(1U, std::thread::hardware_concurrency());
    for (unsigned i = 0; i < threads; ++i) {
      encoders_.emplace_back(model);
      decoders_.emplace_back(model);
    }
  }

  Result<torch::Tensor> Restore(const torch::Tensor& features) {
    const torch::Tensor src = features.to(torch::kFloat32).contiguous();
    torch::Tensor dst = torch::empty_like(src);
    Shape shape = src.sizes().vec();
    const int64_t count = shape[0];
    shape[0] = 1;
    const int64_t elements = NumElements(shape);
    const float* src_data = src.data_ptr<float>();
    float* dst_data = dst.data_ptr<float>();
    std::atomic<int64_t> next = 0;
    Status failure;
    std::mutex mutex;
    const auto work = [&](size_t worker) {
      for (int64_t i = next++; i < count; i = next++) {
        const Result<size_t> bytes = RoundTrip(encoders_[worker], decoders_[worker], src_data + i * elements, shape,
                                               quality_, dst_data + i * elements);
        const std::lock_guard lock(mutex);
        if (!bytes.ok()) {
          failure = bytes.status();
          next = count;
          return;
        }
        bytes_ += *bytes;
      }
    };
    std::vector<std::thread> threads;
    for (size_t worker = 1; worker < encoders_.size(); ++worker) threads.emplace_back(work, worker);
    work(0);
    for (std::thread& thread : threads) thread.join();
    STRAIT_RETURN_IF_ERROR(failure);
    return dst;
  }

  uint64_t bytes() const { return bytes_; }

 private:
  double quality_;
  std::vector<Encoder> encoders_;
  std::vector<Decoder> decoders_;
  uint64_t bytes_ = 0;
};

}  // namespace

torch::Tensor AnswersOf(const torch::Tensor& logits) { return logits.argmax(1).cpu(); }

double Accuracy(const torch::Tensor& answers, const torch::Tensor& labels) {
  if (answers.numel() == 0) return std::numeric_limits<double>::quiet_NaN();
  if (answers.dim() == 1) return ShareOf(answers.eq(labels));
  const int64_t classes = std::max(answers.max().item<int64_t>(), labels.max().item<int64_t>()) + 1;
  const torch::Tensor pairs =
      torch::bincount((labels * classes + answers).flatten(), {}, classes * classes).view({classes, classes});
  const torch::Tensor both = pairs.diag(), either = pairs.sum(0) + pairs.sum(1) - both;
  const torch::Tensor occurring = torch::nonzero(either).squeeze(1);
  const torch::Tensor ratios =
      both.to(torch::kFloat64).index_select(0, occurring) / either.index_select(0, occurring);
  return 100.0 * ratios.mean().item<double>();
}

const char* AccuracyName(const torch::Tensor& answers) { return answers.dim() == 1 ? "top-1" : "mean IoU"; }

double Agreement(const torch::Tensor& answers, const torch::Tensor& reference) {
  return ShareOf(answers.eq(reference));
}

RdPoint MakeRdPoint(const std::string& codec, const std::string& level, double lambda, double bytes_per_sample,
                    const torch::Tensor& answers, const EvalSet& set) {
  RdPoint point;
  point.codec = codec;
  point.level = level;
  point.lambda = lambda;
  point.bytes_per_sample = bytes_per_sample;
  point.bits_per_element =
      8 * bytes_per_sample / (static_cast<double>(set.features.numel()) / set.features.size(0));
  point.top1 = Accuracy(answers, set.labels);
  point.top1_drop = Accuracy(set.answers, set.labels) - point.top1;
  point.agreement = Agreement(answers, set.answers);
  return point;
}

RdPoint UnsplitRow(const EvalSet& set) { return MakeRdPoint("unsplit", "-", 0, 0, set.answers, set); }

Result<RdPoint> EvaluateQuality(const std::shared_ptr<const Model>& model, const torch::jit::Module& tail,
                                const EvalSet& set, double quality) {
  const int64_t count = set.features.dim() > 0 ? set.features.size(0) : 0;
  if (count == 0) return Error(StatusCode::kInvalidArgument, "evaluate: the validation set is empty");
  if (set.labels.size(0) != count || set.answers.sizes() != set.labels.sizes()) {
    return Error(StatusCode::kInvalidArgument, "evaluate: ", count, " feature tensors, labels of ",
                 ToString(set.labels.sizes().vec()), " and answers of ", ToString(set.answers.sizes().vec()));
  }
  return CatchTorch(StatusCode::kInternal, "evaluate", [&]() -> Result<RdPoint> {
    torch::NoGradGuard no_grad;
    torch::jit::Module network = tail;  // forward is not const
    BatchCoder coder(model, quality);
    std::vector<torch::Tensor> answers;
    for (int64_t first = 0; first < count; first += kTailBatch) {
      const int64_t size = std::min(kTailBatch, count - first);
      STRAIT_ASSIGN_OR_RETURN(torch::Tensor restored, coder.Restore(set.features.narrow(0, first, size)));
      answers.push_back(AnswersOf(network.forward({restored}).toTensor()));
    }
    const double bytes_per_sample = static_cast<double>(coder.bytes()) / static_cast<double>(count);
    // Lambdas lie on a geometric scale: so does the one of a quality between two levels.
    const std::vector<LevelInfo>& levels = model->levels();
    const double last = static_cast<double>(levels.size()) - 1;
    const auto below = static_cast<size_t>(std::clamp(std::floor(quality), 0.0, last));
    const size_t above = std::min(below + 1, levels.size() - 1);
    const double share = std::clamp(quality - static_cast<double>(below), 0.0, 1.0);
    const double lambda = share == 0
                              ? levels[below].lambda
                              : std::pow(levels[below].lambda, 1 - share) * std::pow(levels[above].lambda, share);
    return MakeRdPoint("strait", LevelName(quality), lambda, bytes_per_sample, torch::cat(answers), set);
  });
}

}  // namespace strait
