// Model files: round trip, and what a hostile one meets.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <nlohmann/json.hpp>

#include "codec/model_format.h"
#include "tests/codec/test_models.h"

namespace strait {
namespace {

using nlohmann::json;
using testing::ConvSpec;

std::vector<uint8_t> Bytes() { return SerializeModel(ConvSpec()).value(); }

// The file of a spec with its JSON header (and the manifest inside it) changed by `edit`.
std::vector<uint8_t> WithHeader(const std::function<void(json& header, json& manifest)>& edit,
                                const ModelSpec& spec = ConvSpec()) {
  const std::vector<uint8_t> bytes = SerializeModel(spec).value();
  uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data(), 8);
  json header = json::parse(bytes.begin() + 8, bytes.begin() + 8 + header_bytes);
  json manifest = json::parse(header["__metadata__"]["strait"].get<std::string>());
  edit(header, manifest);
  if (header.contains("__metadata__") && header["__metadata__"].contains("strait")) {
    header["__metadata__"]["strait"] = manifest.dump();
  }
  const std::string text = header.dump();
  std::vector<uint8_t> edited(8);
  header_bytes = text.size();
  std::memcpy(edited.data(), &header_bytes, 8);
  edited.insert(edited.end(), text.begin(), text.end());
  std::memcpy(&header_bytes, bytes.data(), 8);
  edited.insert(edited.end(), bytes.begin() + 8 + header_bytes, bytes.end());
  return edited;
}

StatusCode CodeOf(const std::function<void(json& header, json& manifest)>& edit, const ModelSpec& of = ConvSpec()) {
  const Result<ModelSpec> spec = ParseModel(WithHeader(edit, of), Limits{});
  return spec.ok() ? StatusCode::kOk : spec.status().code();
}

TEST(ModelFile, RestoresEveryFieldOfTheSpec) {
  const ModelSpec want = ConvSpec();
  const Result<ModelSpec> got = ParseModel(Bytes(), Limits{});
  ASSERT_TRUE(got.ok()) << got.status().ToString();
  EXPECT_EQ(got->feature_shape, want.feature_shape);
  EXPECT_EQ(got->latent_shape, want.latent_shape);
  EXPECT_EQ(got->gain, want.gain);
  EXPECT_EQ(got->inverse_gain, want.inverse_gain);
  EXPECT_EQ(got->sets_per_level, want.sets_per_level);
  EXPECT_EQ(got->precision, want.precision);
  EXPECT_EQ(json::parse(got->provenance_json), json::parse(want.provenance_json));
  ASSERT_EQ(got->levels.size(), want.levels.size());
  EXPECT_TRUE(std::isnan(got->levels[0].top1));
  EXPECT_EQ(got->levels[1].top1, want.levels[1].top1);
  EXPECT_EQ(got->levels[2].lambda, want.levels[2].lambda);
  ASSERT_EQ(got->tables.size(), want.tables.size());
  for (size_t i = 0; i < want.tables.size(); ++i) {
    EXPECT_EQ(got->tables[i].min_symbol, want.tables[i].min_symbol);
    EXPECT_EQ(got->tables[i].has_escape, want.tables[i].has_escape);
    EXPECT_EQ(got->tables[i].freq, want.tables[i].freq);
  }
  ASSERT_EQ(got->synthesis.size(), want.synthesis.size());
  for (size_t i = 0; i < want.synthesis.size(); ++i) {
    EXPECT_EQ(got->synthesis[i].kind, want.synthesis[i].kind);
    EXPECT_EQ(got->synthesis[i].weight.data, want.synthesis[i].weight.data);
    EXPECT_EQ(got->synthesis[i].bias.data, want.synthesis[i].bias.data);
    EXPECT_EQ(got->synthesis[i].slope, want.synthesis[i].slope);
    EXPECT_EQ(got->synthesis[i].output_padding[0], want.synthesis[i].output_padding[0]);
  }
  EXPECT_EQ(SerializeModel(*got).value(), Bytes());
}

TEST(ModelFile, RestoresAContext) {
  ModelSpec want = testing::ContextConvSpec();
  want.context.weights = {-15, 0, 7, 15};
  const std::vector<uint8_t> bytes = SerializeModel(want).value();
  const ModelSpec got = ParseModel(bytes, Limits{}).value();
  EXPECT_EQ(got.context.weights, want.context.weights);
  EXPECT_EQ(got.context.tables, want.context.tables);
  EXPECT_EQ(got.tables.size(), want.tables.size());
  EXPECT_EQ(SerializeModel(got).value(), bytes);
}

TEST(ModelFile, RefusesHostileContexts) {
  const ModelSpec spec = testing::ContextConvSpec();
  const auto code_of = [&](const std::function<void(json & header, json & manifest)>& edit) {
    return CodeOf(edit, spec);
  };
  EXPECT_EQ(code_of([](json&, json&) {}), StatusCode::kOk);
  EXPECT_EQ(code_of([](json&, json& m) { m["context"]["weights"] = {1, 2, 3}; }), StatusCode::kCorrupt);
  EXPECT_EQ(code_of([](json&, json& m) { m["context"]["weights"] = {1, 2, 3, 16}; }), StatusCode::kCorrupt);
  EXPECT_EQ(code_of([](json&, json& m) { m["context"]["weights"] = {1, 2, 3, -16}; }), StatusCode::kCorrupt);
  EXPECT_EQ(code_of([](json&, json& m) { m["context"]["reach"] = 2; }), StatusCode::kUnsupported);
  EXPECT_EQ(code_of([](json&, json& m) { m["context"] = 1; }), StatusCode::kCorrupt);
  EXPECT_EQ(code_of([](json&, json& m) { m.erase("context"); }), StatusCode::kUnsupported);  // its tensor is left
  EXPECT_EQ(code_of([](json& h, json&) { h["context.tables"]["shape"] = {15, 256}; }), StatusCode::kCorrupt);
  EXPECT_EQ(code_of([](json& h, json&) { h["context.tables"]["dtype"] = "U16"; }), StatusCode::kCorrupt);
  EXPECT_EQ(CodeOf([](json&, json& m) { m["context"]["weights"] = {1, 1, 1, 1}; }), StatusCode::kCorrupt);

  const auto refused = [&](const std::function<void(ModelSpec&)>& edit) {
    ModelSpec edited = spec;
    edit(edited);
    return !SerializeModel(edited).ok();
  };
  EXPECT_TRUE(refused([](ModelSpec& s) { s.context.tables[5] = 7; }));        // there is no such table
  EXPECT_TRUE(refused([](ModelSpec& s) { s.context.tables[5] = 0; }));        // a certain one among others
  EXPECT_TRUE(refused([](ModelSpec& s) { s.context.tables[256 * 4] = 1; }));  // another among certain ones
  EXPECT_TRUE(refused([](ModelSpec& s) { s.context.tables.pop_back(); }));
  EXPECT_TRUE(refused([](ModelSpec& s) { s.tables[3].has_escape = false; }));
  EXPECT_TRUE(refused([](ModelSpec& s) { s.tables.resize(257, s.tables[1]); }));
}

TEST(ModelFile, HoldsAFrequencyOf65536) {
  ModelSpec spec = testing::TokenSpec();
  spec.precision = 16;
  spec.tables.assign(3, CdfTable{0, false, {65536}});
  const Result<std::vector<uint8_t>> bytes = SerializeModel(spec);
  ASSERT_TRUE(bytes.ok()) << bytes.status().ToString();
  EXPECT_EQ(ParseModel(*bytes, Limits{})->tables[0].freq, std::vector<uint32_t>{65536});
}

TEST(ModelFile, KeepsItsHeaderAlignedAsSafetensorsAsks) {
  uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, Bytes().data(), 8);
  EXPECT_EQ(header_bytes % 8, 0u);
  EXPECT_EQ(Bytes()[8], '{');
}

TEST(ModelFile, WriterRefusesWhatTheReaderWould) {
  const auto refused = [](const std::function<void(ModelSpec&)>& edit) {
    ModelSpec spec = ConvSpec();
    edit(spec);
    return !SerializeModel(spec).ok();
  };
  EXPECT_FALSE(refused([](ModelSpec&) {}));
  EXPECT_TRUE(refused([](ModelSpec& s) { s.gain[1][2] = 0; }));
  EXPECT_TRUE(refused([](ModelSpec& s) { s.inverse_gain[0][0] = -1; }));
  EXPECT_TRUE(refused([](ModelSpec& s) { s.gain[0][0] = INFINITY; }));
  EXPECT_TRUE(refused([](ModelSpec& s) { s.gain.pop_back(); }));
  EXPECT_TRUE(refused([](ModelSpec& s) { s.tables.pop_back(); }));
  EXPECT_TRUE(refused([](ModelSpec& s) { s.tables[3].freq[0] += 1; }));
  EXPECT_TRUE(refused([](ModelSpec& s) { s.levels.clear(); }));
  EXPECT_TRUE(refused([](ModelSpec& s) { s.levels[0].lambda = NAN; }));
  EXPECT_TRUE(refused([](ModelSpec& s) { s.latent_shape = {3, 3, 4}; }));
  EXPECT_TRUE(refused([](ModelSpec& s) { s.feature_shape = {4, 7, 7}; }));
  EXPECT_TRUE(refused([](ModelSpec& s) { s.analysis[0].weight.data[0] = NAN; }));
  EXPECT_TRUE(refused([](ModelSpec& s) { s.sets_per_level = 0; }));
  EXPECT_TRUE(refused([](ModelSpec& s) { s.provenance_json = "[1"; }));
  EXPECT_TRUE(refused([](ModelSpec& s) { s.provenance_json = "[]"; }));
}

TEST(ModelFile, ReportsTruncatedAtEveryShorterLength) {
  const std::vector<uint8_t> bytes = Bytes();
  for (size_t length = 0; length < bytes.size(); ++length) {
    const std::vector<uint8_t> cut(bytes.begin(), bytes.begin() + length);
    EXPECT_FALSE(ParseModel(cut, Limits{}).ok()) << length;
  }
  std::vector<uint8_t> longer = bytes;
  longer.push_back(0);
  EXPECT_FALSE(ParseModel(longer, Limits{}).ok());
}

TEST(ModelFile, SurvivesEveryBitFlip) {
  std::vector<uint8_t> bytes = Bytes();
  uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data(), 8);
  size_t refused = 0;
  // Every bit of length and header; one bit of each further byte.
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      if (i >= 8 + header_bytes && bit != static_cast<int>(i % 8)) continue;
      bytes[i] ^= 1 << bit;
      const Result<ModelSpec> spec = ParseModel(bytes, Limits{});
      if (!spec.ok()) {
        ++refused;
        EXPECT_FALSE(spec.status().message().empty());
      } else {
        EXPECT_TRUE(ValidateSpec(*spec, Limits{}).ok());
      }
      bytes[i] ^= 1 << bit;
    }
  }
  EXPECT_GT(refused, header_bytes * 4);
}

TEST(ModelFile, RefusesHostileManifests) {
  EXPECT_EQ(CodeOf([](json&, json&) {}), StatusCode::kOk);
  EXPECT_EQ(CodeOf([](json&, json& m) { m["provenance"]["anything"] = 1; }), StatusCode::kOk);
  EXPECT_EQ(CodeOf([](json&, json& m) { m["anything"] = 1; }), StatusCode::kUnsupported);
  EXPECT_EQ(CodeOf([](json&, json& m) { m["format_version"] = 2; }), StatusCode::kUnsupported);
  EXPECT_EQ(CodeOf([](json&, json& m) { m["format_version"] = "1"; }), StatusCode::kCorrupt);
  EXPECT_EQ(CodeOf([](json&, json& m) { m["analysis"][0]["op"] = "fft"; }), StatusCode::kUnsupported);
  EXPECT_EQ(CodeOf([](json&, json& m) { m["analysis"][0]["dilation"] = 2; }), StatusCode::kUnsupported);
  EXPECT_EQ(CodeOf([](json&, json& m) { m["analysis"][0].erase("stride"); }), StatusCode::kCorrupt);
  EXPECT_EQ(CodeOf([](json&, json& m) { m["analysis"][0]["stride"] = {2, 1e3}; }), StatusCode::kCorrupt);
  EXPECT_EQ(CodeOf([](json&, json& m) { m["analysis"][1]["src"] = {7}; }), StatusCode::kCorrupt);
  EXPECT_EQ(CodeOf([](json&, json& m) { m["analysis"][2]["weight"] = "nothing"; }), StatusCode::kCorrupt);
  EXPECT_EQ(CodeOf([](json&, json& m) { m["synthesis"][0]["bias"] = m["analysis"][0]["bias"]; }),
            StatusCode::kCorrupt);
  EXPECT_EQ(CodeOf([](json&, json& m) { m["feature_shape"] = {4, 1 << 30, 1 << 30}; }), StatusCode::kLimitExceeded);
  EXPECT_EQ(CodeOf([](json&, json& m) { m["levels"] = json::array(); }), StatusCode::kCorrupt);
  EXPECT_EQ(CodeOf([](json&, json& m) { m["levels"][0] = nullptr; }), StatusCode::kCorrupt);
  EXPECT_EQ(CodeOf([](json&, json& m) { m["precision"] = 17; }), StatusCode::kCorrupt);
  EXPECT_EQ(CodeOf([](json&, json& m) { m["provenance"] = 1; }), StatusCode::kCorrupt);
  EXPECT_EQ(CodeOf([](json&, json& m) { m = json::array(); }), StatusCode::kCorrupt);
}

TEST(ModelFile, RefusesHostileTensorDirectories) {
  EXPECT_EQ(CodeOf([](json& h, json&) { h.erase("gain"); }), StatusCode::kCorrupt);  // leaves a hole
  EXPECT_EQ(CodeOf([](json& h, json&) { h["gain"]["data_offsets"][1] = 1 << 30; }), StatusCode::kCorrupt);
  EXPECT_EQ(CodeOf([](json& h, json&) { h["gain"]["data_offsets"] = h["inverse_gain"]["data_offsets"]; }),
            StatusCode::kCorrupt);
  EXPECT_EQ(CodeOf([](json& h, json&) {
              h["gain"]["data_offsets"] = {uint64_t{1} << 63, 0};
            }),
            StatusCode::kCorrupt);
  EXPECT_EQ(CodeOf([](json& h, json&) { h["gain"]["shape"] = {int64_t{1} << 62, 4}; }), StatusCode::kCorrupt);
  EXPECT_EQ(CodeOf([](json& h, json&) { h["gain"]["shape"] = {-3, -3}; }), StatusCode::kCorrupt);
  EXPECT_EQ(CodeOf([](json& h, json&) { h["gain"]["dtype"] = "F64"; }), StatusCode::kUnsupported);
  EXPECT_EQ(CodeOf([](json& h, json&) { h["gain"]["dtype"] = "I32"; }), StatusCode::kCorrupt);
  EXPECT_EQ(CodeOf([](json& h, json&) { h["gain"]["x"] = 1; }), StatusCode::kUnsupported);
  EXPECT_EQ(CodeOf([](json& h, json&) {
              h["gain2"] = h["gain"];  // same bytes under an unknown name
              h.erase("gain");
            }),
            StatusCode::kCorrupt);
  EXPECT_EQ(CodeOf([](json& h, json&) { h.erase("__metadata__"); }), StatusCode::kUnsupported);
}

TEST(ModelFile, RefusesDeepAndRepeatedJson) {
  const auto code_of = [](const std::string& header) {
    std::vector<uint8_t> bytes(8);
    const uint64_t size = header.size();
    std::memcpy(bytes.data(), &size, 8);
    bytes.insert(bytes.end(), header.begin(), header.end());
    return ParseModel(bytes, Limits{}).status().code();
  };
  EXPECT_EQ(code_of(std::string(1 << 20, '[')), StatusCode::kCorrupt);
  EXPECT_EQ(code_of("{\"a\":1,\"a\":2}"), StatusCode::kCorrupt);
  EXPECT_EQ(code_of("{\"a\":1e999}"), StatusCode::kCorrupt);
  EXPECT_EQ(code_of("{\"a\":\"\xff\"}"), StatusCode::kCorrupt);
  EXPECT_EQ(code_of("[]"), StatusCode::kCorrupt);
}

TEST(ModelFile, HoldsTheFileToItsLimit) {
  const std::vector<uint8_t> bytes = Bytes();
  Limits limits;
  limits.max_model_bytes = static_cast<int64_t>(bytes.size()) - 1;
  EXPECT_EQ(ParseModel(bytes, limits).status().code(), StatusCode::kLimitExceeded);
}

}  // namespace
}  // namespace strait
