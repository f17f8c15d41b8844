#include "datasets/loader.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <numeric>
#include <thread>

#include "datasets/augment.h"
#include "datasets/random.h"
#include "entropy/error.h"

namespace strait {
namespace {

// The order and the augmentation draw from different streams of the same seed.
constexpr uint64_t kOrderIndex = ~uint64_t{0};

std::vector<size_t> MakeOrder(size_t size, bool shuffle, uint64_t seed, uint64_t epoch) {
  std::vector<size_t> order(size);
  std::iota(order.begin(), order.end(), size_t{0});
  if (!shuffle) return order;
  Random random(seed, epoch, kOrderIndex);
  for (size_t i = size; i > 1; --i) std::swap(order[i - 1], order[random.Next() % i]);
  return order;
}

// One finished batch, or the error that ends the pass when its turn comes.
struct Prepared {
  Status status;
  Batch batch;
  std::vector<std::string> skipped;
};

}  // namespace

// Each worker builds whole batches, batch b from positions [b * batch_size, (b + 1) * batch_size) of the order,
// so what is in a batch never depends on which worker made it or when. Everything the caller can observe (skips,
// the 1 % rule, errors) is counted in batch order by Next().
struct Loader::Impl {
  Impl(const Dataset& source, const Preprocess& how, const LoaderOptions& with, uint64_t epoch_number)
      : dataset(source), preprocess(how), options(with), epoch(epoch_number) {}

  Status Start();
  void Work();
  Prepared Build(size_t batch_index) const;
  Status Append(size_t index, Batch* batch, size_t capacity) const;
  Status CountSkipped(std::vector<std::string> names);

  const Dataset& dataset;
  const Preprocess preprocess;
  const LoaderOptions options;
  const uint64_t epoch;
  std::vector<size_t> order;
  size_t num_batches = 0;
  size_t window = 0;  // how many batches may be in work or ready beyond the one the caller waits for

  mutable std::mutex mutex;
  std::condition_variable ready;   // a batch was finished
  std::condition_variable wanted;  // the window moved, or stop
  std::map<size_t, Prepared> finished;
  size_t next_to_build = 0;
  size_t next_to_give = 0;
  bool stop = false;
  Status failure;
  std::vector<std::string> skipped;
  std::vector<std::thread> workers;
};

Status Loader::Impl::Start() {
  STRAIT_RETURN_IF_ERROR(ValidatePreprocess(preprocess));
  if (options.batch_size < 1 || options.threads < 1 || options.prefetch_batches < 1) {
    return Error(StatusCode::kInvalidArgument,
                 "loader: wanted batch_size, threads and prefetch_batches of at least 1, got ", options.batch_size,
                 ", ", options.threads, " and ", options.prefetch_batches);
  }
  order = MakeOrder(dataset.size(), options.shuffle, options.seed, epoch);
  const size_t batch_size = static_cast<size_t>(options.batch_size);
  num_batches = options.drop_last ? order.size() / batch_size : (order.size() + batch_size - 1) / batch_size;
  window = static_cast<size_t>(std::max(options.prefetch_batches, options.threads));
  const size_t num_threads = std::min<size_t>(options.threads, num_batches);
  for (size_t i = 0; i < num_threads; ++i) workers.emplace_back([this] { Work(); });
  return Status();
}

void Loader::Impl::Work() {
  std::unique_lock lock(mutex);
  while (true) {
    wanted.wait(lock,
                [this] { return stop || next_to_build >= num_batches || next_to_build < next_to_give + window; });
    if (stop || next_to_build >= num_batches) return;
    const size_t batch_index = next_to_build++;
    lock.unlock();
    Prepared prepared;
    try {
      prepared = Build(batch_index);
    } catch (const std::exception& e) {
      prepared.status = Error(StatusCode::kInternal, "loader: batch ", batch_index, ": ", e.what());
    }
    lock.lock();
    finished.emplace(batch_index, std::move(prepared));
    ready.notify_one();
  }
}

Prepared Loader::Impl::Build(size_t batch_index) const {
  const size_t begin = batch_index * options.batch_size;
  const size_t end = std::min(order.size(), begin + options.batch_size);
  Prepared prepared;
  for (size_t at = begin; at < end; ++at) {
    {
      const std::lock_guard lock(mutex);
      if (stop) return prepared;  // the destructor waits for at most one image a worker
    }
    const Status status = Append(order[at], &prepared.batch, end - begin);
    if (status.code() == StatusCode::kCorrupt) {
      prepared.skipped.push_back(status.message());
    } else if (!status.ok()) {
      prepared.status = status;
      return prepared;
    }
  }
  Batch& batch = prepared.batch;
  batch.pixels.resize(size_t{3} * batch.size * batch.height * batch.width);
  return prepared;
}

Status Loader::Impl::Append(size_t index, Batch* batch, size_t capacity) const {
  STRAIT_ASSIGN_OR_RETURN(Sample sample, dataset.Get(index));
  Random random(options.seed, epoch, index);
  STRAIT_ASSIGN_OR_RETURN(sample, PreprocessSample(std::move(sample), preprocess, random));
  const size_t plane = static_cast<size_t>(sample.image.height) * sample.image.width;
  if (batch->size == 0) {
    batch->height = sample.image.height;
    batch->width = sample.image.width;
    batch->pixels.resize(3 * plane * capacity);
  } else if (sample.image.height != batch->height || sample.image.width != batch->width) {
    return Error(StatusCode::kInvalidArgument, "loader: image ", index, " is ", sample.image.height, "x",
                 sample.image.width, ", image ", batch->indices.front(), " of the same batch ", batch->height, "x",
                 batch->width, ": set resize and crop to bring them to one size");
  }
  if (!sample.mask.empty() && sample.mask.size() != plane) {
    return Error(StatusCode::kInvalidArgument, "loader: mask of image ", index, " has ", sample.mask.size(),
                 " values, the image ", plane, " pixels");
  }
  if (batch->size > 0 && sample.mask.empty() != batch->masks.empty()) {
    return Error(StatusCode::kInvalidArgument, "loader: image ", index, sample.mask.empty() ? " lacks" : " has",
                 " a mask, unlike image ", batch->indices.front(), " of the same batch");
  }
  Normalize(sample.image, preprocess, batch->pixels.data() + 3 * plane * batch->size);
  batch->masks.insert(batch->masks.end(), sample.mask.begin(), sample.mask.end());
  batch->labels.push_back(sample.label);
  batch->indices.push_back(index);
  ++batch->size;
  return Status();
}

Status Loader::Impl::CountSkipped(std::vector<std::string> names) {
  std::move(names.begin(), names.end(), std::back_inserter(skipped));
  if (skipped.size() * 100 <= dataset.size()) return Status();
  return Error(StatusCode::kCorrupt, "data set: ", skipped.size(), " corrupt of ", dataset.size(),
               " images so far, at most 1 % are skipped; the first: ", skipped.front());
}

Loader::Loader(const Dataset& dataset, const Preprocess& preprocess, const LoaderOptions& options, uint64_t epoch)
    : impl_(std::make_unique<Impl>(dataset, preprocess, options, epoch)) {
  impl_->failure = impl_->Start();
}

Loader::~Loader() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stop = true;
  }
  impl_->wanted.notify_all();
  for (std::thread& worker : impl_->workers) worker.join();
}

Result<std::optional<Batch>> Loader::Next() {
  Impl& impl = *impl_;
  std::unique_lock lock(impl.mutex);
  while (impl.failure.ok() && impl.next_to_give < impl.num_batches) {
    impl.ready.wait(lock, [&impl] { return impl.finished.count(impl.next_to_give) != 0; });
    Prepared prepared = std::move(impl.finished.extract(impl.next_to_give).mapped());
    ++impl.next_to_give;
    impl.wanted.notify_all();
    impl.failure = impl.CountSkipped(std::move(prepared.skipped));
    if (impl.failure.ok()) impl.failure = prepared.status;
    if (!impl.failure.ok()) {
      impl.stop = true;
      impl.wanted.notify_all();
    } else if (prepared.batch.size > 0) {
      return std::optional<Batch>(std::move(prepared.batch));
    }
  }
  if (!impl.failure.ok()) return impl.failure;
  return std::optional<Batch>();
}

std::vector<std::string> Loader::skipped() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->skipped;
}

}  // namespace strait
