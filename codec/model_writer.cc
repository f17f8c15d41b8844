// Model files, outwards: a ModelSpec to a safetensors file.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "codec/json_reader.h"
#include "codec/model_format.h"
#include "codec/op_names.h"
#include "entropy/error.h"

namespace strait {
namespace {

using nlohmann::json;

// Tensors are copied as they lie in memory.
static_assert(std::endian::native == std::endian::little);

class TensorFile {
 public:
  template <typename T>
  void Add(const std::string& name, const char* dtype, const Shape& shape, const std::vector<T>& values) {
    Entry entry{name, dtype, shape, sizeof(T), std::vector<uint8_t>(values.size() * sizeof(T))};
    if (!values.empty()) std::memcpy(entry.bytes.data(), values.data(), entry.bytes.size());
    entries_.push_back(std::move(entry));
  }

  std::vector<uint8_t> Serialize(const std::string& manifest) {
    // Wide types first keeps every tensor aligned without padding, which safetensors forbids.
    std::ranges::sort(entries_, [](const Entry& a, const Entry& b) {
      return a.width != b.width ? a.width > b.width : a.name < b.name;
    });
    json header;
    header["__metadata__"][kManifestKey] = manifest;
    size_t offset = 0;
    for (const Entry& entry : entries_) {
      header[entry.name] = {
          {"dtype", entry.dtype}, {"shape", entry.shape}, {"data_offsets", {offset, offset + entry.bytes.size()}}};
      offset += entry.bytes.size();
    }
    std::string text = header.dump(-1, ' ', false, json::error_handler_t::replace);
    text.append((8 - text.size() % 8) % 8, ' ');

    std::vector<uint8_t> file(8);
    const uint64_t header_bytes = text.size();
    std::memcpy(file.data(), &header_bytes, 8);
    file.reserve(8 + text.size() + offset);
    file.insert(file.end(), text.begin(), text.end());
    for (const Entry& entry : entries_) file.insert(file.end(), entry.bytes.begin(), entry.bytes.end());
    return file;
  }

 private:
  struct Entry {
    std::string name;
    const char* dtype;
    Shape shape;
    size_t width;
    std::vector<uint8_t> bytes;
  };
  std::vector<Entry> entries_;
};

json Pair(const int (&values)[2]) { return json::array({values[0], values[1]}); }

json NullWhenNan(double value) { return std::isnan(value) ? json() : json(value); }

json WriteOp(const Op& op, size_t index, const std::string& prefix, TensorFile& file) {
  json out = {{"op", std::string(OpName(op.kind))}, {"src", SourcesOf(op, index)}};
  const std::string name = prefix + "." + std::to_string(index);
  const bool conv = op.kind == OpKind::kConv2d || op.kind == OpKind::kConvTranspose2d;
  if (conv || op.kind == OpKind::kLinear) {
    out["weight"] = name + ".weight";
    file.Add(name + ".weight", "F32", op.weight.shape, op.weight.data);
    if (!op.bias.data.empty()) {
      out["bias"] = name + ".bias";
      file.Add(name + ".bias", "F32", op.bias.shape, op.bias.data);
    }
  }
  if (conv) {
    out["stride"] = Pair(op.stride);
    out["padding"] = Pair(op.padding);
    out["groups"] = op.groups;
  }
  if (op.kind == OpKind::kConvTranspose2d) out["output_padding"] = Pair(op.output_padding);
  if (op.kind == OpKind::kLeakyRelu) out["slope"] = op.slope;
  if (op.kind == OpKind::kPixelShuffle) out["factor"] = op.factor;
  return out;
}

json WriteTransform(const Transform& transform, const std::string& prefix, TensorFile& file) {
  json ops = json::array();
  for (size_t i = 0; i < transform.size(); ++i) ops.push_back(WriteOp(transform[i], i, prefix, file));
  return ops;
}

void WriteGains(const std::string& name, const std::vector<std::vector<float>>& gains, TensorFile& file) {
  std::vector<float> flat;
  for (const std::vector<float>& level : gains) flat.insert(flat.end(), level.begin(), level.end());
  file.Add(name, "F32", {static_cast<int64_t>(gains.size()), static_cast<int64_t>(gains[0].size())}, flat);
}

void WriteTables(const std::vector<CdfTable>& tables, TensorFile& file) {
  std::vector<int32_t> min_symbol;
  std::vector<uint16_t> num_entries, freq;
  std::vector<uint8_t> has_escape;
  for (const CdfTable& table : tables) {
    min_symbol.push_back(table.min_symbol);
    num_entries.push_back(static_cast<uint16_t>(table.freq.size()));
    has_escape.push_back(table.has_escape ? 1 : 0);
    for (const uint32_t f : table.freq) freq.push_back(static_cast<uint16_t>(f - 1));
  }
  const auto num_tables = static_cast<int64_t>(tables.size());
  file.Add("cdf.min_symbol", "I32", {num_tables}, min_symbol);
  file.Add("cdf.num_entries", "U16", {num_tables}, num_entries);
  file.Add("cdf.has_escape", "U8", {num_tables}, has_escape);
  file.Add("cdf.freq", "U16", {static_cast<int64_t>(freq.size())}, freq);
}

}  // namespace

Result<std::vector<uint8_t>> SerializeModel(const ModelSpec& spec) {
  const Limits limits;
  STRAIT_RETURN_IF_ERROR(ValidateSpec(spec, limits));
  STRAIT_ASSIGN_OR_RETURN(json provenance, ParseJson(spec.provenance_json, "model provenance"));
  if (!provenance.is_object()) return Error(StatusCode::kCorrupt, "model provenance: wants a JSON object");

  TensorFile file;
  json manifest = {{"format_version", kModelFormatVersion}, {"feature_shape", spec.feature_shape},
                   {"latent_shape", spec.latent_shape},     {"precision", spec.precision},
                   {"sets_per_level", spec.sets_per_level}, {"provenance", std::move(provenance)}};
  manifest["analysis"] = WriteTransform(spec.analysis, "analysis", file);
  manifest["synthesis"] = WriteTransform(spec.synthesis, "synthesis", file);
  manifest["levels"] = json::array();
  for (const LevelInfo& level : spec.levels) {
    manifest["levels"].push_back({{"lambda", level.lambda},
                                  {"bytes_per_sample", NullWhenNan(level.bytes_per_sample)},
                                  {"top1", NullWhenNan(level.top1)}});
  }
  WriteGains("gain", spec.gain, file);
  WriteGains("inverse_gain", spec.inverse_gain, file);
  WriteTables(spec.tables, file);
  if (!spec.context.tables.empty()) {
    manifest["context"] = {{"weights", spec.context.weights}};
    const auto sets = static_cast<int64_t>(NumTableSets(spec.levels.size(), spec.sets_per_level));
    file.Add("context.tables", "U8", {sets, spec.latent_channels(), kContextCells}, spec.context.tables);
  }

  std::vector<uint8_t> bytes = file.Serialize(manifest.dump(-1, ' ', false, json::error_handler_t::replace));
  // The last word is the reader's, so that nothing is ever written that it would refuse.
  const Result<ModelSpec> reread = ParseModel(bytes, limits);
  if (!reread.ok()) return reread.status();
  return bytes;
}

}  // namespace strait
