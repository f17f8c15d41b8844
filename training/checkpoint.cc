#include "training/checkpoint.h"

#include <torch/serialize.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <span>
#include <string_view>
#include <vector>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "codec/file_io.h"
#include "entropy/error.h"

namespace strait {
namespace {

// 1 was of runs that trained one level a step, 2 of runs whose levels weighed the same.
constexpr int64_t kFormatVersion = 3;

torch::Tensor BytesToTensor(const std::string& bytes) {
  torch::Tensor tensor = torch::empty({static_cast<int64_t>(bytes.size())}, torch::kUInt8);
  if (!bytes.empty()) std::memcpy(tensor.data_ptr(), bytes.data(), bytes.size());
  return tensor;
}

std::string TensorToBytes(const torch::Tensor& tensor) {
  TORCH_CHECK(tensor.scalar_type() == torch::kUInt8 && tensor.is_contiguous(), "byte string expected");
  return std::string(static_cast<const char*>(tensor.data_ptr()), static_cast<size_t>(tensor.numel()));
}

// LibTorch's reader trusts what it reads (its zip reader checks no CRC, its vector reader no bounds), so the file
// ends in a checksum of all before it, which is verified first. It stands in the comment that a zip archive may end
// with.
constexpr std::string_view kMagic = "STRAITCK";
constexpr size_t kTrailerBytes = kMagic.size() + sizeof(uint64_t);

void AppendTrailer(std::vector<char>* zip) {
  // The last field of a zip archive is the length of its comment, 16 bit little endian, 0 as LibTorch writes it.
  TORCH_CHECK(zip->size() > 2 && zip->back() == 0 && (*zip)[zip->size() - 2] == 0,
              "zip archive without comment expected");
  (*zip)[zip->size() - 2] = static_cast<char>(kTrailerBytes);
  uint64_t hash = XXH3_64bits(zip->data(), zip->size());
  zip->insert(zip->end(), kMagic.begin(), kMagic.end());
  for (size_t i = 0; i < sizeof hash; ++i, hash >>= 8) zip->push_back(static_cast<char>(hash & 0xff));
}

// Empty when sound, else the reason.
std::string CheckTrailer(std::span<const uint8_t> file) {
  if (file.size() <= kTrailerBytes) return "only " + std::to_string(file.size()) + " bytes";
  const std::span<const uint8_t> trailer = file.last(kTrailerBytes);
  if (!std::equal(kMagic.begin(), kMagic.end(), trailer.begin())) return "its end is missing";
  uint64_t hash = 0;
  for (size_t i = kTrailerBytes; i-- > kMagic.size();) hash = hash << 8 | trailer[i];
  if (hash != XXH3_64bits(file.data(), file.size() - kTrailerBytes)) return "checksum mismatch";
  return "";
}

std::vector<char> Serialize(const Checkpoint& checkpoint) {
  c10::Dict<std::string, at::Tensor> tensors;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    // clone: a view would drag its whole storage into the file.
    tensors.insert(name, tensor.detach().to(torch::kCPU).clone(torch::MemoryFormat::Contiguous));
  }
  c10::impl::GenericDict root(c10::StringType::get(), c10::AnyType::get());
  root.insert("format_version", kFormatVersion);
  root.insert("step", checkpoint.step);
  root.insert("train_samples", checkpoint.train_samples);
  root.insert("backbone_hash", checkpoint.backbone_hash);
  root.insert("recipe_toml", checkpoint.recipe_toml);
  root.insert("optimizer_state", BytesToTensor(checkpoint.optimizer_state));
  root.insert("tensors", tensors);
  std::vector<char> bytes = torch::pickle_save(root);
  AppendTrailer(&bytes);
  return bytes;
}

// Throws what LibTorch throws when the bytes are not a checkpoint.
Checkpoint Deserialize(const std::vector<char>& bytes) {
  const c10::impl::GenericDict root = torch::pickle_load(bytes).toGenericDict();
  const int64_t version = root.at("format_version").toInt();
  TORCH_CHECK(version == kFormatVersion, "format version ", version, ", this build reads ", kFormatVersion);
  Checkpoint checkpoint;
  checkpoint.step = root.at("step").toInt();
  checkpoint.train_samples = root.at("train_samples").toInt();
  checkpoint.backbone_hash = root.at("backbone_hash").toStringRef();
  checkpoint.recipe_toml = root.at("recipe_toml").toStringRef();
  checkpoint.optimizer_state = TensorToBytes(root.at("optimizer_state").toTensor());
  for (const auto& entry : root.at("tensors").toGenericDict()) {
    checkpoint.tensors[entry.key().toStringRef()] = entry.value().toTensor().contiguous();
  }
  return checkpoint;
}

std::string FirstLine(const char* text) {
  const std::string all(text);
  return all.substr(0, all.find('\n'));
}

}  // namespace

Status SaveCheckpoint(const std::string& path, const Checkpoint& checkpoint) {
  std::vector<char> bytes;
  try {
    bytes = Serialize(checkpoint);
  } catch (const std::exception& error) {
    return Error(StatusCode::kInternal, path, ": cannot serialise the checkpoint: ", FirstLine(error.what()));
  }
  return WriteFileAtomic(path, {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
}

Result<Checkpoint> LoadCheckpoint(const std::string& path) {
  STRAIT_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, ReadFile(path));
  std::string reason = CheckTrailer(bytes);
  try {
    if (reason.empty()) return Deserialize(std::vector<char>(bytes.begin(), bytes.end()));
  } catch (const c10::Error& error) {
    reason = FirstLine(error.what_without_backtrace());
  } catch (const std::exception& error) {
    reason = FirstLine(error.what());
  }
  return Error(StatusCode::kCorrupt, path, ": not a sound checkpoint (", reason,
               "); restore the file or start a new run with another --out");
}

}  // namespace strait
