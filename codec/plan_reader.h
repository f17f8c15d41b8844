// The text of a plan file into a PlanSpec.
#pragma once

#include <cstdint>
#include <span>

#include "codec/plan_spec.h"

namespace strait {

// Checks the form only: JSON, version, keys and types; MakePlan checks the values. Memory is bounded by about a
// hundred bytes for each value of a full plan. Errors: kCorrupt, kUnsupported, kLimitExceeded.
Result<PlanSpec> ParsePlan(std::span<const uint8_t> bytes);

}  // namespace strait
