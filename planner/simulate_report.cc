#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <utility>

#include "codec/check_folder.h"
#include "entropy/error.h"
#include "planner/simulate.h"

namespace strait {
namespace {

bool IsStatic(const PolicyResult& result) { return result.name.rfind("static ", 0) == 0; }
bool IsOffload(const PolicyResult& result) { return result.name.rfind("offload jpeg", 0) == 0; }

// Of the policies that `is` picks, the one with the smallest mean latency that is accurate enough; null without
// any.
template <typename Predicate>
const PolicyResult* Best(const std::vector<PolicyResult>& results, double min_accuracy, Predicate is) {
  const PolicyResult* best = nullptr;
  for (const PolicyResult& result : results) {
    if (!is(result) || result.accuracy < min_accuracy - 1e-9) continue;
    if (best == nullptr || result.mean_seconds < best->mean_seconds) best = &result;
  }
  return best;
}

// How a policy's line looks: the same in every plot, whatever others are there. Told apart by the name's beginning,
// the longer names first.
std::string LineStyle(const std::string& name) {
  static constexpr std::array<std::pair<const char*, const char*>, 10> kStyles = {
      {{"local", "rgb '#999999' linewidth 2"},
       {"static ", "rgb '#009e73' linewidth 2"},
       {"offload jpeg", "rgb '#56b4e9' linewidth 2"},
       {"offload raw", "rgb '#e69f00' linewidth 2"},
       {"dynamic split", "rgb '#cc79a7' linewidth 2"},
       {"dynasplit, live", "rgb '#0072b2' linewidth 2 dashtype (6,4)"},
       {"dynasplit", "rgb '#0072b2' linewidth 2"},
       {"strait, channel known", "rgb '#d55e00' linewidth 2 dashtype (6,4)"},
       {"strait", "rgb '#d55e00' linewidth 3"},
       {"oracle", "rgb '#000000' linewidth 2 dashtype (2,3)"}}};
  const auto style = std::ranges::find_if(kStyles, [&](const auto& s) { return name.rfind(s.first, 0) == 0; });
  return style == kStyles.end() ? "rgb '#000000'" : style->second;
}

std::vector<const PolicyResult*> Shown(const std::vector<PolicyResult>& results, double min_accuracy) {
  const PolicyResult* best_static = Best(results, min_accuracy, IsStatic);
  const PolicyResult* best_offload = Best(results, min_accuracy, IsOffload);
  std::vector<const PolicyResult*> shown;
  for (const PolicyResult& result : results) {
    const bool one_of_many = IsStatic(result) || IsOffload(result);
    if (!one_of_many || &result == best_static || &result == best_offload) shown.push_back(&result);
  }
  return shown;
}

}  // namespace

std::string ToCsv(const std::vector<PolicyResult>& results) {
  std::string text =
      "policy,mean_ms,p50_ms,p95_ms,p99_ms,deadlines_met,feasible_met,millijoules,accuracy,switches\n";
  for (const PolicyResult& r : results) {
    text += fmt::format("\"{}\",{:.3f},{:.3f},{:.3f},{:.3f},{:.2f},{:.2f},{:.3f},{:.3f},{}\n", r.name,
                        1e3 * r.mean_seconds, 1e3 * r.p50_seconds, 1e3 * r.p95_seconds, 1e3 * r.p99_seconds,
                        r.deadlines_met, r.feasible_met, 1e3 * r.joules, r.accuracy, r.switches);
  }
  return text;
}

std::string ToTable(const std::vector<PolicyResult>& results, double min_accuracy) {
  std::string text =
      fmt::format("{:<26} {:>8} {:>8} {:>8} {:>8} {:>9} {:>9} {:>8} {:>8} {:>8}\n", "policy", "mean ms", "p50",
                  "p95", "p99", "in time %", "feasible", "mJ", "accuracy", "switches");
  for (const PolicyResult* r : Shown(results, min_accuracy)) {
    text += fmt::format("{:<26} {:>8.2f} {:>8.2f} {:>8.2f} {:>8.2f} {:>9.2f} {:>9.2f} {:>8.1f} {:>8.2f} {:>8}\n",
                        r->name, 1e3 * r->mean_seconds, 1e3 * r->p50_seconds, 1e3 * r->p95_seconds,
                        1e3 * r->p99_seconds, r->deadlines_met, r->feasible_met, 1e3 * r->joules, r->accuracy,
                        r->switches);
  }
  return text;
}

Status CheckPlotName(const std::string& svg_path) {
  if (std::filesystem::path(svg_path).extension() != ".svg")
    return Error(StatusCode::kInvalidArgument, svg_path, ": the plot's name must end in .svg");
  if (svg_path.find('\'') != std::string::npos || svg_path.find('\n') != std::string::npos) {
    return Error(StatusCode::kInvalidArgument, svg_path, ": the plot's name must not hold quotes or line ends");
  }
  return Status();
}

Status PlotLatencies(const std::vector<PolicyResult>& results, double min_accuracy, const std::string& svg_path) {
  STRAIT_RETURN_IF_ERROR(CheckPlotName(svg_path));
  STRAIT_RETURN_IF_ERROR(CheckFolder(svg_path));
  const std::vector<const PolicyResult*> shown = Shown(results, min_accuracy);
  std::string script = "$latencies << EOD\n";
  constexpr size_t kSteps = 200;
  for (const PolicyResult* result : shown) {
    for (size_t i = 0; i <= kSteps; ++i) {
      const size_t at = i * (result->latencies.size() - 1) / kSteps;
      script +=
          fmt::format("{:.6g} {:.6g}\n", 1e3 * result->latencies[at], 100.0 * static_cast<double>(i) / kSteps);
    }
    script += "\n\n";
  }
  script +=
      "EOD\nset logscale x\nset xlabel 'latency (ms)'\nset ylabel 'requests done by then (%)'\nset grid\n"
      "set key outside right top\nset yrange [0:100]\n";
  std::string plot = "plot ";
  for (size_t i = 0; i < shown.size(); ++i) {
    plot += fmt::format("{}$latencies index {} with lines linecolor {} title '{}'", i > 0 ? ", " : "", i,
                        LineStyle(shown[i]->name), shown[i]->name);
  }
  const std::string png = std::filesystem::path(svg_path).replace_extension(".png").string();
  script +=
      fmt::format("set terminal svg size 900,500 background rgb 'white'\nset output '{}'\n{}\n", svg_path, plot);
  script += fmt::format("set terminal pngcairo size 900,500\nset output '{}'\n{}\n", png, plot);
  // What gnuplot cannot write to a file it writes to stdout.
  std::FILE* gnuplot = ::popen("gnuplot >/dev/null 2>&1", "w");
  const bool written = gnuplot != nullptr && std::fputs(script.c_str(), gnuplot) >= 0;
  if (gnuplot == nullptr || ::pclose(gnuplot) != 0 || !written) {
    return Error(StatusCode::kIo, svg_path,
                 ": gnuplot is missing or could not write it; install the package gnuplot-nox, choose a folder "
                 "that you may write to, or leave out --plot");
  }
  return Status();
}

}  // namespace strait
