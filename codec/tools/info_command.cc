#include <fmt/core.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "codec/file_io.h"
#include "codec/model_impl.h"
#include "codec/tools/commands.h"
#include "entropy/error.h"
#include "strait/decoder.h"
#include "strait/model.h"

namespace strait::tools {
namespace {

using nlohmann::json;

json NullWhenNan(double value) { return std::isnan(value) ? json() : json(value); }

std::string TextOf(double value, const char* format) {
  return std::isnan(value) ? "-" : fmt::format(fmt::runtime(format), value);
}

void PrintModelJson(const Model& model, size_t file_bytes) {
  json out = {{"kind", "model"},
              {"id", ModelIdText(model.id())},
              {"file_bytes", file_bytes},
              {"feature_shape", model.feature_shape()},
              {"latent_shape", model.latent_shape()},
              {"analysis", {{"macs", model.analysis_macs()}, {"params", model.analysis_params()}}},
              {"synthesis", {{"macs", model.synthesis_macs()}, {"params", model.synthesis_params()}}}};
  out["levels"] = json::array();
  for (const LevelInfo& level : model.levels()) {
    out["levels"].push_back({{"lambda", level.lambda},
                             {"bytes_per_sample", NullWhenNan(level.bytes_per_sample)},
                             {"top1", NullWhenNan(level.top1)}});
  }
  out["provenance"] = json::parse(model.impl().spec.provenance_json, nullptr, false);
  fmt::print("{}\n", out.dump(2));
}

void PrintModelText(const Model& model, size_t file_bytes) {
  fmt::print("model {}, {} bytes\n", ModelIdText(model.id()), file_bytes);
  fmt::print("feature {}, latent {}\n", ToString(model.feature_shape()), ToString(model.latent_shape()));
  fmt::print("analysis  {} multiply-adds, {} parameters\n", model.analysis_macs(), model.analysis_params());
  fmt::print("synthesis {} multiply-adds, {} parameters\n", model.synthesis_macs(), model.synthesis_params());
  fmt::print("{:>5} {:>12} {:>16} {:>7}\n", "level", "lambda", "bytes_per_sample", "top1");
  for (size_t i = 0; i < model.levels().size(); ++i) {
    const LevelInfo& level = model.levels()[i];
    fmt::print("{:>5} {:>12.6g} {:>16} {:>7}\n", i, level.lambda, TextOf(level.bytes_per_sample, "{:.1f}"),
               TextOf(level.top1, "{:.2f}"));
  }
  const json provenance = json::parse(model.impl().spec.provenance_json, nullptr, false);
  if (!provenance.is_object()) return;
  for (const auto& [key, value] : provenance.items()) {
    if (key != "recipe") fmt::print("{} {}\n", key, value.dump());  // the recipe is long: --json has it
  }
}

void PrintFrameJson(const FrameInfo& info) {
  const json out = {{"kind", "frame"},
                    {"version", info.version},
                    {"quality", info.quality},
                    {"checksum", info.has_checksum},
                    {"shape", info.has_shape ? json(info.shape) : json()},
                    {"header_bytes", info.header_bytes},
                    {"payload_bytes", info.payload_bytes}};
  fmt::print("{}\n", out.dump(2));
}

void PrintFrameText(const FrameInfo& info) {
  fmt::print("frame version {}, quality {}, {}, shape {}\n", info.version, info.quality,
             info.has_checksum ? "with checksum" : "no checksum",
             info.has_shape ? ToString(info.shape) : "the model's default");
  fmt::print("header {} bytes, payload {} bytes\n", info.header_bytes, info.payload_bytes);
}

}  // namespace

bool LooksLikeModel(const std::vector<uint8_t>& bytes) {
  return bytes.size() > 8 && bytes[0] % 8 == 0 && bytes[8] == '{';
}

Status RunInfo(const InfoArgs& args) {
  STRAIT_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, ReadFile(args.file));
  if (LooksLikeModel(bytes)) {
    const auto model = Model::FromBytes(bytes);
    if (!model.ok()) return Error(model.status().code(), args.file, ": ", model.status().message());
    args.json ? PrintModelJson(**model, bytes.size()) : PrintModelText(**model, bytes.size());
    return Status();
  }
  const Result<FrameInfo> info = ReadFrameInfo(bytes);
  if (!info.ok()) return Error(info.status().code(), args.file, ": ", info.status().message());
  args.json ? PrintFrameJson(*info) : PrintFrameText(*info);
  return Status();
}

}  // namespace strait::tools
