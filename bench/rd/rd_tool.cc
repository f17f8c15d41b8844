#include "bench/rd/rd_tool.h"

#include <algorithm>
#include <cstdio>
#include <thread>

#include "bench/rd/baselines.h"
#include "bench/rd/eval_data.h"
#include "bench/rd/plot.h"
#include "bench/rd/report.h"
#include "bench/rd/run_dir.h"
#include "codec/file_io.h"
#include "entropy/error.h"

namespace strait {
namespace {

Status WriteText(const std::string& path, const std::string& text) {
  return WriteFileAtomic(path, {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

// Two curves of one name would become one.
void MakeNamesUnique(std::vector<RunDir>& runs) {
  for (size_t k = 1; k < runs.size(); ++k) {
    const std::string base = runs[k].codec;
    const auto taken = [&] {
      return std::any_of(runs.begin(), runs.begin() + static_cast<std::ptrdiff_t>(k),
                         [&](const RunDir& run) { return run.codec == runs[k].codec; });
    };
    for (int suffix = 2; taken(); ++suffix) runs[k].codec = base + "-" + std::to_string(suffix);
  }
}

Result<std::vector<RunDir>> OpenRuns(const RdToolOptions& options) {
  std::vector<RunDir> runs;
  for (const std::string& path : options.run_dirs) {
    STRAIT_ASSIGN_OR_RETURN(RunDir run, OpenRunDir(path));
    runs.push_back(std::move(run));
    STRAIT_RETURN_IF_ERROR(CheckSameSetting(runs.front(), runs.back(), !options.data_spec.empty()));
  }
  MakeNamesUnique(runs);
  return runs;
}

Status WriteReports(const RdToolOptions& options, const std::vector<RdPoint>& rows) {
  const std::vector<BdEntry> bd_rates = BdRates(rows);
  const std::vector<OperatingPoints> points = FindOperatingPoints(rows);
  std::fputs(ToTable(rows).c_str(), stdout);
  if (!points.empty()) std::printf("\n%s", OperatingTable(points).c_str());
  if (!bd_rates.empty()) std::printf("\n%s", BdTable(bd_rates).c_str());
  std::fflush(stdout);
  for (const std::string& note : BdNotes(bd_rates)) std::fprintf(stderr, "%s\n", note.c_str());
  if (!options.csv_file.empty()) STRAIT_RETURN_IF_ERROR(WriteText(options.csv_file, ToCsv(rows)));
  if (!options.json_file.empty())
    STRAIT_RETURN_IF_ERROR(WriteText(options.json_file, ToJson(rows, bd_rates, points)));
  if (!options.plot_file.empty()) STRAIT_RETURN_IF_ERROR(WritePlot(rows, options.plot_file));
  return {};
}

}  // namespace

const std::vector<std::string>& RdToolBaselines() { return BaselineNames(); }

Status RunRdTool(const RdToolOptions& options) {
  torch::set_num_threads(static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
  if (!options.plot_file.empty()) STRAIT_RETURN_IF_ERROR(CheckGnuplot());
  STRAIT_RETURN_IF_ERROR(CheckBaselines(options.baselines));
  STRAIT_ASSIGN_OR_RETURN(const std::vector<RunDir> runs, OpenRuns(options));
  const EvalDataOptions data_options{options.data_spec, options.backbone_file, options.samples};
  STRAIT_ASSIGN_OR_RETURN(const EvalData data, BuildEvalData(runs.front().recipe, data_options));
  for (const RunDir& run : runs) STRAIT_RETURN_IF_ERROR(CheckModels(run, data));
  std::fputs(CostTable(runs, data.network.info).c_str(), stderr);

  std::vector<RdPoint> rows = {UnsplitRow(data.set)};
  for (const RunDir& run : runs) {
    STRAIT_ASSIGN_OR_RETURN(const std::vector<RdPoint> curve,
                            EvaluateRun(run, data, {options.between_levels, options.checksum, options.huffman}));
    rows.insert(rows.end(), curve.begin(), curve.end());
  }
  STRAIT_ASSIGN_OR_RETURN(const std::vector<RdPoint> baselines, EvaluateBaselines(options.baselines, data));
  rows.insert(rows.end(), baselines.begin(), baselines.end());
  return WriteReports(options, rows);
}

}  // namespace strait
