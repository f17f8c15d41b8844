// What is behind a Plan.
#pragma once

#include "codec/plan_index.h"
#include "codec/plan_spec.h"

namespace strait {

struct Plan::Impl {
  PlanSpec spec;
  PlanIndex index;
};

}  // namespace strait
