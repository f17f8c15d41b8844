#include "bench/rd/report.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "bench/rd/plot.h"
#include "codec/file_io.h"

namespace strait {
namespace {

const std::vector<RdPoint> kRows = {
    {"unsplit", "-", 0, 0, 0, 85.76, 0, 100},
    {"ours", "0", 0.02, 38, 0.009277, 80.7, 5.06, 86.1},
    {"ours", "1", 0.01, 59.25, 0.014465, 82.3, 3.46, 88.5},
    {"ours", "2", 0.004, 110, 0.026855, 84.1, 1.66, 92},
    {"ours", "3", 0.002, 219, 0.053467, 84.4, 1.36, 94.2},
    {"twice", "0", 0.02, 76, 0.018555, 80.7, 5.06, 86.1},
    {"twice", "1", 0.01, 118.5, 0.02893, 82.3, 3.46, 88.5},
    {"twice", "2", 0.004, 220, 0.053711, 84.1, 1.66, 92},
    {"twice", "3", 0.002, 438, 0.106934, 84.4, 1.36, 94.2},
    {"few,er", "5", 0, 900, 0.219727, 82, 3.76, 90},
    {"few,er", "9", 0, 1900, 0.463867, 83, 2.76, 91},
    {"raw", "-", 0, 131072, 32, 85.76, 0, 100},
};

TEST(Report, CsvHasTheAgreedHeaderAndExactRows) {
  const std::vector<RdPoint> rows = {kRows[0], kRows[2], kRows[9]};
  EXPECT_EQ(ToCsv(rows),
            "codec,level,lambda,bytes_per_sample,bits_per_element,top1,top1_drop,agreement\n"
            "unsplit,-,0,0.00,0.000000,85.760,0.000,100.000\n"
            "ours,1,0.01,59.25,0.014465,82.300,3.460,88.500\n"
            "\"few,er\",5,0,900.00,0.219727,82.000,3.760,90.000\n");
}

TEST(Report, CsvReadsBackWhateverItsCodecsAreCalled) {
  const std::string path = testing::TempDir() + "report_test.csv";
  const std::vector<RdPoint> rows = {kRows[0], kRows[2], {"a \"b\",\nc", "-", 0, 900, 0.25, 82, 3.76, 90}};
  ASSERT_TRUE(WriteTextAtomic(path, ToCsv(rows)).ok());
  const Result<std::vector<RdPoint>> read = ReadRdTable(path);
  ASSERT_TRUE(read.ok()) << read.status().message();
  ASSERT_EQ(read->size(), rows.size());
  EXPECT_EQ(ToCsv(*read), ToCsv(rows));
  EXPECT_EQ((*read)[2].codec, rows[2].codec);
  EXPECT_EQ((*read)[1].bytes_per_sample, 59.25);
}

TEST(Report, TableAlignsItsColumnsAndShowsNothingSentAsDash) {
  EXPECT_EQ(ToTable({kRows[0], kRows[1]}, "top-1"),
            "codec    level  lambda  bytes/sample  bits/element  top-1 %  drop  agreement %\n"
            "unsplit  -           -             -             -    85.76  0.00       100.00\n"
            "ours     0        0.02          38.0        0.0093    80.70  5.06        86.10\n");
}

TEST(Report, BdTableShowsRatesAndDashesWhereRefused) {
  EXPECT_EQ(BdTable(BdRates(kRows)),
            "BD-rate % of column over row   ours   twice  few,er\n"
            "ours                              0  +100.0       -\n"
            "twice                         -50.0       0       -\n"
            "few,er                            -       -       0\n");
}

TEST(Report, BdRatesAreOverTheColumnAskedFor) {
  std::vector<RdPoint> rows;
  for (int k = 0; k < 4; ++k) {
    rows.push_back({"a", std::to_string(k), 0, 10.0 * (1 << k), 0.1, 80.0 + k, 5, 90.0 + k});
    rows.push_back({"b", std::to_string(k), 0, 10.0 * (1 << k), 0.1, 80.0 + k, 5, 91.0 + k});
  }
  EXPECT_NEAR(BdRates(rows)[0].rate->percent, 0, 1e-9);
  EXPECT_NEAR(BdRates(rows, &RdPoint::agreement)[0].rate->percent, -50, 1e-6);
}

TEST(Report, BdNotesGiveEachRefusalOnceWithItsReason) {
  const std::vector<std::string> notes = BdNotes(BdRates(kRows));
  ASSERT_EQ(notes.size(), 2u);
  EXPECT_EQ(
      notes[0],
      "ours (reference) and few,er (test): bd-rate: test curve: need 4 points, have 2 after dropping 0 dominated");
}

TEST(Report, JsonHoldsTheRowsTheRatesOrReasonsAndTheSpread) {
  const std::vector<RdPoint> ours(kRows.begin() + 1, kRows.begin() + 5);
  const SeedCurves seeds = MeanOfSeeds({ours, ours}).value();
  const auto document = nlohmann::json::parse(ToJson({{{"data", "shapes"}, {"samples", "9"}},
                                                      kRows,
                                                      BdRates(kRows),
                                                      BdRates(kRows, &RdPoint::agreement),
                                                      FindOperatingPoints(kRows),
                                                      {seeds},
                                                      FindSeedBdRates({seeds}, kRows),
                                                      FindSeedBdRates({seeds}, kRows, &RdPoint::agreement),
                                                      {{"old.csv", kRows.front(), kRows}}}));
  EXPECT_EQ(document["setting"]["data"], "shapes");
  ASSERT_EQ(document["points"].size(), kRows.size());
  EXPECT_EQ(document["points"][2]["bytes_per_sample"], 59.25);
  EXPECT_EQ(document["points"][2]["codec"], "ours");
  ASSERT_EQ(document["bd_rate"].size(), 6u);
  EXPECT_NEAR(document["bd_rate"][0]["percent"].get<double>(), 100, 1e-6);
  EXPECT_TRUE(document["bd_rate"][1].contains("refused"));
  ASSERT_EQ(document["seeds"].size(), 4u);
  EXPECT_EQ(document["seeds"][3]["count"], 2);
  ASSERT_EQ(document["seed_bd_rate"].size(), 1u);
  EXPECT_EQ(document["seed_bd_rate"][0]["reference"], "twice");
  EXPECT_NEAR(document["seed_bd_rate"][0]["mean"].get<double>(), -50, 1e-6);
  ASSERT_EQ(document["bd_rate_over_agreement"].size(), 6u);
  EXPECT_NEAR(document["bd_rate_over_agreement"][0]["percent"].get<double>(), 100, 1e-6);
  EXPECT_EQ(document["seed_bd_rate_over_agreement"].size(), 1u);
  EXPECT_EQ(document["measured"][0]["file"], "old.csv");
  EXPECT_EQ(document["measured"][0]["codecs"], nlohmann::json({"unsplit", "ours", "twice", "few,er", "raw"}));
}

TEST(Report, UnsplitRowSendsNothingAndAgreesWithItself) {
  const EvalSet set{torch::zeros({4, 2, 3, 3}), torch::tensor({0, 1, 1, 0}, torch::kLong),
                    torch::tensor({0, 1, 0, 0}, torch::kLong)};
  const RdPoint row = UnsplitRow(set);
  EXPECT_EQ(row.codec, "unsplit");
  EXPECT_EQ(row.bytes_per_sample, 0);
  EXPECT_DOUBLE_EQ(row.top1, 75);
  EXPECT_DOUBLE_EQ(row.top1_drop, 0);
  EXPECT_DOUBLE_EQ(row.agreement, 100);
}

TEST(Plot, DrawsOneCurveACodecAndTheUnsplitLevel) {
  const std::string script = PlotScript({kRows}, "svg", "data", "it's.svg");
  EXPECT_NE(script.find("set output 'it''s.svg'"), std::string::npos);
  EXPECT_NE(script.find("index 3 "), std::string::npos);
  EXPECT_EQ(script.find("index 4 "), std::string::npos);
  EXPECT_NE(script.find("title 'unsplit (85.8 %)'"), std::string::npos);
  EXPECT_EQ(PlotData({kRows[0], kRows[2], kRows[1]}), "38 80.7\n59.25 82.3\n\n\n");
}

TEST(Plot, NoTwoOfManyCurvesLookAlike) {
  std::vector<RdPoint> rows;
  for (int k = 0; k < 30; ++k) rows.push_back({"codec" + std::to_string(k), "0", 0, 100, 0.05, 80, 5, 90});
  std::istringstream script(PlotScript({rows}, "svg", "data", "a.svg"));
  std::set<std::string> looks;
  for (std::string line; std::getline(script, line);) {
    const size_t color = line.find("linecolor rgb '#"), title = line.find(" title 'codec");
    if (line.find("index ") != std::string::npos) looks.insert(line.substr(color, title - color));
  }
  EXPECT_EQ(looks.size(), 30u);
}

TEST(Plot, WritesSvgAndPngBesideIt) {
  const std::string folder = testing::TempDir() + "/strait plot";
  std::filesystem::create_directories(folder);
  const std::string svg = folder + "/rd.svg";
  const Status status = WritePlot({kRows}, svg);
  if (status.message().find("gnuplot: not found") != std::string::npos) GTEST_SKIP() << status.message();
  ASSERT_TRUE(status.ok()) << status.message();
  const auto svg_bytes = ReadFile(svg), png_bytes = ReadFile(folder + "/rd.png");
  ASSERT_TRUE(svg_bytes.ok() && png_bytes.ok());
  EXPECT_NE(std::string(svg_bytes->begin(), svg_bytes->end()).find("</svg>"), std::string::npos);
  EXPECT_EQ((*png_bytes)[1], 'P');
  std::filesystem::remove_all(folder);
}

TEST(Plot, NamesThePackageWhenGnuplotIsMissing) {
  const char* path = std::getenv("PATH");
  const std::string saved = path == nullptr ? "" : path;
  setenv("PATH", "/nonexistent", 1);
  const Status status = WritePlot({kRows}, testing::TempDir() + "/none.svg");
  setenv("PATH", saved.c_str(), 1);
  EXPECT_EQ(status.code(), StatusCode::kIo);
  EXPECT_NE(status.message().find("gnuplot-nox"), std::string::npos);
}

TEST(Plot, RefusesAnotherEndingAndNothingToDraw) {
  EXPECT_EQ(WritePlot({kRows}, "rd.pdf").code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(WritePlot({{kRows[0]}}, "rd.svg").code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace strait
