// Everything a plan may choose from: place (local, image file, raw pixels, a split), quality, threads and clock of
// the device, for each batch size; and what each configuration takes, from two profiles and the rates.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "planner/profile.h"
#include "planner/rates.h"
#include "strait/controller.h"
#include "strait/result.h"

namespace strait {

struct SpaceOptions {
  // Distance of the qualities of a unit: 1 for its levels alone; 0.0625 for all a frame can say, where bytes
  // (geometrically), accuracy and times are interpolated between the levels on both sides.
  double quality_step = 1;
};

// Indices into the axes: place, quality, threads, clock.
using Genes = std::array<int, 4>;

class Space {
 public:
  // Errors: kModelMismatch (profiles and units of different networks), kInvalidArgument (a timing that is missing,
  // named with what would measure it; no batch size in common; quality_step).
  static Result<Space> Make(const Profile& device, const Profile& server, const Rates& rates,
                            const SpaceOptions& options = {});

  // Batch sizes that both profiles have, ascending.
  const std::vector<int>& batches() const { return batches_; }
  int num_places() const { return static_cast<int>(places_.size()); }
  int num_qualities(int place) const { return static_cast<int>(places_[place].qualities.size()); }
  int num_threads() const { return static_cast<int>(threads_.size()); }
  int num_clocks() const { return static_cast<int>(clocks_hz_.size()); }
  // Distinct configurations of one batch size.
  int64_t size() const;

  // `batch` is an index into batches(); each gene lies within its axis (quality: of its place).
  PlanEntry Evaluate(int batch, const Genes& genes) const;

 private:
  struct Place {
    Route route;
    std::string name;
    std::vector<double> qualities;
    std::vector<RatePoint> points;  // ascending; what qualities lie on or between
  };
  struct Cost {
    double device_seconds = 0, server_seconds = 0, device_joules = 0;  // joules: measured, or 0
  };

  Status AddCosts(const Profile& device, const Profile& server);
  const Cost& CostAt(int batch, const Genes& genes, size_t point) const;

  std::vector<int> batches_;
  std::vector<int> threads_;
  std::vector<double> clocks_hz_;  // at least one; 0: as the machine has it
  bool clock_measured_ = true;
  int cores_ = 1;
  PowerModel power_;
  std::vector<Place> places_;
  size_t max_points_ = 1;
  std::vector<Cost> costs_;  // [batch][threads][clock, where measured][place][point]
};

}  // namespace strait
