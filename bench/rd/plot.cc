#include "bench/rd/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "bench/rd/curves.h"
#include "bench/rd/subprocess.h"
#include "codec/file_io.h"
#include "entropy/error.h"

namespace strait {
namespace {

namespace fs = std::filesystem;

// P. Tol's "bright" and "muted" qualitative colours: told apart by readers with any kind of colour vision.
constexpr std::array<const char*, 9> kColors = {"#4477AA", "#EE6677", "#228833", "#AA3377", "#66CCEE",
                                                "#CCBB44", "#882255", "#44AA99", "#999933"};
constexpr std::array<int, 9> kPointTypes = {7, 5, 9, 13, 11, 6, 4, 8, 12};

// Of curve k: from the tenth on the colours come again, each with another marker.
const char* ColorOf(size_t k) { return kColors[k % kColors.size()]; }
int PointTypeOf(size_t k) { return kPointTypes[(k + k / kColors.size()) % kPointTypes.size()]; }

constexpr const char* kStyle = R"(set encoding utf8
set border 3 linecolor rgb '#444444' linewidth 1
set tics nomirror out scale 0.6 textcolor rgb '#333333'
set grid xtics ytics linetype 1 linecolor rgb '#E4E4E4' linewidth 0.8
set xlabel 'bytes per sample (log scale)' textcolor rgb '#222222'
# Below the axes, where it hides no curve.
set key below Left reverse noenhanced height 0.6 samplen 2.5 spacing 1.3 textcolor rgb '#222222'
set logscale x
set format x '%.0s%c'
set offsets graph 0, graph 0, graph 0.03, graph 0.02
)";

// A gnuplot single-quoted string: only the quote itself needs doubling.
std::string GnuplotQuoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("''") : std::string(1, c);
  return quoted + "'";
}

constexpr const char* kSvg =
    "svg size 900,660 dynamic font 'DejaVu Sans,Helvetica,Arial,sans-serif,14' background '#FFFFFF'";
constexpr const char* kPng = "pngcairo size 900,660 font 'DejaVu Sans,12' background '#FFFFFF'";

Result<std::vector<uint8_t>> Draw(const PlotContent& content, const std::string& terminal) {
  if (CurvesOf(content.rows).empty()) return Error(StatusCode::kInvalidArgument, "plot: no codec to draw");
  STRAIT_RETURN_IF_ERROR(CheckGnuplot());
  STRAIT_ASSIGN_OR_RETURN(const std::unique_ptr<TempFolder> folder, TempFolder::Create());
  const std::string image = *folder / "plot", data = *folder / "plot.dat";
  STRAIT_RETURN_IF_ERROR(WriteTextAtomic(data, PlotData(content.rows)));
  STRAIT_RETURN_IF_ERROR(WriteTextAtomic(*folder / "plot.gp", PlotScript(content, terminal, data, image)));
  const Status status = RunProgram({"gnuplot", *folder / "plot.gp"});
  if (!status.ok()) return Error(StatusCode::kIo, "plot: ", status.message());
  return ReadFile(image);
}

}  // namespace

Status CheckGnuplot() {
  if (HasProgram("gnuplot")) return {};
  return Error(StatusCode::kIo,
               "gnuplot: not found; install the package gnuplot-nox or leave out --plot and --html");
}

std::string PlotData(const std::vector<RdPoint>& rows) {
  std::string text;
  for (const Curve& curve : CurvesOf(rows)) {
    for (const CurvePoint& point : curve.points)
      text += fmt::format("{:.6g} {:.6g}\n", point.bytes, point.accuracy);
    text += "\n\n";
  }
  return text;
}

std::string PlotScript(const PlotContent& content, const std::string& terminal, const std::string& data_path,
                       const std::string& dst_path) {
  const std::vector<RdPoint>& rows = content.rows;
  const std::vector<Curve> curves = CurvesOf(rows);
  double low = 1e300, high = 0;
  for (const Curve& curve : curves) {
    low = std::min(low, curve.points.front().bytes);
    high = std::max(high, curve.points.back().bytes);
  }
  std::string script = fmt::format("set terminal {}\nset output {}\n{}", terminal, GnuplotQuoted(dst_path), kStyle);
  script += fmt::format("set ylabel {} textcolor rgb '#222222'\n", GnuplotQuoted(content.accuracy_name + " (%)"));
  script += fmt::format("set xrange [{:.6g}:{:.6g}]\nplot \\\n", low / 1.5, high * 1.5);
  for (size_t k = 0; k < curves.size(); ++k) {
    const bool single = curves[k].points.size() == 1;
    script += fmt::format(
        "  {} index {} using 1:2 with {} linecolor rgb '{}' linewidth 2.2 pointtype {} pointsize {} title {}, \\\n",
        GnuplotQuoted(data_path), k, single ? "points" : "linespoints", ColorOf(k), PointTypeOf(k),
        single ? 1.3 : 0.9, GnuplotQuoted(curves[k].codec));
  }
  const auto unsplit =
      std::find_if(rows.begin(), rows.end(), [](const RdPoint& r) { return r.codec == "unsplit"; });
  if (unsplit != rows.end()) {
    script += fmt::format("  {:.6g} with lines linecolor rgb '#555555' linewidth 1.6 dashtype (8,6) title {}\n",
                          unsplit->top1, GnuplotQuoted(fmt::format("unsplit ({:.1f} %)", unsplit->top1)));
  } else {
    script.erase(script.rfind(", \\"));
    script += '\n';
  }
  return script;
}

Result<std::string> DrawSvg(const PlotContent& content) {
  STRAIT_ASSIGN_OR_RETURN(const std::vector<uint8_t> svg, Draw(content, kSvg));
  return std::string(svg.begin(), svg.end());
}

Status WritePlot(const PlotContent& content, const std::string& svg_path) {
  if (fs::path(svg_path).extension() != ".svg") {
    return Error(StatusCode::kInvalidArgument, svg_path, ": the plot's name must end in .svg");
  }
  STRAIT_ASSIGN_OR_RETURN(const std::vector<uint8_t> svg, Draw(content, kSvg));
  STRAIT_RETURN_IF_ERROR(WriteFileAtomic(svg_path, svg));
  STRAIT_ASSIGN_OR_RETURN(const std::vector<uint8_t> png, Draw(content, kPng));
  return WriteFileAtomic(fs::path(svg_path).replace_extension(".png").string(), png);
}

}  // namespace strait
