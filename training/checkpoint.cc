#include "training/checkpoint.h"

#include <torch/serialize.h>

#include <cstring>
#include <exception>
#include <span>
#include <vector>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "codec/file_io.h"
#include "entropy/error.h"

namespace strait {
namespace {

constexpr int64_t kFormatVersion = 1;

torch::Tensor BytesToTensor(const std::string& bytes) {
  torch::Tensor tensor = torch::empty({static_cast<int64_t>(bytes.size())}, torch::kUInt8);
  if (!bytes.empty()) std::memcpy(tensor.data_ptr(), bytes.data(), bytes.size());
  return tensor;
}

std::string TensorToBytes(const torch::Tensor& tensor) {
  TORCH_CHECK(tensor.scalar_type() == torch::kUInt8 && tensor.is_contiguous(), "byte string expected");
  return std::string(static_cast<const char*>(tensor.data_ptr()), static_cast<size_t>(tensor.numel()));
}

class Hash {
 public:
  void Add(const void* data, size_t size) {
    value_ = size == 0 ? value_ + 1 : XXH3_64bits_withSeed(data, size, value_);
  }
  void Add(const std::string& text) {
    Add(static_cast<int64_t>(text.size()));
    Add(text.data(), text.size());
  }
  void Add(int64_t number) { Add(&number, sizeof number); }
  int64_t value() const { return static_cast<int64_t>(value_); }

 private:
  uint64_t value_ = 0;
};

// LibTorch's zip reader is built without CRC checks, so the contents carry their own. Tensors are contiguous, on
// the CPU.
int64_t Checksum(const Checkpoint& checkpoint) {
  Hash hash;
  hash.Add(checkpoint.step);
  hash.Add(checkpoint.epoch);
  for (const std::string* text : {&checkpoint.recipe_toml, &checkpoint.optimizer_state, &checkpoint.rng_state}) {
    hash.Add(*text);
  }
  for (const auto& [name, tensor] : checkpoint.tensors) {
    hash.Add(name);
    hash.Add(static_cast<int64_t>(tensor.scalar_type()));
    hash.Add(tensor.dim());
    for (const int64_t size : tensor.sizes()) hash.Add(size);
    hash.Add(tensor.data_ptr(), tensor.nbytes());
  }
  return hash.value();
}

std::vector<char> Serialize(const Checkpoint& checkpoint) {
  Checkpoint plain = checkpoint;  // copies handles, not storage
  c10::Dict<std::string, at::Tensor> tensors;
  for (auto& [name, tensor] : plain.tensors) {
    // clone: a view would drag its whole storage into the file.
    tensor = tensor.detach().to(torch::kCPU).clone(torch::MemoryFormat::Contiguous);
    tensors.insert(name, tensor);
  }
  c10::impl::GenericDict root(c10::StringType::get(), c10::AnyType::get());
  root.insert("format_version", kFormatVersion);
  root.insert("step", plain.step);
  root.insert("epoch", plain.epoch);
  root.insert("recipe_toml", plain.recipe_toml);
  root.insert("optimizer_state", BytesToTensor(plain.optimizer_state));
  root.insert("rng_state", BytesToTensor(plain.rng_state));
  root.insert("tensors", tensors);
  root.insert("checksum", Checksum(plain));
  return torch::pickle_save(root);
}

// Throws what LibTorch throws when the bytes are not a checkpoint.
Checkpoint Deserialize(const std::vector<char>& bytes) {
  const c10::impl::GenericDict root = torch::pickle_load(bytes).toGenericDict();
  const int64_t version = root.at("format_version").toInt();
  TORCH_CHECK(version == kFormatVersion, "format version ", version, ", this build reads ", kFormatVersion);
  Checkpoint checkpoint;
  checkpoint.step = root.at("step").toInt();
  checkpoint.epoch = root.at("epoch").toInt();
  checkpoint.recipe_toml = root.at("recipe_toml").toStringRef();
  checkpoint.optimizer_state = TensorToBytes(root.at("optimizer_state").toTensor());
  checkpoint.rng_state = TensorToBytes(root.at("rng_state").toTensor());
  for (const auto& entry : root.at("tensors").toGenericDict()) {
    checkpoint.tensors[entry.key().toStringRef()] = entry.value().toTensor().contiguous();
  }
  TORCH_CHECK(Checksum(checkpoint) == root.at("checksum").toInt(), "checksum mismatch");
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
  std::string reason;
  try {
    return Deserialize(std::vector<char>(bytes.begin(), bytes.end()));
  } catch (const c10::Error& error) {
    reason = FirstLine(error.what_without_backtrace());
  } catch (const std::exception& error) {
    reason = FirstLine(error.what());
  }
  return Error(StatusCode::kCorrupt, path, ": not a sound checkpoint (", reason,
               "); restore the file or start again without --resume");
}

}  // namespace strait
