#include "planner/rates.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <sstream>

#include "codec/file_io.h"
#include "entropy/error.h"
#include "planner/parse_number.h"
#include "planner/run_units.h"
#include "strait/model.h"
#include "training/run_models.h"

namespace strait {
namespace {

constexpr int64_t kMaxCsvBytes = int64_t{1} << 26;

struct RdTable {
  std::optional<double> unsplit_accuracy;
  std::vector<RatePoint> jpeg;
};

std::vector<std::string> Fields(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream parts(line);
  for (std::string field; std::getline(parts, field, ',');) fields.push_back(field);
  return fields;
}

// The number under a column.
Result<double> NumberOf(const std::string& text, const std::string& where, const char* column, double low,
                        double high) {
  const std::optional<double> value = ParseNumber(text);
  if (value && *value >= low && *value <= high) return *value;
  return Error(StatusCode::kCorrupt, where, ": \"", column, "\" is \"", text.substr(0, 32),
               "\", wanted a number of ", low, " to ", high);
}

// The rows `unsplit` and `jpeg` of a table of strait-rd or strait-train.
Result<RdTable> ReadRdTable(const std::string& path) {
  STRAIT_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, ReadFile(path, kMaxCsvBytes));
  std::istringstream text(std::string(bytes.begin(), bytes.end()));
  std::string line;
  std::getline(text, line);
  const std::vector<std::string> header = Fields(line);
  std::map<std::string, size_t> column;
  for (size_t i = 0; i < header.size(); ++i) column.emplace(header[i], i);
  for (const char* name : {"codec", "level", "bytes_per_sample", "top1"}) {
    if (!column.contains(name)) {
      return Error(StatusCode::kCorrupt, path, ":1: no column \"", name, "\", wanted a table of strait-rd --csv");
    }
  }
  RdTable table;
  for (int number = 2; std::getline(text, line); ++number) {
    const std::vector<std::string> row = Fields(line);
    const std::string where = path + ":" + std::to_string(number);
    if (row.size() < header.size()) {
      return Error(StatusCode::kCorrupt, where, ": has ", row.size(), " fields, the header ", header.size());
    }
    const std::string& codec = row[column["codec"]];
    if (codec != "unsplit" && codec != "jpeg") continue;
    const auto value_of = [&](const char* name, double low, double high) {
      return NumberOf(row[column[name]], where, name, low, high);
    };
    STRAIT_ASSIGN_OR_RETURN(const double accuracy, value_of("top1", 0, 100));
    if (codec == "unsplit") {
      table.unsplit_accuracy = accuracy;
      continue;
    }
    RatePoint point = {.accuracy = accuracy};
    STRAIT_ASSIGN_OR_RETURN(point.quality, value_of("level", 1, 100));
    STRAIT_ASSIGN_OR_RETURN(point.bytes, value_of("bytes_per_sample", 1, 1e12));
    table.jpeg.push_back(point);
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
  STRAIT_ASSIGN_OR_RETURN(RdTable table, ReadRdTable(table_path));
  if (!table.unsplit_accuracy) {
    return Error(StatusCode::kCorrupt, table_path, ": has no row \"unsplit\"");
  }
  if (!rd_csv.empty()) {
    STRAIT_ASSIGN_OR_RETURN(const RdTable own, ReadRdTable(first_run + "/rd.csv"));
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
