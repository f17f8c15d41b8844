// Curves measured before, from tables of `strait-rd --csv`, beside those measured now.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "strait/result.h"
#include "training/rd_table.h"

namespace strait {

struct MeasuredTable {
  std::string path;
  RdPoint unsplit;            // its row "unsplit"
  std::vector<RdPoint> rows;  // all others

  std::vector<std::string> Codecs() const;  // in order of first appearance
};

// Errors name the table: those of ReadRdTable; kCorrupt without a row "unsplit"; kInvalidArgument for a curve among
// `taken` or in two tables.
Result<std::vector<MeasuredTable>> ReadMeasured(const std::vector<std::string>& paths, std::set<std::string> taken);

// kModelMismatch when the unsplit network of a table is not as accurate as `unsplit`: other samples, or another
// network.
Status CheckMeasured(const std::vector<MeasuredTable>& tables, const RdPoint& unsplit);

// "FILE: CODEC, CODEC", a line a table; empty without one.
std::string MeasuredNotes(const std::vector<MeasuredTable>& tables);

}  // namespace strait
