// Rows of rate and accuracy, and the table (rd.csv) that the trainer and strait-rd write and strait-rd and
// strait-plan read.
#pragma once

#include <string>
#include <vector>

#include "strait/result.h"

namespace strait {

// One row. Rates are sizes of real frames, header included.
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

// codec,level,lambda,bytes_per_sample,bits_per_element,top1,top1_drop,agreement; lambda is 0 where a codec has
// none. Fields that hold a comma, a quote or a line end are quoted (RFC 4180).
std::string ToCsv(const std::vector<RdPoint>& rows);

// The rows of such a table, its columns in any order and others beside them. Errors name file and line: kIo,
// kLimitExceeded (above 64 MiB), kCorrupt (a column or field missing, a value out of range).
Result<std::vector<RdPoint>> ReadRdTable(const std::string& path);

}  // namespace strait
