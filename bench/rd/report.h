// Rows of a rate-distortion measurement as text and JSON, and the BD-rates between their codecs.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "bench/rd/bd_rate.h"
#include "bench/rd/curves.h"
#include "bench/rd/measured.h"
#include "bench/rd/operating_points.h"
#include "bench/rd/seeds.h"
#include "strait/result.h"
#include "training/evaluate.h"

namespace strait {

// Lines of cells, the first ones left-aligned, the rest right-aligned, two spaces between.
std::string Aligned(const std::vector<std::vector<std::string>>& lines, size_t left_columns);

// Columns aligned for a terminal.
// `accuracy_name` heads the column of accuracies.
std::string ToTable(const std::vector<RdPoint>& rows, const std::string& accuracy_name);

// One pair of codecs; `rate` is the Status of the refusal where there is no figure.
struct BdEntry {
  std::string reference;
  std::string test;
  Result<BdRate> rate;
};

// Every ordered pair of different codecs, "unsplit" and codecs of a single point left out, in order of first
// appearance.
std::vector<BdEntry> BdRates(const std::vector<RdPoint>& rows, RdColumn over = &RdPoint::top1);

// Matrix with a line for each reference and a column for each test codec, "-" where refused.
std::string BdTable(const std::vector<BdEntry>& entries, const std::string& title = "BD-rate % of column over row");

// Bytes at drops and drops at bytes, "-" where a curve does not reach; bytes that no curve is between are left out.
std::string OperatingTable(const std::vector<OperatingPoints>& points);

// One line for each pair refused and for each codec with dropped points.
std::vector<std::string> BdNotes(const std::vector<BdEntry>& entries);

// What was measured on what: names and values, in order.
using Setting = std::vector<std::pair<std::string, std::string>>;

// A line a name.
std::string SettingText(const Setting& setting);

// {"setting": {name: value}, "points": [{column: value}], "bd_rate": [{"reference", "test", "percent", ...} or
// {..., "refused": reason}],
//  "operating_points": [{"codec", "bytes_at_drop": {"1": bytes or null}, "drop_at_bytes": {"50": points or null}}],
//  "seeds": [{"codec", "level", "count", "bytes_deviation", "top1_deviation",
//  "agreement_deviation"}],
//  "seed_bd_rate": [{"reference", "test", "percent": [...], "mean", "deviation"}],
//  "bd_rate_over_agreement", "seed_bd_rate_over_agreement": the same over agreement,
//  "measured": [{"file", "codecs": [...]}]}; "seeds" and "seed_bd_rate" of codecs with several.
struct Report {
  Setting setting;
  std::vector<RdPoint> rows;
  std::vector<BdEntry> bd_rates, bd_rates_over_agreement;
  std::vector<OperatingPoints> operating_points;
  std::vector<SeedCurves> seeds;
  std::vector<SeedBdRates> seed_bd_rates, seed_bd_rates_over_agreement;
  std::vector<MeasuredTable> measured;  // tables that some of the rows come from
};
std::string ToJson(const Report& report);

}  // namespace strait
