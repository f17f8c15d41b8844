// Model files, inwards: a safetensors file to a ModelSpec. The bytes are hostile until proved sound.
#include <algorithm>
#include <bit>
#include <cfloat>
#include <cmath>
#include <cstring>
#include <map>

#include "codec/json_reader.h"
#include "codec/model_format.h"
#include "codec/op_names.h"
#include "entropy/error.h"

namespace strait {
namespace {

using nlohmann::json;

static_assert(std::endian::native == std::endian::little);

constexpr size_t kMaxTensorRank = 4;
constexpr size_t kMaxTransformOps = 1024;
constexpr int64_t kMaxInt = int64_t{1} << 30;  // of any integer in the manifest; ops narrow it further

// An array of at most max_rank dimensions of [1, max_dim].
Result<Shape> ReadDims(JsonObject& object, const char* key, size_t max_rank, int64_t max_dim) {
  STRAIT_ASSIGN_OR_RETURN(const std::vector<int64_t> dims, object.Ints(key, max_rank, 1, max_dim));
  return Shape(dims.begin(), dims.end());
}

// The tensors of the file. Each may be taken once: a tensor named by many ops would multiply memory.
class TensorDirectory {
 public:
  static Result<TensorDirectory> Parse(const json& header, std::span<const uint8_t> data) {
    TensorDirectory directory(data);
    for (const auto& [name, value] : header.items()) {
      if (name == "__metadata__") continue;
      STRAIT_RETURN_IF_ERROR(directory.AddEntry(name, value));
    }
    STRAIT_RETURN_IF_ERROR(directory.CheckCoverage());
    return directory;
  }

  template <typename T>
  Status Take(const std::string& name, const char* dtype, Shape& shape, std::vector<T>& values) {
    const auto found = entries_.find(name);
    if (found == entries_.end()) return Error(StatusCode::kCorrupt, "model tensor ", Clip(name), ": missing");
    Entry& entry = found->second;
    if (entry.taken) return Error(StatusCode::kCorrupt, "model tensor ", Clip(name), ": used twice");
    if (entry.dtype != dtype)
      return Error(StatusCode::kCorrupt, "model tensor ", Clip(name), ": wants ", dtype, ", has ", entry.dtype);
    entry.taken = true;
    shape = entry.shape;
    values.resize((entry.end - entry.begin) / sizeof(T));
    std::memcpy(values.data(), data_.data() + entry.begin, entry.end - entry.begin);
    return Status();
  }

  // One-dimensional tensor of `size` elements.
  template <typename T>
  Status TakeVector(const std::string& name, const char* dtype, size_t size, std::vector<T>& values) {
    Shape shape;
    STRAIT_RETURN_IF_ERROR(Take(name, dtype, shape, values));
    if (shape == Shape{static_cast<int64_t>(size)}) return Status();
    return Error(StatusCode::kCorrupt, "model tensor ", name, ": wants shape ", size, ", has ", ToString(shape));
  }

  Status CheckAllTaken() const {
    for (const auto& [name, entry] : entries_) {
      if (!entry.taken) return Error(StatusCode::kUnsupported, "model tensor ", Clip(name), ": no op uses it");
    }
    return Status();
  }

 private:
  struct Entry {
    std::string dtype;
    Shape shape;
    size_t begin = 0, end = 0;
    bool taken = false;
  };

  explicit TensorDirectory(std::span<const uint8_t> data) : data_(data) {}

  static std::string Clip(const std::string& name) {
    std::string quoted(1, '"');
    quoted.append(name, 0, 64);
    quoted.push_back('"');
    return quoted;
  }

  static size_t Width(const std::string& dtype) {
    if (dtype == "F32" || dtype == "I32") return 4;
    if (dtype == "U16") return 2;
    return dtype == "U8" ? 1 : 0;
  }

  Status AddEntry(const std::string& name, const json& value) {
    STRAIT_ASSIGN_OR_RETURN(JsonObject object, JsonObject::Of(value, "model tensor " + Clip(name)));
    Entry entry;
    STRAIT_ASSIGN_OR_RETURN(entry.dtype, object.String("dtype"));
    STRAIT_ASSIGN_OR_RETURN(entry.shape, ReadDims(object, "shape", kMaxTensorRank, INT64_MAX));
    STRAIT_ASSIGN_OR_RETURN(const std::vector<int64_t> offsets,
                            object.Ints("data_offsets", 2, 0, static_cast<int64_t>(data_.size())));
    STRAIT_RETURN_IF_ERROR(object.Finish());
    const size_t width = Width(entry.dtype);
    if (width == 0)
      return Error(StatusCode::kUnsupported, object.where(), ": dtype ", entry.dtype.substr(0, 8),
                   " is not used by Strait");
    if (offsets.size() != 2 || offsets[0] > offsets[1])
      return Error(StatusCode::kCorrupt, object.where(), ": data_offsets want begin <= end");
    entry.begin = static_cast<size_t>(offsets[0]);
    entry.end = static_cast<size_t>(offsets[1]);
    const int64_t elements = NumElements(entry.shape);
    if (elements < 0 || (entry.end - entry.begin) % width != 0 ||
        static_cast<uint64_t>(elements) != (entry.end - entry.begin) / width) {
      return Error(StatusCode::kCorrupt, object.where(), ": shape ", ToString(entry.shape), " does not fill ",
                   entry.end - entry.begin, " bytes of ", entry.dtype);
    }
    entries_.emplace(name, std::move(entry));
    return Status();
  }

  // Tensors cover the data without overlap or hole, as safetensors asks.
  Status CheckCoverage() const {
    std::vector<std::pair<size_t, size_t>> ranges;
    for (const auto& [name, entry] : entries_) ranges.emplace_back(entry.begin, entry.end);
    std::ranges::sort(ranges);
    size_t covered = 0;
    for (const auto& [begin, end] : ranges) {
      if (begin != covered) {
        return Error(StatusCode::kCorrupt, "model tensors: ", begin > covered ? "hole" : "overlap",
                     " at data byte ", std::min(begin, covered));
      }
      covered = end;
    }
    if (covered < data_.size())
      return Error(StatusCode::kCorrupt, "model tensors: ", data_.size() - covered, " bytes after the last one");
    return Status();
  }

  std::span<const uint8_t> data_;
  std::map<std::string, Entry> entries_;
};

Status ReadPair(JsonObject& object, const char* key, int (&dst)[2]) {
  STRAIT_ASSIGN_OR_RETURN(const std::vector<int64_t> values, object.Ints(key, 2, 0, kMaxInt));
  if (values.size() != 2) return Error(StatusCode::kCorrupt, object.where(), ": \"", key, "\" wants two integers");
  dst[0] = static_cast<int>(values[0]);
  dst[1] = static_cast<int>(values[1]);
  return Status();
}

Status ReadWeights(JsonObject& object, TensorDirectory& tensors, Op& op) {
  STRAIT_ASSIGN_OR_RETURN(const std::string weight, object.String("weight"));
  STRAIT_RETURN_IF_ERROR(tensors.Take(weight, "F32", op.weight.shape, op.weight.data));
  if (!object.Has("bias")) return Status();
  STRAIT_ASSIGN_OR_RETURN(const std::string bias, object.String("bias"));
  return tensors.Take(bias, "F32", op.bias.shape, op.bias.data);
}

Result<Op> ReadOp(const json& value, const std::string& where, TensorDirectory& tensors) {
  STRAIT_ASSIGN_OR_RETURN(JsonObject object, JsonObject::Of(value, where));
  STRAIT_ASSIGN_OR_RETURN(const std::string name, object.String("op"));
  const std::optional<OpKind> kind = OpKindOf(name);
  if (!kind)
    return Error(StatusCode::kUnsupported, where, ": op \"", name.substr(0, 64), "\" is unknown to this build");
  Op op;
  op.kind = *kind;
  STRAIT_ASSIGN_OR_RETURN(const std::vector<int64_t> sources, object.Ints("src", 2, 0, kMaxTransformOps));
  if (sources.empty()) return Error(StatusCode::kCorrupt, where, ": \"src\" is empty");
  op.src.assign(sources.begin(), sources.end());
  const bool conv = *kind == OpKind::kConv2d || *kind == OpKind::kConvTranspose2d;
  if (conv || *kind == OpKind::kLinear) STRAIT_RETURN_IF_ERROR(ReadWeights(object, tensors, op));
  if (conv) {
    STRAIT_RETURN_IF_ERROR(ReadPair(object, "stride", op.stride));
    STRAIT_RETURN_IF_ERROR(ReadPair(object, "padding", op.padding));
    STRAIT_ASSIGN_OR_RETURN(const int64_t groups, object.Int("groups", 1, kMaxInt));
    op.groups = static_cast<int>(groups);
  }
  if (*kind == OpKind::kConvTranspose2d)
    STRAIT_RETURN_IF_ERROR(ReadPair(object, "output_padding", op.output_padding));
  if (*kind == OpKind::kLeakyRelu) {
    STRAIT_ASSIGN_OR_RETURN(const double slope, object.Number("slope"));
    if (std::abs(slope) > FLT_MAX) return Error(StatusCode::kCorrupt, where, ": \"slope\" does not fit float32");
    op.slope = static_cast<float>(slope);
  }
  if (*kind == OpKind::kPixelShuffle) {
    STRAIT_ASSIGN_OR_RETURN(const int64_t factor, object.Int("factor", 1, kMaxInt));
    op.factor = static_cast<int>(factor);
  }
  STRAIT_RETURN_IF_ERROR(object.Finish());
  return op;
}

Status ReadTransform(JsonObject& manifest, const char* key, TensorDirectory& tensors, Transform& dst) {
  STRAIT_ASSIGN_OR_RETURN(const json* ops, manifest.Array(key, kMaxTransformOps));
  for (size_t i = 0; i < ops->size(); ++i) {
    const std::string where = std::string("model ") + key + " op " + std::to_string(i);
    STRAIT_ASSIGN_OR_RETURN(Op op, ReadOp((*ops)[i], where, tensors));
    dst.push_back(std::move(op));
  }
  return Status();
}

Status ReadLevels(JsonObject& manifest, std::vector<LevelInfo>& dst) {
  STRAIT_ASSIGN_OR_RETURN(const json* levels, manifest.Array("levels", kMaxLevels));
  for (size_t i = 0; i < levels->size(); ++i) {
    STRAIT_ASSIGN_OR_RETURN(JsonObject object, JsonObject::Of((*levels)[i], "model level " + std::to_string(i)));
    LevelInfo level;
    STRAIT_ASSIGN_OR_RETURN(level.lambda, object.Number("lambda"));
    STRAIT_ASSIGN_OR_RETURN(level.bytes_per_sample, object.Number("bytes_per_sample", /*nullable=*/true));
    STRAIT_ASSIGN_OR_RETURN(level.top1, object.Number("top1", /*nullable=*/true));
    STRAIT_RETURN_IF_ERROR(object.Finish());
    dst.push_back(level);
  }
  return Status();
}

Status ReadGains(const char* name, TensorDirectory& tensors, std::vector<std::vector<float>>& dst) {
  Shape shape;
  std::vector<float> flat;
  STRAIT_RETURN_IF_ERROR(tensors.Take(name, "F32", shape, flat));
  if (shape.size() != 2)
    return Error(StatusCode::kCorrupt, "model tensor ", name, ": wants {levels, channels}, has ", ToString(shape));
  for (int64_t level = 0; level < shape[0]; ++level) {
    const auto row = flat.begin() + level * shape[1];
    dst.emplace_back(row, row + shape[1]);
  }
  return Status();
}

Status ReadTables(TensorDirectory& tensors, std::vector<CdfTable>& dst) {
  Shape shape;
  std::vector<int32_t> min_symbol;
  std::vector<uint16_t> num_entries, freq;
  std::vector<uint8_t> has_escape;
  STRAIT_RETURN_IF_ERROR(tensors.Take("cdf.min_symbol", "I32", shape, min_symbol));
  STRAIT_RETURN_IF_ERROR(tensors.TakeVector("cdf.num_entries", "U16", min_symbol.size(), num_entries));
  STRAIT_RETURN_IF_ERROR(tensors.TakeVector("cdf.has_escape", "U8", min_symbol.size(), has_escape));
  STRAIT_RETURN_IF_ERROR(tensors.Take("cdf.freq", "U16", shape, freq));
  size_t offset = 0;
  for (size_t i = 0; i < min_symbol.size(); ++i) {
    if (has_escape[i] > 1)
      return Error(StatusCode::kCorrupt, "model table ", i, ": has_escape is ", int{has_escape[i]});
    if (num_entries[i] > freq.size() - offset) {
      return Error(StatusCode::kCorrupt, "model table ", i, ": needs ", num_entries[i], " frequencies, ",
                   freq.size() - offset, " are left");
    }
    CdfTable table{min_symbol[i], has_escape[i] != 0, std::vector<uint32_t>(num_entries[i])};
    for (uint32_t& f : table.freq) f = uint32_t{freq[offset++]} + 1;
    dst.push_back(std::move(table));
  }
  if (offset != freq.size())
    return Error(StatusCode::kCorrupt, "model tables: ", freq.size() - offset, " frequencies too many");
  return Status();
}

Status ReadContext(JsonObject& manifest, TensorDirectory& tensors, ModelSpec& spec) {
  if (!manifest.Has("context")) return Status();
  STRAIT_ASSIGN_OR_RETURN(const json* value, manifest.Get("context"));
  STRAIT_ASSIGN_OR_RETURN(JsonObject context, JsonObject::Of(*value, "model context"));
  STRAIT_ASSIGN_OR_RETURN(const std::vector<int64_t> weights,
                          context.Ints("weights", kNumNeighbours, -kMaxContextWeight, kMaxContextWeight));
  STRAIT_RETURN_IF_ERROR(context.Finish());
  if (weights.size() != kNumNeighbours) {
    return Error(StatusCode::kCorrupt, "model context: wants ", int{kNumNeighbours}, " weights, has ",
                 weights.size());
  }
  for (size_t i = 0; i < weights.size(); ++i) spec.context.weights[i] = static_cast<int>(weights[i]);
  const auto sets = static_cast<int64_t>(NumTableSets(spec.levels.size(), spec.sets_per_level));
  const Shape want = {sets, spec.latent_channels(), kContextCells};
  Shape shape;
  STRAIT_RETURN_IF_ERROR(tensors.Take("context.tables", "U8", shape, spec.context.tables));
  if (shape == want) return Status();
  return Error(StatusCode::kCorrupt, "model tensor context.tables: wants shape ", ToString(want), ", has ",
               ToString(shape));
}

Status ReadManifest(const std::string& text, TensorDirectory& tensors, ModelSpec& spec) {
  STRAIT_ASSIGN_OR_RETURN(const json parsed, ParseJson(text, "model manifest"));
  STRAIT_ASSIGN_OR_RETURN(JsonObject manifest, JsonObject::Of(parsed, "model manifest"));
  STRAIT_ASSIGN_OR_RETURN(const int64_t version, manifest.Int("format_version", 0, kMaxInt));
  if (version != kModelFormatVersion) {
    return Error(StatusCode::kUnsupported, "model manifest: format version ", version, ", this build reads ",
                 kModelFormatVersion);
  }
  STRAIT_ASSIGN_OR_RETURN(spec.feature_shape, ReadDims(manifest, "feature_shape", 3, kMaxInt));
  STRAIT_ASSIGN_OR_RETURN(spec.latent_shape, ReadDims(manifest, "latent_shape", 3, kMaxInt));
  STRAIT_ASSIGN_OR_RETURN(const int64_t sets, manifest.Int("sets_per_level", 1, kMaxSetsPerLevel));
  STRAIT_ASSIGN_OR_RETURN(const int64_t precision, manifest.Int("precision", kMinPrecision, kMaxPrecision));
  spec.sets_per_level = static_cast<int>(sets);
  spec.precision = static_cast<int>(precision);
  STRAIT_RETURN_IF_ERROR(ReadLevels(manifest, spec.levels));
  STRAIT_ASSIGN_OR_RETURN(const json* provenance, manifest.Get("provenance"));
  if (!provenance->is_object())
    return Error(StatusCode::kCorrupt, "model manifest: \"provenance\" wants an object");
  spec.provenance_json = provenance->dump(-1, ' ', false, json::error_handler_t::replace);
  STRAIT_RETURN_IF_ERROR(ReadTransform(manifest, "analysis", tensors, spec.analysis));
  STRAIT_RETURN_IF_ERROR(ReadTransform(manifest, "synthesis", tensors, spec.synthesis));
  STRAIT_RETURN_IF_ERROR(ReadContext(manifest, tensors, spec));
  return manifest.Finish();
}

}  // namespace

Result<ParsedModel> ParseModelFile(std::span<const uint8_t> bytes, const Limits& limits) {
  if (limits.max_model_bytes < 0 || bytes.size() > static_cast<uint64_t>(limits.max_model_bytes)) {
    return Error(StatusCode::kLimitExceeded, "model: ", bytes.size(), " bytes, at most ", limits.max_model_bytes,
                 " allowed");
  }
  if (bytes.size() < 8)
    return Error(StatusCode::kTruncated, "model: need 8 bytes of header length, have ", bytes.size());
  uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data(), 8);
  if (header_bytes > kMaxModelHeaderBytes) {
    return Error(StatusCode::kCorrupt, "model: header of ", header_bytes, " bytes, at most ", kMaxModelHeaderBytes,
                 "; is this a Strait model file?");
  }
  if (header_bytes > bytes.size() - 8) {
    return Error(StatusCode::kTruncated, "model: need ", header_bytes, " bytes of header, have ", bytes.size() - 8);
  }
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + 8, header_bytes);
  STRAIT_ASSIGN_OR_RETURN(const json header, ParseJson(text, "model header"));
  if (!header.is_object()) return Error(StatusCode::kCorrupt, "model header: wants a JSON object");
  const auto metadata = header.find("__metadata__");
  if (metadata == header.end() || !metadata->is_object() || !metadata->contains(kManifestKey)) {
    return Error(StatusCode::kUnsupported, "model header: no manifest under __metadata__.", kManifestKey,
                 "; this safetensors file was not written by Strait");
  }
  STRAIT_ASSIGN_OR_RETURN(JsonObject metadata_object, JsonObject::Of(*metadata, "model __metadata__"));
  ParsedModel model;
  STRAIT_ASSIGN_OR_RETURN(model.manifest, metadata_object.String(kManifestKey));
  STRAIT_RETURN_IF_ERROR(metadata_object.Finish());

  STRAIT_ASSIGN_OR_RETURN(TensorDirectory tensors, TensorDirectory::Parse(header, bytes.subspan(8 + header_bytes)));
  STRAIT_RETURN_IF_ERROR(ReadManifest(model.manifest, tensors, model.spec));
  STRAIT_RETURN_IF_ERROR(ReadGains("gain", tensors, model.spec.gain));
  STRAIT_RETURN_IF_ERROR(ReadGains("inverse_gain", tensors, model.spec.inverse_gain));
  STRAIT_RETURN_IF_ERROR(ReadTables(tensors, model.spec.tables));
  STRAIT_RETURN_IF_ERROR(tensors.CheckAllTaken());
  STRAIT_RETURN_IF_ERROR(ValidateSpec(model.spec, limits));
  return model;
}

Result<ModelSpec> ParseModel(std::span<const uint8_t> bytes, const Limits& limits) {
  STRAIT_ASSIGN_OR_RETURN(ParsedModel model, ParseModelFile(bytes, limits));
  return std::move(model.spec);
}

}  // namespace strait
