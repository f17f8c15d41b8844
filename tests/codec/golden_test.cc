// Files written once and never again: today's build must still read them. See tests/golden/README.md.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "codec/file_io.h"
#include "codec/frame.h"
#include "codec/npy.h"
#include "strait/strait.hpp"
#include "tests/codec/test_models.h"

namespace strait {
namespace {

using testing::FrameOf;

std::string Path(const std::string& name) { return std::string(STRAIT_SOURCE_DIR) + "/tests/golden/" + name; }

std::vector<uint8_t> Read(const std::string& name) {
  const Result<std::vector<uint8_t>> bytes = ReadFile(Path(name));
  EXPECT_TRUE(bytes.ok()) << bytes.status().ToString();
  return bytes.ok() ? *bytes : std::vector<uint8_t>();
}

Tensor ReadTensor(const std::string& name) {
  const Result<Tensor> tensor = ParseNpy(Read(name));
  EXPECT_TRUE(tensor.ok()) << tensor.status().ToString();
  return tensor.ok() ? *tensor : Tensor();
}

struct GoldenFrame {
  const char* name;
  Shape shape;
  double quality;
  bool checksum;
  const char* folder = "valid";
};

const GoldenFrame kFrames[] = {{"default_q2", {1, 4, 6, 6}, 2.0, false},
                               {"default_q0_checksum", {1, 4, 6, 6}, 0.0, true},
                               {"default_between_levels", {1, 4, 6, 6}, 0.6875, true},
                               {"batch3_8x10_q1", {3, 4, 8, 10}, 1.0, false},
                               {"batch2_q2_checksum", {2, 4, 6, 6}, 2.0, true},
                               {"many_symbols_q1", {1, 4, 40, 40}, 1.0, true},
                               {"q2", {1, 4, 6, 6}, 2.0, false, "context"},
                               {"between_levels_checksum", {2, 4, 14, 10}, 0.53125, true, "context"},
                               {"many_symbols_q1", {1, 4, 40, 40}, 1.0, true, "context"}};

std::shared_ptr<const Model> GoldenModel(const std::string& folder = "valid") {
  auto model = Model::FromBytes(Read(folder + "/model.strait"));
  EXPECT_TRUE(model.ok()) << model.status().ToString();
  return model.ok() ? *model : nullptr;
}

// Golden files are never rewritten.
void Write(const std::string& name, std::span<const uint8_t> bytes) {
  if (std::filesystem::exists(Path(name))) return;
  const Status status = WriteFileAtomic(Path(name), bytes);
  ASSERT_TRUE(status.ok()) << status.ToString();
}

void WriteValid() {
  Write("valid/model.strait", SerializeModel(testing::ConvSpec()).value());
  Write("context/model.strait", SerializeModel(testing::ContextConvSpec()).value());
  for (const GoldenFrame& golden : kFrames) {
    const auto model = GoldenModel(golden.folder);
    const Tensor src = testing::IntegerTensor(golden.shape, 21);
    std::vector<uint8_t> frame;
    EncodeOptions options{.quality = golden.quality, .checksum = golden.checksum};
    ASSERT_TRUE(Encoder(model).Encode({src.data.data(), src.shape}, options, frame).ok());
    std::vector<int16_t> symbols;
    Tensor latent, restored;
    ASSERT_TRUE(Decoder(model).DecodeSymbols(frame, symbols, latent.shape).ok());
    latent.data.assign(symbols.begin(), symbols.end());
    ASSERT_TRUE(Decoder(model).Decode(frame, restored).ok());
    const std::string stem = std::string(golden.folder) + "/" + golden.name;
    Write(stem + ".stf", frame);
    Write(stem + ".input.npy", SerializeNpy({src.data.data(), src.shape}));
    Write(stem + ".symbols.npy", SerializeNpy({latent.data.data(), latent.shape}));
    Write(stem + ".restored.npy", SerializeNpy({restored.data.data(), restored.shape}));
  }
}

void WriteInvalid() {
  const auto model_bytes = SerializeModel(testing::ConvSpec()).value();
  const auto model = Model::FromBytes(model_bytes).value();
  const Tensor src = testing::IntegerTensor({1, 4, 6, 6}, 21);
  std::vector<uint8_t> plain, summed;
  ASSERT_TRUE(Encoder(model).Encode({src.data.data(), src.shape}, {}, plain).ok());
  ASSERT_TRUE(Encoder(model).Encode({src.data.data(), src.shape}, {.checksum = true}, summed).ok());
  std::string list;
  const auto add = [&](const std::string& name, std::vector<uint8_t> bytes, StatusCode code) {
    Write("invalid/" + name, bytes);
    list += name + " " + std::string(StatusCodeName(code)) + "\n";
  };
  const auto edited = [](std::vector<uint8_t> bytes, size_t index, uint8_t value) {
    bytes[index] = value;
    return bytes;
  };
  add("empty.stf", {}, StatusCode::kTruncated);
  add("version2.stf", edited(plain, 0, 0x02), StatusCode::kUnsupported);
  add("reserved_flag.stf", edited(plain, 0, 0x41), StatusCode::kUnsupported);
  add("quality_not_canonical.stf", {0x01, 0x80, 0x00}, StatusCode::kCorrupt);
  add("quality_of_another_model.stf", edited(plain, 1, 0x7f), StatusCode::kModelMismatch);
  add("shape_rank0.stf", {0x21, 0x00, 0x00}, StatusCode::kCorrupt);
  add("shape_zero_dimension.stf", {0x21, 0x00, 0x04, 0x01, 0x04, 0x00, 0x06}, StatusCode::kCorrupt);
  add("shape_default_spelled_out.stf", FrameOf({0, false, {1, 4, 6, 6}}), StatusCode::kCorrupt);
  add("shape_of_another_model.stf", FrameOf({0, false, {1, 5, 6, 6}}), StatusCode::kModelMismatch);
  add("shape_huge.stf", FrameOf({0, false, {4000000000, 4, 4000000, 6}}), StatusCode::kLimitExceeded);
  add("no_payload.stf", {0x01, 0x00}, StatusCode::kTruncated);
  add("checksum_cut.stf", {summed.begin(), summed.begin() + 4}, StatusCode::kTruncated);
  add("checksum_wrong.stf", edited(summed, 3, summed[3] ^ 1), StatusCode::kCorrupt);
  add("model_cut.strait", {model_bytes.begin(), model_bytes.begin() + 100}, StatusCode::kTruncated);
  add("model_header_huge.strait", edited(model_bytes, 6, 0x01), StatusCode::kCorrupt);
  add(
      "model_bytes_after_end.strait",
      [&] {
        auto b = model_bytes;
        b.push_back(0);
        return b;
      }(),
      StatusCode::kCorrupt);
  Write("invalid/expected.txt", {reinterpret_cast<const uint8_t*>(list.data()), list.size()});
}

// Runs only when asked for by hand, never as part of a test run.
TEST(GoldenWriter, DISABLED_WritesNewGoldens) {
  if (std::getenv("STRAIT_WRITE_GOLDENS") == nullptr) GTEST_SKIP() << "set STRAIT_WRITE_GOLDENS=1";
  WriteValid();
  WriteInvalid();
}

TEST(Golden, DecodesEveryFrameToItsSymbolsAndTensor) {
  for (const GoldenFrame& golden : kFrames) {
    const auto model = GoldenModel(golden.folder);
    ASSERT_NE(model, nullptr);
    SCOPED_TRACE(golden.name);
    const std::string stem = std::string(golden.folder) + "/" + golden.name;
    const auto frame = Read(stem + ".stf");
    const Tensor want_symbols = ReadTensor(stem + ".symbols.npy"), want = ReadTensor(stem + ".restored.npy");
    Decoder decoder(model);
    std::vector<int16_t> symbols;
    Shape latent_shape;
    ASSERT_TRUE(decoder.DecodeSymbols(frame, symbols, latent_shape).ok());
    EXPECT_EQ(latent_shape, want_symbols.shape);
    EXPECT_EQ(std::vector<float>(symbols.begin(), symbols.end()), want_symbols.data);
    Tensor restored;
    ASSERT_TRUE(decoder.Decode(frame, restored).ok());
    ASSERT_EQ(restored.shape, want.shape);
    float scale = 1;
    for (const float value : want.data) scale = std::max(scale, std::abs(value));
    for (size_t i = 0; i < want.data.size(); ++i) ASSERT_NEAR(restored.data[i], want.data[i], 1e-5 * scale) << i;
  }
}

TEST(Golden, EncodesEveryInputToTheSameBytes) {
  for (const GoldenFrame& golden : kFrames) {
    const auto model = GoldenModel(golden.folder);
    ASSERT_NE(model, nullptr);
    SCOPED_TRACE(golden.name);
    const std::string stem = std::string(golden.folder) + "/" + golden.name;
    const Tensor src = ReadTensor(stem + ".input.npy");
    ASSERT_EQ(src.shape, golden.shape);
    std::vector<uint8_t> frame;
    const EncodeOptions options{.quality = golden.quality, .checksum = golden.checksum};
    ASSERT_TRUE(Encoder(model).Encode({src.data.data(), src.shape}, options, frame).ok());
    EXPECT_EQ(frame, Read(stem + ".stf"));
  }
}

TEST(Golden, WriterStillMakesTheGoldenModels) {
  EXPECT_EQ(SerializeModel(testing::ConvSpec()).value(), Read("valid/model.strait"));
  EXPECT_EQ(SerializeModel(testing::ContextConvSpec()).value(), Read("context/model.strait"));
}

TEST(Golden, RefusesEveryInvalidFileForItsReason) {
  const auto model = GoldenModel();
  ASSERT_NE(model, nullptr);
  const auto list = Read("invalid/expected.txt");
  std::istringstream lines(std::string(list.begin(), list.end()));
  std::string name, code;
  int files = 0;
  while (lines >> name && std::getline(lines >> std::ws, code)) {
    SCOPED_TRACE(name);
    const auto bytes = Read("invalid/" + name);
    Tensor dst;
    const Status status =
        name.ends_with(".strait") ? Model::FromBytes(bytes).status() : Decoder(model).Decode(bytes, dst);
    EXPECT_EQ(StatusCodeName(status.code()), code) << status.ToString();
    ++files;
  }
  EXPECT_EQ(files, 16);
}

TEST(Golden, ReportsTruncatedFramesAtEveryShorterLength) {
  for (const GoldenFrame& golden : kFrames) {
    const auto model = GoldenModel(golden.folder);
    ASSERT_NE(model, nullptr);
    Decoder decoder(model);
    const auto frame = Read(std::string(golden.folder) + "/" + golden.name + ".stf");
    for (size_t length = 0; length < frame.size(); ++length) {
      Tensor dst;
      const Status status = decoder.Decode(std::span(frame).first(length), dst);
      EXPECT_FALSE(status.ok()) << golden.name << " at " << length;
      EXPECT_TRUE(dst.data.empty());
    }
  }
}

TEST(Golden, SurvivesEveryBitFlipAndCatchesAllUnderAChecksum) {
  for (const GoldenFrame& golden : kFrames) {
    const auto model = GoldenModel(golden.folder);
    ASSERT_NE(model, nullptr);
    Decoder decoder(model);
    auto frame = Read(std::string(golden.folder) + "/" + golden.name + ".stf");
    for (size_t bit = 0; bit < frame.size() * 8; ++bit) {
      frame[bit / 8] ^= 1 << (bit % 8);
      Tensor dst;
      const Status status = decoder.Decode(frame, dst);
      EXPECT_TRUE(!golden.checksum || !status.ok()) << golden.name << " bit " << bit;
      EXPECT_EQ(status.ok(), status.message().empty());
      frame[bit / 8] ^= 1 << (bit % 8);
    }
  }
}

}  // namespace
}  // namespace strait
