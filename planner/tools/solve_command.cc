#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <set>

#include "codec/file_io.h"
#include "codec/plan_spec.h"
#include "planner/rates.h"
#include "planner/search.h"
#include "planner/space.h"
#include "planner/tools/command.h"

namespace strait {
namespace {

// Spaces up to here are looked at whole: a look costs a microsecond.
constexpr int64_t kExhaustiveUpTo = 1 << 17;

struct Options {
  std::vector<std::string> run_dirs;
  std::string device, server, rd, out;
  std::string method = "auto";
  SpaceOptions space;
  SearchOptions search;
  double switch_seconds = 0.005;
  bool check = false;
};

SearchMethod MethodOf(const Options& options, const Space& space) {
  if (options.method == "auto") {
    const int64_t all = space.size() * static_cast<int64_t>(space.batches().size());
    return all <= kExhaustiveUpTo ? SearchMethod::kExhaustive : SearchMethod::kNsga2;
  }
  const auto& names = SearchMethodNames();
  return static_cast<SearchMethod>(std::ranges::find(names, options.method) - names.begin());
}

// How many entries of the plan run where.
void PrintPlaces(const std::vector<PlanEntry>& entries) {
  std::map<std::string, int64_t> counts;
  for (const PlanEntry& entry : entries) {
    ++counts[entry.route == Route::kLocal ? "local" : std::string(RouteName(entry.route)) + " " + entry.split];
  }
  for (const auto& [place, count] : counts) fmt::print("  {:<24} {:>7}\n", place, count);
}

// What was measured and cannot be planned with.
void NoteJpeg(const Profile& device, const Rates& rates, const std::string& rd) {
  std::set<double> missing;
  for (const Timing& timing : device.timings) {
    if (timing.task == Task::kCompress) missing.insert(timing.quality);
  }
  for (const RatePoint& point : rates.jpeg) missing.erase(point.quality);
  if (missing.empty()) return;
  if (rates.jpeg.empty()) {
    fmt::print(
        stderr,
        "strait-plan: note: JPEG was profiled, but {} no rows of it: no entry offloads as JPEG; make a table with "
        "`strait-rd --baselines jpeg --csv` and name it with --rd\n",
        rd.empty() ? "without --rd there are" : rd + " has");
    return;
  }
  fmt::print(stderr,
             "strait-plan: note: JPEG was profiled at {:g}, of which {} no rows: no entry offloads at it; make a "
             "table with those qualities, too\n",
             fmt::join(missing, ", "), rd.empty() ? "the run's table has" : rd + " has");
}

void PrintCheck(const Space& space, const SearchResult& found) {
  const SearchResult all = Search(space, {.method = SearchMethod::kExhaustive});
  double worst = 1, sum = 0;
  for (const int batch : space.batches()) {
    const double share = HypervolumeShare(found.front, all.front, batch);
    worst = std::min(worst, share);
    sum += share;
  }
  fmt::print(
      "hypervolume of the exhaustive front reached: {:.2f} % on average over {} batch sizes, {:.2f} % at worst\n",
      100 * sum / static_cast<double>(space.batches().size()), space.batches().size(), 100 * worst);
}

Status Run(const Options& options) {
  STRAIT_ASSIGN_OR_RETURN(const Profile device, LoadProfile(options.device));
  STRAIT_RETURN_IF_ERROR(CheckRole(device, Role::kDevice, options.device));
  STRAIT_ASSIGN_OR_RETURN(const Profile server, LoadProfile(options.server));
  STRAIT_RETURN_IF_ERROR(CheckRole(server, Role::kServer, options.server));
  STRAIT_ASSIGN_OR_RETURN(const Rates rates, LoadRates(options.run_dirs, options.rd));
  NoteJpeg(device, rates, options.rd);
  STRAIT_ASSIGN_OR_RETURN(const Space space, Space::Make(device, server, rates, options.space));
  SearchOptions search = options.search;
  search.method = MethodOf(options, space);
  SearchResult result = Search(space, search);
  fmt::print("{}: {} of {} configurations tried ({:.2f} %), {} in the plan\n",
             SearchMethodNames()[static_cast<size_t>(search.method)], result.tried, result.configurations,
             100.0 * static_cast<double>(result.tried) / static_cast<double>(result.configurations),
             result.front.size());
  PrintPlaces(result.front);
  if (options.check) PrintCheck(space, result);

  PlanSpec spec;
  spec.backbone_hash = device.backbone_hash;
  spec.device = device.machine;
  spec.server = server.machine;
  spec.idle_watts = device.power.idle_watts;
  spec.joules_per_byte = device.power.joules_per_byte;
  spec.switch_seconds = options.switch_seconds;
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::absolute(options.out).parent_path();
  for (const SplitRates& split : rates.splits) {
    const std::filesystem::path file = std::filesystem::relative(split.model_file, folder, error);
    spec.models.push_back({split.split, error ? split.model_file : file.string(), split.model_id});
  }
  spec.entries = std::move(result.front);
  const std::string json = PlanToJson(spec);
  STRAIT_ASSIGN_OR_RETURN(const std::shared_ptr<const Plan> checked,
                          MakePlan(std::move(spec)));  // as a reader would
  return WriteTextAtomic(options.out, json);
}

}  // namespace

void AddSolveCommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("solve", "Finds the configurations worth running and writes a plan");
  command->add_option("RUN_DIR", options->run_dirs, "The runs that were profiled")->required();
  command->add_option("--device", options->device, "Profile of the device")->required()->type_name("FILE.json");
  command->add_option("--server", options->server, "Profile of the server")->required()->type_name("FILE.json");
  command->add_option("--out", options->out, "Plan to write")->required()->type_name("FILE.json");
  command->add_option("--rd", options->rd, "Table of strait-rd --baselines jpeg --csv, for offloading as JPEG")
      ->type_name("FILE.csv");
  std::vector<std::string> methods = SearchMethodNames();
  methods.emplace_back("auto");
  command->add_option("--method", options->method, "auto is exhaustive where the space is small, else nsga2")
      ->check(CLI::IsMember(methods));
  command->add_option("--tried", options->search.tried_share, "Share of the space a search may try (default: 0.05)")
      ->check(NumberIn(1e-6, 1));
  command->add_option("--seed", options->search.seed, "Of the search");
  command
      ->add_option("--quality-step", options->space.quality_step,
                   "Distance of a unit's qualities (default: 1, its levels)")
      ->check(CLI::IsMember({1.0, 0.5, 0.25, 0.125, 0.0625}));
  command
      ->add_option("--switch-seconds", options->switch_seconds,
                   "What a change of split costs a request (default: 0.005)")
      ->check(NumberIn(0, 1e9));
  command->add_flag("--check", options->check, "Also looks at the whole space and says how near the search came");
  command->footer(
      "Example:\n  strait-plan solve runs/splits --device device.json --server server.json --rd rd.csv --out "
      "plan.json");
  command->callback([options, &chosen] { chosen = [options] { return Run(*options); }; });
}

}  // namespace strait
