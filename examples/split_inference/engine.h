// The server's half of the network: frames to classes, a batch at a time.
// One Engine per thread.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "framing.h"
#include "scorer.h"
#include "strait/decoder.h"
#include "strait/model.h"
#include "strait/result.h"

namespace split_inference {

class Engine {
 public:
  // Loads a model file and a tail (TorchScript) and runs them once. Errors name the file.
  static strait::Result<Engine> Load(const std::string& model_path, const std::string& tail_path, int top);
  // The same with a model that is there already.
  static strait::Result<Engine> Load(std::shared_ptr<const strait::Model> model, const std::string& tail_path,
                                     int top);

  // One result for each frame: its best classes, or why there are none. Frames hold one sample of the model's
  // shape, at any quality.
  std::vector<strait::Result<std::vector<Score>>> Run(std::span<const strait::FrameView> frames);

 private:
  Engine(std::shared_ptr<const strait::Model> model, Scorer tail);

  // A frame that is sound so far and of the shape that Run takes.
  strait::Status Check(strait::FrameView frame);

  std::shared_ptr<const strait::Model> model_;
  strait::Decoder decoder_;
  Scorer tail_;
};

}  // namespace split_inference
