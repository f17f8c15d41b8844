// The rate-distortion plot: accuracy over bytes per sample, drawn by gnuplot.
#pragma once

#include <string>
#include <vector>

#include "strait/result.h"
#include "training/evaluate.h"

namespace strait {

// kIo naming the package to install when there is no gnuplot on PATH: to be asked before an hour of measuring.
Status CheckGnuplot();

// Writes `svg_path`, which must end in ".svg", and a PNG of the same name beside it. Logarithmic byte axis, a line
// with points for each codec, the row "unsplit" as a dashed level. Errors: kInvalidArgument (name, no codec to
// draw), kIo (gnuplot missing or failed, file not written).
Status WritePlot(const std::vector<RdPoint>& rows, const std::string& svg_path);

// The gnuplot program that draws `data_path` into `dst_path`, and the data: one indexed block a codec.
std::string PlotScript(const std::vector<RdPoint>& rows, const std::string& terminal, const std::string& data_path,
                       const std::string& dst_path);
std::string PlotData(const std::vector<RdPoint>& rows);

}  // namespace strait
