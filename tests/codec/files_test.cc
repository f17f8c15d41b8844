// .npy arrays, whole files and rate control: the small pieces.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "codec/file_io.h"
#include "codec/npy.h"
#include "codec/rate_control.h"
#include "entropy/error.h"
#include "strait/tensor.h"

namespace strait {
namespace {

namespace fs = std::filesystem;

std::vector<uint8_t> Npy(const std::string& descr, const std::string& rest, size_t data_bytes, uint8_t fill = 0) {
  const std::string header = "{'descr': '" + descr + "', " + rest + "}\n";
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes.push_back(static_cast<char>(header.size() & 0xff));
  bytes.push_back(static_cast<char>(header.size() >> 8));
  bytes.append(header);
  bytes.append(data_bytes, static_cast<char>(fill));
  return {bytes.begin(), bytes.end()};
}

TEST(NumElements, RefusesNegativeAndOverflowingShapes) {
  EXPECT_EQ(NumElements({}), 1);
  EXPECT_EQ(NumElements({2, 3, 4}), 24);
  EXPECT_EQ(NumElements({2, -1}), -1);
  EXPECT_EQ(NumElements({int64_t{1} << 32, int64_t{1} << 32}), -1);
  EXPECT_EQ(ToString(Shape{64, 16, 16}), "64x16x16");
}

TEST(Npy, RestoresWhatItWrote) {
  for (const Shape& shape : {Shape{}, Shape{3}, Shape{2, 3}, Shape{1, 2, 3, 4}}) {
    std::vector<float> data(static_cast<size_t>(NumElements(shape)));
    for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<float>(i) - 1.5f;
    const auto bytes = SerializeNpy({data.data(), shape});
    EXPECT_EQ((bytes.size() - data.size() * 4) % 64, 0u);
    const Result<Tensor> tensor = ParseNpy(bytes);
    ASSERT_TRUE(tensor.ok()) << tensor.status().ToString();
    EXPECT_EQ(tensor->shape, shape);
    EXPECT_EQ(tensor->data, data);
  }
}

TEST(Npy, ReadsTheTypesItNames) {
  const std::string rest = "'fortran_order': False, 'shape': (2,), ";
  auto half = Npy("<f2", rest, 4);
  const uint16_t halves[2] = {0xc100, 0x0001};  // -2.5 and the smallest subnormal
  std::memcpy(half.data() + half.size() - 4, halves, 4);
  EXPECT_EQ(ParseNpy(half)->data, (std::vector<float>{-2.5f, 0x1p-24f}));
  auto wide = Npy("<f8", rest, 16);
  const double doubles[2] = {0.25, -3};
  std::memcpy(wide.data() + wide.size() - 16, doubles, 16);
  EXPECT_EQ(ParseNpy(wide)->data, (std::vector<float>{0.25f, -3.0f}));
  EXPECT_EQ(ParseNpy(Npy("|u1", rest, 2, 200))->data, (std::vector<float>{200.0f, 200.0f}));
  EXPECT_EQ(ParseNpy(Npy("<i4", rest, 8, 0xff))->data, (std::vector<float>{-1.0f, -1.0f}));
  EXPECT_EQ(ParseNpy(Npy("<i8", rest, 16, 0xff))->data, (std::vector<float>{-1.0f, -1.0f}));
}

TEST(Npy, RefusesWhatItCannotRead) {
  const auto code_of = [](const std::vector<uint8_t>& bytes) { return ParseNpy(bytes).status().code(); };
  const std::string rest = "'fortran_order': False, 'shape': (2,), ";
  EXPECT_EQ(code_of(Npy("<i2", rest, 4)), StatusCode::kUnsupported);
  EXPECT_EQ(code_of(Npy(">f4", rest, 8)), StatusCode::kUnsupported);
  EXPECT_EQ(code_of(Npy("<f4", "'fortran_order': True, 'shape': (2,), ", 8)), StatusCode::kUnsupported);
  EXPECT_EQ(code_of(Npy("<f4", rest, 7)), StatusCode::kTruncated);
  EXPECT_EQ(code_of(Npy("<f4", rest, 9)), StatusCode::kCorrupt);
  EXPECT_EQ(code_of(Npy("<f4", "'fortran_order': False, 'shape': (99999999999,), ", 8)),
            StatusCode::kLimitExceeded);
  EXPECT_EQ(code_of(Npy("<f4", "'fortran_order': False, 'shape': (99999999999999999999,), ", 8)),
            StatusCode::kCorrupt);
  EXPECT_EQ(code_of(Npy("<f4", "'fortran_order': False, ", 8)), StatusCode::kCorrupt);
  EXPECT_EQ(code_of({'P', 'K', 3, 4, 0, 0, 0, 0, 0, 0}), StatusCode::kCorrupt);
}

TEST(Npy, SurvivesTruncationAndBitFlips) {
  const std::vector<float> data(6);
  auto bytes = SerializeNpy({data.data(), {2, 3}});
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(ParseNpy(std::span(bytes).first(length)).ok()) << length;
  }
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= 1 << (bit % 8);
    const Result<Tensor> tensor = ParseNpy(bytes);
    const bool consistent = !tensor.ok() || NumElements(tensor->shape) == static_cast<int64_t>(tensor->data.size());
    EXPECT_TRUE(consistent) << "bit " << bit;
    bytes[bit / 8] ^= 1 << (bit % 8);
  }
}

class Files : public ::testing::Test {
 protected:
  Files() {
    std::string pattern = (fs::temp_directory_path() / "strait_files_XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~Files() override { fs::remove_all(folder_); }
  std::string folder_;
};

TEST_F(Files, ReadBackWhatWasWritten) {
  const std::vector<uint8_t> bytes = {1, 2, 3};
  ASSERT_TRUE(WriteFileAtomic(folder_ + "/a", bytes).ok());
  EXPECT_EQ(ReadFile(folder_ + "/a").value(), bytes);
  EXPECT_FALSE(fs::exists(folder_ + "/a.tmp"));
  EXPECT_EQ(ReadFile(folder_ + "/a", 2).status().code(), StatusCode::kLimitExceeded);
  EXPECT_TRUE(ReadFile(folder_ + "/a", 3).ok());
}

TEST_F(Files, NameThePathThatFails) {
  const Status missing = ReadFile(folder_ + "/missing").status();
  EXPECT_EQ(missing.code(), StatusCode::kIo);
  EXPECT_NE(missing.message().find(folder_ + "/missing"), std::string::npos);
  EXPECT_EQ(ReadFile(folder_).status().code(), StatusCode::kIo);
  EXPECT_EQ(WriteFileAtomic(folder_ + "/no/such", {}).code(), StatusCode::kIo);
  EXPECT_EQ(WriteFileAtomic(folder_, {}).code(), StatusCode::kIo);
}

TEST_F(Files, KeepTheOldContentWhenAWriteFails) {
  const std::vector<uint8_t> old_bytes = {7, 7}, new_bytes = {8};
  ASSERT_TRUE(WriteFileAtomic(folder_ + "/a", old_bytes).ok());
  fs::create_directory(folder_ + "/a.tmp");  // the temporary file cannot be made
  EXPECT_EQ(WriteFileAtomic(folder_ + "/a", new_bytes).code(), StatusCode::kIo);
  EXPECT_EQ(ReadFile(folder_ + "/a").value(), old_bytes);
}

TEST(FileIo, ReportAFullDevice) {
  const std::vector<uint8_t> bytes(1 << 16);
  const Status status = WriteFileAtomic("/dev/full", bytes);
  EXPECT_EQ(status.code(), StatusCode::kIo);
  EXPECT_NE(status.message().find("No space left"), std::string::npos) << status.message();
}

TEST(RateControl, FindsTheLastCodeThatFitsThroughSmallDisorder) {
  const std::vector<size_t> sizes = {10, 12, 11, 14, 13, 16, 20, 19, 30};
  int last = -1;
  RateSearch search{8, [&](int code) -> Result<double> { return static_cast<double>(sizes[code]); }, 0,
                    [&](int code) -> Result<size_t> { return sizes[last = code]; }};
  for (size_t budget = 10; budget <= 31; ++budget) {
    int want = 0;
    for (int code = 0; code < 9; ++code) want = sizes[code] <= budget ? code : want;
    const auto code = EncodeWithin(budget, search);
    ASSERT_TRUE(code.ok());
    EXPECT_EQ(*code, want) << budget;
    EXPECT_EQ(last, want) << budget;
  }
  EXPECT_EQ(EncodeWithin(9, search).status().code(), StatusCode::kLimitExceeded);
}

// Estimates that are wrong by as much as they may be change nothing but the number of frames made.
TEST(RateControl, NeverPassesTheBudgetWhenEstimatesAreOff) {
  int encodes = 0;
  for (const int off : {-3, 3}) {
    RateSearch search{60, [&](int code) -> Result<double> { return 20 + 2 * code + off; }, 3,
                      [&](int code) -> Result<size_t> { return ++encodes, 20 + 2 * code; }};
    for (size_t budget = 20; budget <= 150; ++budget) {
      encodes = 0;
      const auto code = EncodeWithin(budget, search);
      ASSERT_TRUE(code.ok()) << budget;
      EXPECT_EQ(*code, std::min<int>((static_cast<int>(budget) - 20) / 2, 60)) << budget;
      EXPECT_LE(encodes, 6);
    }
    EXPECT_EQ(EncodeWithin(19, search).status().code(), StatusCode::kLimitExceeded);
  }
}

TEST(RateControl, PassesOnTheErrorOfAnEncode) {
  const auto encode = [](int code) -> Result<size_t> {
    if (code == 0) return 1;
    return Error(StatusCode::kInternal, "code ", code);
  };
  const RateSearch search{8, [](int) -> Result<double> { return 1; }, 0, encode};
  EXPECT_EQ(EncodeWithin(100, search).status().code(), StatusCode::kInternal);
}

}  // namespace
}  // namespace strait
