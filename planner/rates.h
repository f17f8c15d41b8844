// Bytes and accuracy of what may cross the network: of units at their levels, as their model files say, and of
// whole images, as strait-rd measured them. Real frames and files over validation data, nothing estimated.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "strait/result.h"

namespace strait {

struct RatePoint {
  double quality = 0;   // of the unit, or of JPEG
  double bytes = 0;     // mean of a sample
  double accuracy = 0;  // percent
};

struct SplitRates {
  std::string split;
  std::string model_file;
  uint64_t model_id = 0;
  std::string backbone_hash;
  std::vector<RatePoint> levels;  // ascending qualities 0, 1, ...
};

struct Rates {
  double unsplit_accuracy = 0;
  double raw_bytes = 0;         // an 8-bit input, uncompressed
  std::vector<RatePoint> jpeg;  // empty where strait-rd did not measure it
  std::vector<SplitRates> splits;
};

// Of run directories (also of several splits) and, where named, of a table that `strait-rd --csv` wrote, for JPEG.
// The unsplit accuracy is that of the table, or else of the first run's rd.csv. Errors name the file: kIo,
// kCorrupt (naming the line of a table too), kUnsupported (a run of one unit a lambda), kInvalidArgument (a split
// twice), kModelMismatch (units of two networks).
Result<Rates> LoadRates(const std::vector<std::string>& run_dirs, const std::string& rd_csv);

}  // namespace strait
