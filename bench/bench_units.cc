#include "bench/bench_units.h"

#include <cstdlib>
#include <filesystem>
#include <random>

#include "bench/reference_units.h"
#include "codec/file_io.h"
#include "codec/model_impl.h"

namespace strait {
namespace {

Result<BenchUnit> ReadUnit(const std::string& path) {
  STRAIT_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, ReadFile(path));
  STRAIT_ASSIGN_OR_RETURN(const std::shared_ptr<const Model> model, Model::FromBytes(bytes));
  BenchUnit unit;
  unit.name = std::filesystem::path(path).stem().string();
  STRAIT_ASSIGN_OR_RETURN(unit.spec, ParseModel(bytes, {}));
  const int level = static_cast<int>(model->levels().size()) / 2;
  const Shape latent_shape = WithBatch(1, model->latent_shape());
  STRAIT_ASSIGN_OR_RETURN(const std::vector<int16_t> symbols,
                          DrawSymbols(model->impl().entropy, latent_shape, level * kQualitySteps, 1));
  STRAIT_RETURN_IF_ERROR(Decoder(model).Synthesize(symbols, latent_shape, level, unit.features));
  return unit;
}

}  // namespace

Result<BenchUnits> MakeBenchUnits() {
  BenchUnits units;
  for (const ReferenceSplit& split : ReferenceSplits()) {
    units.push_back(
        std::make_shared<BenchUnit>(BenchUnit{split.name(), ReferenceUnit(split), ReferenceFeatures(split)}));
  }
  if (const char* const path = std::getenv("STRAIT_BENCH_MODEL"); path != nullptr) {
    STRAIT_ASSIGN_OR_RETURN(BenchUnit unit, ReadUnit(path));
    units.push_back(std::make_shared<BenchUnit>(std::move(unit)));
  }
  return units;
}

Result<std::vector<int16_t>> DrawSymbols(const EntropyModel& model, const Shape& latent_shape, int quality_code,
                                         uint32_t seed) {
  const auto count = static_cast<size_t>(NumElements(latent_shape));
  std::mt19937 random(seed);
  std::vector<uint8_t> bytes(4 * count + 64);  // more than they need: what is left over is an error of its own
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  std::vector<int16_t> symbols(count);
  SymbolBuffers buffers;
  const Status status = model.Decode(bytes, latent_shape, quality_code, buffers, symbols);
  if (status.ok() || status.message().find("left over") != std::string::npos) return symbols;
  return status;
}

}  // namespace strait
