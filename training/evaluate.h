// Accuracy and bytes of a unit, measured through the runtime codec: every sample is encoded to a frame and decoded
// from it.
#pragma once

#include <torch/script.h>

#include <memory>
#include <string>
#include <vector>

#include "strait/strait.hpp"
#include "training/rd_table.h"

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

// Sends every sample of `set` through `model` at `quality`: batch-1 frames, then the tail in batches.
Result<RdPoint> EvaluateQuality(const std::shared_ptr<const Model>& model, const torch::jit::Module& tail,
                                const EvalSet& set, double quality);

}  // namespace strait
