#include "training/feature_cache.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "entropy/checksum.h"
#include "entropy/error.h"

namespace strait {
namespace {

// A file is a header of this size, JSON padded with spaces, then the tensors, each from a multiple of kAlignment
// on.
constexpr size_t kHeaderBytes = 8192;
constexpr size_t kAlignment = 64;
constexpr const char kFormat[] = "strait features 2";

struct CloseFile {
  void operator()(const int* fd) const {
    ::close(*fd);
    delete fd;
  }
};
using File = std::unique_ptr<int, CloseFile>;

Status SystemError(const char* what, const std::string& path, int code) {
  return Error(StatusCode::kIo, "cannot ", what, " ", path, ": ", std::strerror(code));
}

Status DamagedError(const std::string& path) {
  return Error(StatusCode::kCorrupt, path,
               ": damaged or not a feature cache; delete it, the next run makes it anew");
}

std::vector<int64_t> RowsLike(int64_t rows, const torch::Tensor& sample) {
  std::vector<int64_t> shape = sample.sizes().vec();
  shape[0] = rows;
  return shape;
}

// Where the tensors of a table of these shapes lie. `data` may be null: only the size is wanted then.
class Layout {
 public:
  explicit Layout(uint8_t* data) : data_(data) {}

  torch::Tensor Take(const std::vector<int64_t>& shape, torch::ScalarType type) {
    size_t bytes = elementSize(type);
    for (const int64_t size : shape) bytes *= static_cast<size_t>(size);
    const size_t begin = end_;
    end_ += (bytes + kAlignment - 1) / kAlignment * kAlignment;
    return data_ == nullptr ? torch::Tensor() : torch::from_blob(data_ + begin, shape, type);
  }
  size_t end() const { return end_; }

 private:
  uint8_t* data_;
  size_t end_ = kHeaderBytes;
};

struct TableShapes {
  std::vector<int64_t> features, logits, labels;
  std::vector<std::vector<int64_t>> stages;
};

size_t Place(const TableShapes& shapes, uint8_t* data, FeatureTable& table) {
  Layout layout(data);
  table.features = layout.Take(shapes.features, torch::kHalf);
  table.logits = layout.Take(shapes.logits, torch::kFloat);
  table.labels = layout.Take(shapes.labels, torch::kLong);
  table.stages.clear();
  for (const std::vector<int64_t>& stage : shapes.stages) table.stages.push_back(layout.Take(stage, torch::kHalf));
  return layout.end();
}

nlohmann::json HeaderOf(const FeatureTable& table, const std::string& description) {
  nlohmann::json stages = nlohmann::json::array();
  for (const torch::Tensor& stage : table.stages) stages.push_back(stage.sizes().vec());
  return {{"format", kFormat},
          {"description", description},
          {"views", table.views},
          {"stride", table.stride},
          {"samples", table.samples},
          {"features", table.features.sizes().vec()},
          {"stages", std::move(stages)},
          {"logits", table.logits.sizes().vec()},
          {"labels", table.labels.sizes().vec()}};
}

// nullopt where the header is not one of ours.
std::optional<TableShapes> ReadHeader(const uint8_t* data, const std::string& description, FeatureTable& table) {
  try {
    const nlohmann::json header = nlohmann::json::parse(data, data + kHeaderBytes);
    if (header.at("format") != kFormat || header.at("description") != description) return std::nullopt;
    TableShapes shapes;
    header.at("views").get_to(table.views);
    header.at("stride").get_to(table.stride);
    header.at("samples").get_to(table.samples);
    header.at("features").get_to(shapes.features);
    header.at("logits").get_to(shapes.logits);
    header.at("labels").get_to(shapes.labels);
    header.at("stages").get_to(shapes.stages);
    const int64_t rows = table.views * table.stride;
    const auto has_rows = [&](const std::vector<int64_t>& shape) { return !shape.empty() && shape[0] == rows; };
    bool sound = table.samples > 0 && table.samples <= table.stride && has_rows(shapes.features) &&
                 has_rows(shapes.logits) && has_rows(shapes.labels);
    for (const std::vector<int64_t>& stage : shapes.stages) sound = sound && has_rows(stage);
    if (sound) return shapes;
  } catch (const nlohmann::json::exception&) {
  }
  return std::nullopt;
}

}  // namespace

FeatureCache::FeatureCache(std::string folder, std::string description) : description_(std::move(description)) {
  if (folder.empty()) return;
  const std::string name = kFormat + description_;
  const uint64_t hash = Xxh3_64({reinterpret_cast<const uint8_t*>(name.data()), name.size()});
  path_ = fmt::format("{}/{:016x}.features", folder, hash);
}

FeatureCache::~FeatureCache() {
  if (data_ != nullptr) ::munmap(data_, bytes_);
  if (!unfinished_.empty()) ::unlink(unfinished_.c_str());
}

Status FeatureCache::Map(int fd, size_t bytes, bool writable) {
  void* const data = ::mmap(nullptr, bytes, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
  if (data == MAP_FAILED) return SystemError("map", path_, errno);
  data_ = static_cast<uint8_t*>(data);
  bytes_ = bytes;
  return Status();
}

Result<bool> FeatureCache::Load(FeatureTable& table) {
  if (path_.empty()) return false;
  const File file(new int(::open(path_.c_str(), O_RDONLY | O_CLOEXEC)));
  if (*file < 0) {
    if (errno == ENOENT) return false;
    return SystemError("read", path_, errno);
  }
  struct stat info {};
  if (::fstat(*file, &info) != 0) return SystemError("read", path_, errno);
  const auto size = static_cast<size_t>(info.st_size);
  if (size < kHeaderBytes) return DamagedError(path_);
  STRAIT_RETURN_IF_ERROR(Map(*file, size, /*writable=*/false));
  const std::optional<TableShapes> shapes = ReadHeader(data_, description_, table);
  FeatureTable unplaced;
  if (!shapes || Place(*shapes, nullptr, unplaced) != size) return DamagedError(path_);
  Place(*shapes, data_, table);
  return true;
}

Status FeatureCache::Allocate(const torch::Tensor& features, const torch::Tensor& logits,
                              const torch::Tensor& labels, const std::vector<torch::Tensor>& stages,
                              FeatureTable& table) {
  const int64_t rows = table.views * table.stride;
  TableShapes shapes{RowsLike(rows, features), RowsLike(rows, logits), RowsLike(rows, labels), {}};
  for (const torch::Tensor& stage : stages) shapes.stages.push_back(RowsLike(rows, stage));
  if (path_.empty()) {
    table.features = torch::empty(shapes.features, torch::kHalf);
    table.logits = torch::empty(shapes.logits, torch::kFloat);
    table.labels = torch::empty(shapes.labels, torch::kLong);
    for (const std::vector<int64_t>& stage : shapes.stages)
      table.stages.push_back(torch::empty(stage, torch::kHalf));
    return Status();
  }
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), error);
  unfinished_ = fmt::format("{}.{}.tmp", path_, ::getpid());
  const File file(new int(::open(unfinished_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666)));
  if (*file < 0) return SystemError("write", unfinished_, errno);
  FeatureTable unplaced;
  const size_t bytes = Place(shapes, nullptr, unplaced);
  // All of it now: a mapping that finds the disk full later would kill the process.
  if (const int code = ::posix_fallocate(*file, 0, static_cast<off_t>(bytes)); code != 0) {
    return Error(StatusCode::kIo, "data.cache: cannot keep ", bytes >> 20, " MiB in ", unfinished_, ": ",
                 std::strerror(code), "; free space, or leave data.cache out to keep features in memory");
  }
  STRAIT_RETURN_IF_ERROR(Map(*file, bytes, /*writable=*/true));
  Place(shapes, data_, table);
  return Status();
}

Status FeatureCache::Commit(const FeatureTable& table) {
  if (path_.empty()) return Status();
  const std::string header = HeaderOf(table, description_).dump();
  if (header.size() > kHeaderBytes) {
    return Error(StatusCode::kInvalidArgument, "data.cache: a recipe with names this long cannot be kept");
  }
  std::memset(data_, ' ', kHeaderBytes);
  std::memcpy(data_, header.data(), header.size());
  if (::msync(data_, bytes_, MS_SYNC) != 0) return SystemError("write", unfinished_, errno);
  if (::rename(unfinished_.c_str(), path_.c_str()) != 0) return SystemError("write", path_, errno);
  unfinished_.clear();
  return Status();
}

}  // namespace strait
