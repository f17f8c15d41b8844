#include "planner/link_trace.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

namespace strait {
namespace {

constexpr const char kHeader[] = "seconds,bytes_per_second,rtt_seconds,loss\n";

class TraceFile : public ::testing::Test {
 protected:
  Result<LinkTrace> Load(const std::string& text) {
    path_ = (std::filesystem::temp_directory_path() / ("strait_trace_" + std::to_string(::getpid()))).string();
    std::ofstream(path_) << text;
    Result<LinkTrace> trace = LinkTrace::Load(path_);
    std::filesystem::remove(path_);
    return trace;
  }
  void ExpectRefused(const std::string& text, const std::string& where, const std::string& part) {
    const Result<LinkTrace> trace = Load(text);
    ASSERT_FALSE(trace.ok()) << part;
    const std::string& message = trace.status().message();
    EXPECT_EQ(message.find(path_ + where), 0u) << message;
    EXPECT_NE(message.find(part), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos);
  }
  std::string path_;
};

double Transfer(const LinkTrace& trace, double start, double bytes) {
  return trace.TransferSeconds(start, bytes, 1);
}

TEST(LinkTrace, TransfersFollowTheRateAcrossPointsOutagesAndTheEnd) {
  const LinkTrace trace =
      LinkTrace::Make({{0, 1000, 0.1, 0}, {1, 500, 0.2, 0}, {2, 0, 0.3, 0}, {3, 2000, 0.4, 0}}).value();
  EXPECT_DOUBLE_EQ(trace.duration(), 4);
  EXPECT_NEAR(Transfer(trace, 0, 500), 0.5 + 0.1, 1e-9);
  EXPECT_NEAR(Transfer(trace, 0.5, 750), 1.0 + 0.2, 1e-9);         // half a second at 1000, half at 500
  EXPECT_NEAR(Transfer(trace, 1.5, 1250), 1.5 + 0.5 + 0.4, 1e-9);  // 250, nothing for a second, 1000 at 2000
  EXPECT_NEAR(Transfer(trace, 2.0, 2000), 2.0 + 0.1, 1e-9);        // done as the trace begins again
  EXPECT_NEAR(Transfer(trace, 3.5, 1500), 1.0 + 0.1, 1e-9);
  EXPECT_NEAR(Transfer(trace, 0, 3 * 3500 + 500), 12.5 + 0.1, 1e-9);  // three whole rounds
  EXPECT_NEAR(Transfer(trace, 8.5, 500), 0.5 + 0.2, 1e-9);            // starts in the third round
}

TEST(LinkTrace, LostPacketsCostTimeAndTheSameLuckTheSameTime) {
  const LinkTrace clean = LinkTrace::Make({{0, 1e6, 0.1, 0}, {1, 1e6, 0.1, 0}}).value();
  const LinkTrace lossy = LinkTrace::Make({{0, 1e6, 0.1, 0.3}, {1, 1e6, 0.1, 0.3}}).value();
  double sum = 0;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    const double seconds = lossy.TransferSeconds(0, 1000, seed);
    EXPECT_EQ(seconds, lossy.TransferSeconds(0, 1000, seed));
    sum += seconds / 400;
  }
  // One packet, lost with 0.3 again and again: 0.3 / 0.7 more round trips.
  EXPECT_NEAR(sum - Transfer(clean, 0, 1000), 0.1 * 0.3 / 0.7, 0.01);
}

TEST_F(TraceFile, IsReadBackAsWritten) {
  const LinkTrace trace = DrawTrace("moving", 60, 0.5, 3);
  const Result<LinkTrace> back = Load(ToCsv(trace));
  ASSERT_TRUE(back.ok()) << back.status().message();
  ASSERT_EQ(back->points().size(), 120u);
  EXPECT_EQ(ToCsv(*back), ToCsv(trace));
  EXPECT_DOUBLE_EQ(back->duration(), 60);
}

TEST_F(TraceFile, KeepsEveryPointOfALongTrace) {
  const LinkTrace trace = DrawTrace("lpwan", 2000, 0.0625, 4);
  const Result<LinkTrace> back = Load(ToCsv(trace));
  ASSERT_TRUE(back.ok()) << back.status().message();
  ASSERT_EQ(back->points().size(), trace.points().size());
  for (size_t i = 0; i < trace.points().size(); ++i) {
    const LinkPoint &point = trace.points()[i], &read = back->points()[i];
    ASSERT_EQ(read.seconds, point.seconds) << i;
    ASSERT_EQ(read.bytes_per_second, point.bytes_per_second) << i;
    ASSERT_EQ(read.rtt_seconds, point.rtt_seconds) << i;
    ASSERT_EQ(read.loss, point.loss) << i;
  }
}

TEST_F(TraceFile, RefusesBadLinesNamingFileAndLine) {
  const std::string head = kHeader;
  ExpectRefused("time,rate\n0,1\n", ":1", "header");
  ExpectRefused(head + "0,1e6,0.1,0\n1,fast,0.1,0\n", ":3", "\"fast\" is no number");
  ExpectRefused(head + "0,1e6,0.1,0\n1,1e6,0.1\n", ":3", "3 fields");
  ExpectRefused(head + "0,1e6,0.1,0\n1,1e6,0.1,0,7\n", ":3", "\"0,7\" is no number");
  ExpectRefused(head + "0,1e6,0.1,0\n1,,0.1,0\n", ":3", "\"\" is no number");
  ExpectRefused(head + "0,1e6,0.1,0\n\n1,1e6,0.1,0\n", ":3", "empty");
  ExpectRefused(head + "0,1e6,0.1,0\n1,-5,0.1,0\n", ":3", "rate -5");
  ExpectRefused(head + "0,1e6,0.1,0\n1,nan,0.1,0\n", ":3", "no number");
  ExpectRefused(head + "0,1e6,0.1,0\n1,inf,0.1,0\n", ":3", "no number");
  ExpectRefused(head + "0,1e6,0.1,0\n1,1e6,0.1,1\n", ":3", "loss 1");
  ExpectRefused(head + "0,1e6,0.1,0\n1,1e6,0.1,0\n0.5,1e6,0.1,0\n", ":4", "ascending");
  ExpectRefused(head + "0,1e6,0.1,0\n1,1e6,0.1,0\n2,1e6,0.1,0\n60,1e6,0.1,0\n", ":5", "a gap of 58 s");
  ExpectRefused(head + "0,1e6,0.1,0\n1,1e6,0.1,0\n101,1e6,0.1,0\n", ":4", "a gap of 100 s");
  ExpectRefused(head + "0,1e6,0.1,0\n1,1e308,0.1,0\n", ":3", "rate 1e+308");
  ExpectRefused(head + "0,1e6,0.1,0\n1,1e6,0.1,0.9999999\n", ":3", "loss");
  ExpectRefused(head + "0,1e6,0.1,0\n", "", "at least 2 points");
  ExpectRefused(head + "0,0,0.1,0\n1,0,0.1,0\n", "", "rate above 0");
  EXPECT_EQ(LinkTrace::Load("/no/such/trace.csv").status().code(), StatusCode::kIo);
}

TEST(DrawTrace, GivesEveryKindAllItsStatesAndTheSameTraceForASeed) {
  for (const std::string& kind : TraceKinds()) {
    const LinkTrace trace = DrawTrace(kind, 1200, 0.5, 5);
    EXPECT_EQ(ToCsv(trace), ToCsv(DrawTrace(kind, 1200, 0.5, 5))) << kind;
    EXPECT_NE(ToCsv(trace), ToCsv(DrawTrace(kind, 1200, 0.5, 6))) << kind;
    double low = INFINITY, high = 0;
    for (const LinkPoint& point : trace.points()) {
      low = std::min(low, point.bytes_per_second);
      high = std::max(high, point.bytes_per_second);
    }
    EXPECT_GT(high, 8 * low) << kind;
  }
}

}  // namespace
}  // namespace strait
