// Rows of the baselines: every sample is encoded to bytes, decoded from them, and the network runs on what came
// out.
#pragma once

#include <string>
#include <vector>

#include "bench/rd/baseline_codecs.h"
#include "bench/rd/eval_data.h"
#include "bench/rd/video_codecs.h"
#include "strait/result.h"
#include "training/evaluate.h"

namespace strait {

// Codes the feature tensors at the split; level "-".
Result<RdPoint> EvaluateFeatureBaseline(FeatureCodec codec, const EvalData& data);

// Codes the crops and runs the whole network; level is the quality ("lossless" for PNG), bits are still per element
// of the feature tensor, so that rows compare.
Result<RdPoint> EvaluateImageBaseline(ImageCodec codec, int quality, const EvalData& data,
                                      const std::vector<Image>& crops);

// The same through ffmpeg; level is the constant rate factor.
Result<RdPoint> EvaluateVideoBaseline(VideoCodec codec, int quality, const EvalData& data,
                                      const std::vector<Image>& crops);

// "raw", "f16", "u8", "jpeg", "webp", "png", "avif", "hevc", as --baselines names them.
const std::vector<std::string>& BaselineNames();

// What the rows of a baseline have as their codec: "f16-zstd" of "f16".
std::string BaselineCodec(const std::string& name);

// kIo when one of the baselines named needs a program that is not there, kInvalidArgument when one codes features
// and there are several splits, each with its own.
Status CheckBaselines(const std::vector<std::string>& names, size_t splits);

// The samples as images, where one of the baselines named codes images, else none. kInvalidArgument when they are
// of sizes that it cannot code, or no images.
Result<std::vector<Image>> BaselineCrops(const std::vector<std::string>& names, const EvalData& data);

// All rows of the baselines named, in that order, of their crops. Errors: kInvalidArgument for an unknown name.
Result<std::vector<RdPoint>> EvaluateBaselines(const std::vector<std::string>& names, const EvalData& data,
                                               const std::vector<Image>& crops);

}  // namespace strait
