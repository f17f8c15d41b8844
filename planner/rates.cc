#include "planner/rates.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>

#include "codec/parse_number.h"
#include "entropy/error.h"
#include "planner/run_units.h"
#include "strait/model.h"
#include "training/rd_table.h"
#include "training/run_models.h"

namespace strait {
namespace {

struct JpegTable {
  std::optional<double> unsplit_accuracy;
  std::vector<RatePoint> jpeg;
};

// The rows `unsplit` and `jpeg` of a table of strait-rd or strait-train.
Result<JpegTable> ReadJpegTable(const std::string& path) {
  STRAIT_ASSIGN_OR_RETURN(const std::vector<RdPoint> rows, ReadRdTable(path));
  JpegTable table;
  for (const RdPoint& row : rows) {
    if (row.codec == "unsplit" && !table.unsplit_accuracy) table.unsplit_accuracy = row.top1;
    if (row.codec != "jpeg") continue;
    const std::optional<double> quality = ParseNumber(row.level);
    if (!quality || *quality < 1 || *quality > 100) {
      return Error(StatusCode::kCorrupt, path, ": a row of jpeg has level \"", row.level.substr(0, 32),
                   "\", wanted a number of 1 to 100");
    }
    table.jpeg.push_back({.quality = *quality, .bytes = row.bytes_per_sample, .accuracy = row.top1});
  }
  std::ranges::sort(table.jpeg, {}, &RatePoint::quality);
  return table;
}

Result<SplitRates> ReadSplit(const RunUnit& unit) {
  SplitRates rates;
  rates.split = unit.split;
  rates.model_file = unit.file;
  STRAIT_ASSIGN_OR_RETURN(const std::shared_ptr<const Model> model, Model::Load(rates.model_file));
  rates.model_id = model->id();
  rates.backbone_hash = BackboneHashOf(*model);
  for (size_t level = 0; level < model->levels().size(); ++level) {
    const LevelInfo& info = model->levels()[level];
    if (!(info.bytes_per_sample > 0) || !(info.top1 >= 0)) {
      return Error(StatusCode::kCorrupt, rates.model_file, ": level ", level,
                   " was never measured; export it with `strait-train run`");
    }
    rates.levels.push_back({static_cast<double>(level), info.bytes_per_sample, info.top1});
  }
  return rates;
}

}  // namespace

Result<Rates> LoadRates(const std::vector<std::string>& run_dirs, const std::string& rd_csv) {
  Rates rates;
  STRAIT_ASSIGN_OR_RETURN(const std::vector<RunUnit> units, FindRunUnits(run_dirs));
  for (const RunUnit& unit : units) {
    STRAIT_ASSIGN_OR_RETURN(SplitRates split, ReadSplit(unit));
    for (const SplitRates& other : rates.splits) {
      if (other.split == split.split) {
        return Error(StatusCode::kInvalidArgument, split.model_file, ": is a second unit at ", split.split,
                     " beside ", other.model_file, "; name one run a split");
      }
      if (other.backbone_hash != split.backbone_hash) {
        return Error(StatusCode::kModelMismatch, split.model_file, ": was trained with backbone ",
                     split.backbone_hash, ", but ", other.model_file, " with ", other.backbone_hash);
      }
    }
    rates.splits.push_back(std::move(split));
  }
  const std::string first_run = RunDirOf(units.front());
  STRAIT_ASSIGN_OR_RETURN(const Recipe recipe, RecipeOf(units.front()));
  rates.raw_bytes = 1;
  for (const int64_t size : recipe.backbone.input) rates.raw_bytes *= static_cast<double>(size);
  const std::string table_path = rd_csv.empty() ? first_run + "/rd.csv" : rd_csv;
  STRAIT_ASSIGN_OR_RETURN(JpegTable table, ReadJpegTable(table_path));
  if (!table.unsplit_accuracy) {
    return Error(StatusCode::kCorrupt, table_path, ": has no row \"unsplit\"");
  }
  if (!rd_csv.empty()) {
    STRAIT_ASSIGN_OR_RETURN(const JpegTable own, ReadJpegTable(first_run + "/rd.csv"));
    // The trainer measures over all validation samples, as strait-rd does by default; a table of a part differs by
    // little, one of another network by much.
    constexpr double kPoints = 3;
    if (own.unsplit_accuracy && std::abs(*own.unsplit_accuracy - *table.unsplit_accuracy) > kPoints) {
      return Error(StatusCode::kModelMismatch, rd_csv, ": its unsplit network has ", *table.unsplit_accuracy,
                   " %, that of ", first_run, " ", *own.unsplit_accuracy, " %; make the table from these runs");
    }
  }
  rates.unsplit_accuracy = *table.unsplit_accuracy;
  rates.jpeg = std::move(table.jpeg);
  return rates;
}

}  // namespace strait
