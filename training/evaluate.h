// Accuracy and bytes of a unit, measured through the runtime codec: every sample is encoded to a frame and decoded
// from it.
#pragma once

#include <torch/script.h>

#include <memory>
#include <string>
#include <vector>

#include "strait/strait.hpp"

namespace strait {

// Head outputs, labels and the unsplit network's answers of a validation set (or a part of it). Networks answer for
// a sample as a whole or for every pixel.
struct EvalSet {
  torch::Tensor features;  // [N, ...] float32 or float16, CPU
  torch::Tensor labels;    // [N] or [N, H, W] int64
  torch::Tensor answers;   // of the unsplit network: as labels
};

// The classes of largest logits, [N, classes] or [N, classes, H, W], on the CPU: a set's answers are kept, its
// logits would take the number of classes times as much.
torch::Tensor AnswersOf(const torch::Tensor& logits);

// One row of rd.csv. Rates are sizes of real frames, header included.
struct RdPoint {
  std::string codec;
  std::string level;
  double lambda = 0;
  double bytes_per_sample = 0;
  double bits_per_element = 0;  // of the feature tensor at the split
  double top1 = 0;              // accuracy in percent: see Accuracy
  double top1_drop = 0;         // points below the unsplit network
  double agreement = 0;         // percent with the same arg-max as the unsplit network
};

// In percent: top-1 of answers [N]; of [N, H, W] the mean intersection over union of the classes that occur among
// labels or answers (PASCAL VOC 2012), over all pixels of the set.
double Accuracy(const torch::Tensor& answers, const torch::Tensor& labels);
// What it is called: "top-1" or "mean IoU".
const char* AccuracyName(const torch::Tensor& answers);
// Samples, or pixels, with the same answer, in percent.
double Agreement(const torch::Tensor& answers, const torch::Tensor& reference);

// The row of the answers to one set of restored features.
RdPoint MakeRdPoint(const std::string& codec, const std::string& level, double lambda, double bytes_per_sample,
                    const torch::Tensor& answers, const EvalSet& set);

// The row that comes first: the network as it is. It sends nothing, so bytes and bits are 0; level is "-".
RdPoint UnsplitRow(const EvalSet& set);

// codec,level,lambda,bytes_per_sample,bits_per_element,top1,top1_drop,agreement; lambda is 0 where a codec has
// none. Codec names that hold a comma, a quote or a line end are quoted (RFC 4180).
std::string ToCsv(const std::vector<RdPoint>& rows);

// Sends every sample of `set` through `model` at `quality`: batch-1 frames, then the tail in batches.
Result<RdPoint> EvaluateQuality(const std::shared_ptr<const Model>& model, const torch::jit::Module& tail,
                                const EvalSet& set, double quality);

}  // namespace strait
