#include "bench/rd/rd_tool.h"

#include <algorithm>
#include <cstdio>
#include <set>
#include <thread>

#include "bench/rd/baselines.h"
#include "bench/rd/eval_data.h"
#include "bench/rd/html_report.h"
#include "bench/rd/huffman.h"
#include "bench/rd/measured.h"
#include "bench/rd/plot.h"
#include "bench/rd/report.h"
#include "bench/rd/run_dir.h"
#include "bench/rd/seeds.h"
#include "codec/check_folder.h"
#include "codec/file_io.h"
#include "entropy/error.h"

namespace strait {
namespace {

// Two curves of one name would become one.
void MakeNamesUnique(std::vector<RunDir>& runs) {
  std::set<std::string> taken = {"unsplit"};
  for (const std::string& baseline : BaselineNames()) taken.insert(BaselineCodec(baseline));
  for (RunDir& run : runs) {
    const std::string base = run.codec;
    for (int suffix = 2; taken.contains(run.codec) || taken.contains(HuffmanName(run.codec)); ++suffix)
      run.codec = base + "-" + std::to_string(suffix);
    taken.insert({run.codec, HuffmanName(run.codec)});
  }
}

Result<std::vector<RunDir>> OpenRuns(const RdToolOptions& options) {
  std::vector<RunDir> runs;
  for (const std::string& path : options.run_dirs) {
    STRAIT_ASSIGN_OR_RETURN(std::vector<RunDir> of_path, OpenRunDir(path));
    for (RunDir& run : of_path) {
      runs.push_back(std::move(run));
      STRAIT_RETURN_IF_ERROR(CheckSameSetting(runs.front(), runs.back(), !options.data_spec.empty()));
    }
  }
  MakeNamesUnique(runs);
  return runs;
}

void NameRunsWithoutHuffman(const std::vector<RunDir>& runs) {
  for (const RunDir& run : runs) {
    if (!HuffmanCode::Fits(*run.models.front()))
      std::fprintf(stderr, "--huffman: %s has contexts instead of a table a channel, so no such curve\n",
                   run.path.c_str());
  }
}

std::set<std::string> CodecsMeasuredNow(const RdToolOptions& options, const std::vector<RunDir>& runs) {
  std::set<std::string> names;
  for (const std::string& baseline : options.baselines) names.insert(BaselineCodec(baseline));
  for (const RunDir& run : runs) {
    names.insert(run.codec);
    if (options.huffman) names.insert(HuffmanName(run.codec));
  }
  return names;
}

// The rows of each codec of a run: with Huffman it has two.
std::vector<std::vector<RdPoint>> ByCodec(const std::vector<RdPoint>& rows) {
  std::vector<std::vector<RdPoint>> codecs;
  for (const RdPoint& row : rows) {
    if (codecs.empty() || codecs.back().front().codec != row.codec) codecs.emplace_back();
    codecs.back().push_back(row);
  }
  return codecs;
}

using Groups = std::vector<std::vector<size_t>>;

// Indices of the runs whose curves are one: each alone, or those of one recipe with several seeds.
Result<Groups> GroupRuns(const std::vector<RunDir>& runs, const RdToolOptions& options) {
  Groups groups;
  if (!options.seeds) {
    for (size_t i = 0; i < runs.size(); ++i) groups.push_back({i});
    return groups;
  }
  std::vector<Recipe> recipes;
  std::vector<std::string> paths;
  for (const RunDir& run : runs) {
    recipes.push_back(run.recipe);
    paths.push_back(run.path);
  }
  STRAIT_ASSIGN_OR_RETURN(groups, GroupBySeed(recipes, paths));
  for (const std::vector<size_t>& group : groups) {
    if (group.size() == 1)
      std::fprintf(stderr, "--seeds: %s is alone, no other run has its recipe\n", runs[group[0]].path.c_str());
  }
  return groups;
}

Result<std::vector<SeedCurves>> MeasureRuns(const std::vector<RunDir>& runs, const Groups& groups,
                                            const EvalDataOfSplits& data, const RdToolOptions& options) {
  std::vector<std::vector<std::vector<RdPoint>>> measured;  // of each run, of each codec
  for (const RunDir& run : runs) {
    STRAIT_ASSIGN_OR_RETURN(const std::vector<RdPoint> rows,
                            EvaluateRun(run, data.at(run.recipe.split.point),
                                        {options.between_levels, options.checksum, options.huffman}));
    measured.push_back(ByCodec(rows));
  }
  std::vector<SeedCurves> curves;
  for (const std::vector<size_t>& group : groups) {
    for (const size_t run : group) {
      if (measured[run].size() == measured[group.front()].size()) continue;
      return Error(StatusCode::kInvalidArgument, runs[run].path, ": with context where ", runs[group.front()].path,
                   " has none, or the other way round; measure them without --seeds");
    }
    for (size_t codec = 0; codec < measured[group.front()].size(); ++codec) {
      std::vector<std::vector<RdPoint>> seeds;
      for (const size_t run : group) seeds.push_back(measured[run][codec]);
      STRAIT_ASSIGN_OR_RETURN(SeedCurves mean, MeanOfSeeds(std::move(seeds)));
      curves.push_back(std::move(mean));
    }
  }
  return curves;
}

// What the figures were measured on, which --data, --backbone and --samples may have made other than the recipes
// say.
Setting DescribeSetting(const EvalDataOfSplits& data, bool checksum) {
  const EvalData& any = data.begin()->second;
  std::string splits;
  for (const auto& [name, at_split] : data)
    splits += (splits.empty() ? "" : ", ") + name + " " + ToString(at_split.network.info.shape);
  return {{"data", any.data_spec},
          {"samples", std::to_string(any.set.labels.size(0))},
          {"network", any.backbone_file},
          {"network hash", any.backbone.hash()},
          {data.size() > 1 ? "splits" : "split", splits},
          {"frames", checksum ? "with checksum" : "without checksum"}};
}

using Tables = std::vector<std::pair<std::string, std::string>>;

// Headings and texts of what there is to say.
Tables MakeTables(const Report& report, const std::string& accuracy_name) {
  Tables tables = {{"Rate and accuracy", ToTable(report.rows, accuracy_name)}};
  if (!report.operating_points.empty())
    tables.emplace_back("Bytes at a drop, drop at a number of bytes", OperatingTable(report.operating_points));
  if (!report.bd_rates.empty()) {
    tables.emplace_back("BD-rates", BdTable(report.bd_rates));
    tables.emplace_back("BD-rates over agreement",
                        BdTable(report.bd_rates_over_agreement, "the same over agreement, not accuracy"));
  }
  for (auto& [heading, text] : Tables{{"Spread over seeds", SeedTable(report.seeds)},
                                      {"BD-rates by seed", SeedBdTable(report.seed_bd_rates)},
                                      {"BD-rates by seed, over agreement",
                                       SeedBdTable(report.seed_bd_rates_over_agreement, "over, by agreement")},
                                      {"Measured before", MeasuredNotes(report.measured)}}) {
    if (!text.empty()) tables.emplace_back(heading, text);
  }
  return tables;
}

Status WriteHtml(const RdToolOptions& options, const std::vector<RunDir>& runs, const EvalDataOfSplits& data,
                 const PlotContent& plot, Tables tables) {
  constexpr size_t kExamples = 6;
  HtmlContent content;
  content.title = "Rate and accuracy of " + runs.front().codec + " at " + runs.front().recipe.split.point;
  STRAIT_ASSIGN_OR_RETURN(content.plot_svg, DrawSvg(plot));
  content.tables = std::move(tables);
  content.tables.emplace_back("Cost of the units", CostTable(runs, data));
  STRAIT_ASSIGN_OR_RETURN(content.examples, MakeExamples(runs, data, kExamples, options.checksum));
  for (const RunDir& run : runs) content.recipes.emplace_back(run.path, ToToml(run.recipe));
  content.machine = DescribeMachine();
  return WriteTextAtomic(options.html_file, ToHtml(content));
}

std::string NotesText(const Report& report) {
  std::string text;
  for (const std::string& note : BdNotes(report.bd_rates)) text += note + "\n";
  for (const std::string& note : BdNotes(report.bd_rates_over_agreement)) text += "over agreement, " + note + "\n";
  return text;
}

// All but the page, which needs the runs.
Status WriteTables(const RdToolOptions& options, const PlotContent& plot, const Report& report,
                   const Tables& tables) {
  for (const auto& table : tables) std::printf("%s%s", &table == &tables.front() ? "" : "\n", table.second.c_str());
  std::fflush(stdout);
  std::fputs(NotesText(report).c_str(), stderr);
  if (!options.csv_file.empty()) STRAIT_RETURN_IF_ERROR(WriteTextAtomic(options.csv_file, ToCsv(report.rows)));
  if (!options.json_file.empty()) STRAIT_RETURN_IF_ERROR(WriteTextAtomic(options.json_file, ToJson(report)));
  return options.plot_file.empty() ? Status() : WritePlot(plot, options.plot_file);
}

Status WriteReports(const RdToolOptions& options, const std::vector<RunDir>& runs, const EvalDataOfSplits& data,
                    const Report& report) {
  const PlotContent plot{report.rows, AccuracyName(data.begin()->second.set.answers)};
  Tables tables = MakeTables(report, plot.accuracy_name);
  STRAIT_RETURN_IF_ERROR(WriteTables(options, plot, report, tables));
  if (options.html_file.empty()) return Status();
  tables.insert(tables.begin(), {"Measured on", SettingText(report.setting)});
  if (const std::string notes = NotesText(report); !notes.empty()) tables.emplace_back("Of BD-rates", notes);
  return WriteHtml(options, runs, data, plot, std::move(tables));
}

// What follows from the curves, once those of `report.measured` have joined them.
void Compare(const RdToolOptions& options, Report& report) {
  for (const MeasuredTable& table : report.measured)
    report.rows.insert(report.rows.end(), table.rows.begin(), table.rows.end());
  report.bd_rates = BdRates(report.rows);
  report.bd_rates_over_agreement = BdRates(report.rows, &RdPoint::agreement);
  report.operating_points = FindOperatingPoints(report.rows, options.bytes);
  report.seed_bd_rates = FindSeedBdRates(report.seeds, report.rows);
  report.seed_bd_rates_over_agreement = FindSeedBdRates(report.seeds, report.rows, &RdPoint::agreement);
}

// Curves that were measured before, without one of a run.
Status CompareMeasured(const RdToolOptions& options) {
  Report report;
  STRAIT_ASSIGN_OR_RETURN(report.measured, ReadMeasured(options.measured_files, {}));
  report.rows = {report.measured.front().unsplit};
  STRAIT_RETURN_IF_ERROR(CheckMeasured(report.measured, report.rows.front()));
  Compare(options, report);
  const PlotContent plot{report.rows, "accuracy"};  // tables do not say of what kind
  return WriteTables(options, plot, report, MakeTables(report, plot.accuracy_name));
}

}  // namespace

const std::vector<std::string>& RdToolBaselines() { return BaselineNames(); }

Status RunRdTool(const RdToolOptions& options) {
  torch::set_num_threads(static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
  if (!options.plot_file.empty() || !options.html_file.empty()) STRAIT_RETURN_IF_ERROR(CheckGnuplot());
  for (const std::string* file : {&options.csv_file, &options.json_file, &options.plot_file, &options.html_file}) {
    if (!file->empty()) STRAIT_RETURN_IF_ERROR(CheckFolder(*file));
  }
  if (options.run_dirs.empty()) return CompareMeasured(options);
  STRAIT_ASSIGN_OR_RETURN(const std::vector<RunDir> runs, OpenRuns(options));
  if (options.huffman) NameRunsWithoutHuffman(runs);
  std::set<std::string> splits;
  for (const RunDir& run : runs) splits.insert(run.recipe.split.point);
  STRAIT_RETURN_IF_ERROR(CheckBaselines(options.baselines, splits.size()));
  STRAIT_ASSIGN_OR_RETURN(const Groups groups, GroupRuns(runs, options));
  Report report;
  STRAIT_ASSIGN_OR_RETURN(report.measured, ReadMeasured(options.measured_files, CodecsMeasuredNow(options, runs)));
  const EvalDataOptions data_options{options.data_spec, options.backbone_file, options.samples};
  EvalDataOfSplits data;
  Recipe recipe = runs.front().recipe;
  for (const std::string& split : splits) {
    recipe.split.point = split;
    STRAIT_ASSIGN_OR_RETURN(EvalData at_split, BuildEvalData(recipe, data_options));
    data.emplace(split, std::move(at_split));
  }
  for (const RunDir& run : runs) STRAIT_RETURN_IF_ERROR(CheckModels(run, data.at(run.recipe.split.point)));
  const EvalData& first = data.at(runs.front().recipe.split.point);
  const RdPoint unsplit = UnsplitRow(first.set);
  STRAIT_RETURN_IF_ERROR(CheckMeasured(report.measured, unsplit));
  STRAIT_ASSIGN_OR_RETURN(const std::vector<Image> crops, BaselineCrops(options.baselines, first));
  std::fputs(CostTable(runs, data).c_str(), stderr);

  report.setting = DescribeSetting(data, options.checksum);
  report.rows = {unsplit};
  STRAIT_ASSIGN_OR_RETURN(report.seeds, MeasureRuns(runs, groups, data, options));
  for (const SeedCurves& codec : report.seeds)
    report.rows.insert(report.rows.end(), codec.mean.begin(), codec.mean.end());
  STRAIT_ASSIGN_OR_RETURN(const std::vector<RdPoint> baselines, EvaluateBaselines(options.baselines, first, crops));
  report.rows.insert(report.rows.end(), baselines.begin(), baselines.end());
  Compare(options, report);
  return WriteReports(options, runs, data, report);
}

}  // namespace strait
