// Rows of a rate-distortion measurement as text and JSON, and the BD-rates between their codecs.
#pragma once

#include <string>
#include <vector>

#include "bench/rd/bd_rate.h"
#include "strait/result.h"
#include "training/evaluate.h"

namespace strait {

// Columns aligned for a terminal.
std::string ToTable(const std::vector<RdPoint>& rows);

// One pair of codecs; `rate` is the Status of the refusal where there is no figure.
struct BdEntry {
  std::string reference;
  std::string test;
  Result<BdRate> rate;
};

// Every ordered pair of different codecs, "unsplit" and codecs of a single point left out, in order of first
// appearance.
std::vector<BdEntry> BdRates(const std::vector<RdPoint>& rows);

// Matrix with a line for each reference and a column for each test codec, "-" where refused.
std::string BdTable(const std::vector<BdEntry>& entries);

// One line for each pair refused and for each codec with dropped points.
std::vector<std::string> BdNotes(const std::vector<BdEntry>& entries);

// {"points": [{column: value}], "bd_rate": [{"reference", "test", "percent", ...} or {..., "refused": reason}]}
std::string ToJson(const std::vector<RdPoint>& rows, const std::vector<BdEntry>& entries);

}  // namespace strait
