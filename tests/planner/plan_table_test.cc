#include "planner/plan_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <vector>

#include "codec/plan_spec.h"

namespace strait {
namespace {

std::shared_ptr<const Plan> SmallPlan() {
  PlanSpec spec = {.backbone_hash = "feed",
                   .device = "a small device",
                   .server = "a server",
                   .idle_watts = 2.5,
                   .joules_per_byte = 3e-6,
                   .switch_seconds = 0.005,
                   .models = {{"layer2", "runs/layer2/model.strait", 0xabc}},
                   .entries = {}};
  // Route, split, quality, threads, clock, batch, seconds here and there, bytes, joules, accuracy.
  spec.entries = {{Route::kLocal, "", 0, 2, 0, 1, 0.1, 0, 0, 0.4, 86},
                  {Route::kSplit, "layer2", 1.5, 1, 1.2e9, 4, 0.02, 0.003, 1000, 0.05, 84.25},
                  {Route::kOffload, "jpeg", 20, 1, 0, 1, 0.001, 0.004, 1600, 0.002, 85}};
  return MakePlan(std::move(spec)).value();
}

// The last rows, cell by cell.
std::vector<std::vector<std::string>> Rows(const std::string& text, size_t count) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream cells(line);
    rows.emplace_back();
    for (std::string cell; cells >> cell;) rows.back().push_back(cell);
  }
  rows.erase(rows.begin(), rows.end() - static_cast<ptrdiff_t>(count));
  return rows;
}

using Row = std::vector<std::string>;

TEST(PlanTable, HasARowForEachEntryInTheOrderOfThePlan) {
  const auto rows = Rows(PlanTable(*SmallPlan()), 3);
  EXPECT_EQ(rows[0], (Row{"0", "local", "-", "-", "1", "2", "-", "0.0", "86.00", "100.000", "0.000", "400.000"}));
  EXPECT_EQ(rows[1],
            (Row{"1", "split", "layer2", "1.5", "4", "1", "1.20", "1000.0", "84.25", "20.000", "3.000", "50.000"}));
  EXPECT_EQ(rows[2],
            (Row{"2", "offload", "jpeg", "20", "1", "1", "-", "1600.0", "85.00", "1.000", "4.000", "2.000"}));
}

TEST(PlanTable, AddsWhatABatchTakesOverALink) {
  const auto rows = Rows(PlanTable(*SmallPlan(), ChannelState{.bytes_per_second = 1e5, .rtt_seconds = 0.03}), 3);
  EXPECT_EQ(rows[0][12], "100.000");  // nothing is sent
  EXPECT_EQ(rows[0][13], "400.000");
  EXPECT_EQ(rows[1][12], "63.000");   // 20 + 30 + 10 + 3
  EXPECT_EQ(rows[1][13], "160.500");  // 50 + 3 of sending + 2.5 W * 43 ms
}

TEST(PlanTable, SaysWhatThePlanIsOfAndAssumes) {
  const std::string text = PlanTable(*SmallPlan());
  for (const char* part : {"backbone  feed\n", "device    a small device\n", "server    a server\n",
                           "unit      layer2: runs/layer2/model.strait, id 0000000000000abc\n",
                           "sending   3e-06 J a byte; waiting 2.5 W; a change of split or route 5 ms\n"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << text;
  }
  EXPECT_EQ(text.find("latency"), std::string::npos);
}

// A plan's texts are anybody's: they must not end lines or colour the terminal.
TEST(PlanTable, ShowsNoControlCharactersOfThePlan) {
  PlanSpec spec = {.backbone_hash = "fe\ned",
                   .device = "a\x1b[31m device",
                   .server = "a\tserver\x7f",
                   .models = {{"lay\rer2", "model\n.strait", 1}},
                   .entries = {}};
  spec.entries = {{Route::kSplit, "lay\rer2", 0, 1, 0, 1, 0.02, 0.003, 1000, 0.05, 84}};
  const std::string text = PlanTable(*MakePlan(std::move(spec)).value());
  for (const char* part :
       {"fe?ed\n", "a?[31m device\n", "a?server?\n", "unit      lay?er2: model?.strait, id", "split   lay?er2 "}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << text;
  }
  EXPECT_TRUE(std::ranges::none_of(text, [](unsigned char c) { return (c < 32 && c != '\n') || c == 127; }));
}

// Every row is as long as its heading, so that columns stand under their names.
TEST(PlanTable, IsAligned) {
  const std::string text = PlanTable(*SmallPlan(), ChannelState{.bytes_per_second = 1e5, .rtt_seconds = 0.03});
  std::istringstream lines(text.substr(text.find("\n\n") + 2));
  std::string heading, line;
  std::getline(lines, heading);
  while (std::getline(lines, line)) EXPECT_EQ(line.size(), heading.size()) << heading << '\n' << line;
}

}  // namespace
}  // namespace strait
