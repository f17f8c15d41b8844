// The work behind `strait-rd`, apart from its command line.
#pragma once

#include <string>
#include <vector>

#include "strait/status.h"

namespace strait {

struct RdToolOptions {
  std::vector<std::string> run_dirs;  // empty: measured_files alone are compared
  std::string data_spec;      // empty: the recipe's
  std::string backbone_file;  // empty: the recipe's
  std::vector<std::string> baselines;
  std::vector<std::string> measured_files;  // tables of csv_file: curves beside those measured now
  long long samples = 0;                    // 0: as many as the recipe says
  std::vector<double> bytes;                // where to give the accuracy lost; empty: 50 to 2000
  bool between_levels = false;
  bool checksum = false;
  bool huffman = false;
  bool seeds = false;                                     // runs whose recipes differ in seeds alone are one codec
  std::string csv_file, json_file, plot_file, html_file;  // empty: not written
};

// Names that `baselines` may hold.
const std::vector<std::string>& RdToolBaselines();

// Measures the runs and baselines, prints the tables on stdout and progress on stderr, and writes the files named. RUN_DIR/rd.csv stays as
// the trainer wrote it: other data or fewer samples must not replace it.
Status RunRdTool(const RdToolOptions& options);

}  // namespace strait
