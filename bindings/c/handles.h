// What the opaque handles of strait.h hold. An encoder and a decoder keep their model alive, a
// controller its plan.
#pragma once

#include <memory>
#include <vector>

#include "bindings/c/boundary.h"

namespace strait::c {

// Longer than any text that names no path.
inline constexpr size_t kHandleErrorBytes = 512;

}  // namespace strait::c

struct strait_model {
  std::shared_ptr<const strait::Model> model;
};

struct strait_encoder {
  strait::Encoder encoder;
  char error[strait::c::kHandleErrorBytes] = "";
};

struct strait_decoder {
  strait::Decoder decoder;
  std::vector<strait::FrameView> frames;  // of the last batch
  std::vector<strait::Status> statuses;   // of the last call if that was a batch with statuses
  char error[strait::c::kHandleErrorBytes] = "";
};

struct strait_plan {
  std::shared_ptr<const strait::Plan> plan;
};

struct strait_controller {
  strait::Controller controller;
};

struct strait_link_estimator {
  strait::LinkEstimator estimator;
};
