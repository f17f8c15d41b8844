// The rate-distortion plot: accuracy over bytes per sample, drawn by gnuplot.
#pragma once

#include <string>
#include <vector>

#include "strait/result.h"
#include "training/evaluate.h"

namespace strait {

struct PlotContent {
  std::vector<RdPoint> rows;
  std::string accuracy_name = "top-1";  // what the rows' accuracy is
};

// kIo naming the package to install when there is no gnuplot on PATH: to be asked before an hour of measuring.
Status CheckGnuplot();

// The plot as an SVG document: logarithmic byte axis, a line with points for each codec, the row "unsplit" as a
// dashed level. Errors: kInvalidArgument (no codec to draw), kIo (gnuplot missing or failed).
Result<std::string> DrawSvg(const PlotContent& content);

// Writes it to `svg_path`, which must end in ".svg", and a PNG of the same name beside it. Errors: as DrawSvg,
// kInvalidArgument (name), kIo (file not written).
Status WritePlot(const PlotContent& content, const std::string& svg_path);

// The gnuplot program that draws `data_path` into `dst_path`, and the data: one indexed block a codec.
std::string PlotScript(const PlotContent& content, const std::string& terminal, const std::string& data_path,
                       const std::string& dst_path);
std::string PlotData(const std::vector<RdPoint>& rows);

}  // namespace strait
