#include "planner/measure.h"

#include <fmt/format.h>
#include <torch/script.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <functional>
#include <memory>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <optional>
#include <thread>

#include "codec/plan_spec.h"
#include "datasets/loader.h"
#include "entropy/error.h"
#include "planner/clock_control.h"
#include "planner/energy_meter.h"
#include "planner/run_units.h"
#include "strait/strait.hpp"
#include "training/backbone.h"
#include "training/interrupt.h"
#include "training/recipe.h"
#include "training/run_log.h"
#include "training/run_models.h"
#include "training/source_data.h"
#include "training/torch_shape.h"
#include "training/torch_status.h"

namespace strait {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWarmups = 3;             // LibTorch specialises a graph in its first runs
constexpr double kLeastSeconds = 5e-4;  // of what is timed at once: shorter tasks run several times
constexpr double kMeterSeconds = 0.05;  // of what an energy counter is read around; it ticks every millisecond
constexpr int kMaxRepeats = 64;

double SecondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

std::string ProcessorName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("model name", 0) == 0 && line.find(": ") != std::string::npos)
      return line.substr(line.find(": ") + 2);
  }
  return "unknown processor";
}

struct Unit {
  std::string split;
  std::shared_ptr<const Model> model;
  SplitNetwork network;
};

struct Setup {
  Recipe recipe;
  Backbone backbone;
  std::vector<Unit> units;
  std::vector<Image> crops;  // as many as the largest batch
};

Result<Setup> Prepare(const MeasureOptions& options) {
  STRAIT_ASSIGN_OR_RETURN(const std::vector<RunUnit> runs, FindRunUnits(options.run_dirs));
  STRAIT_ASSIGN_OR_RETURN(Recipe recipe, RecipeOf(runs.front()));
  if (!options.backbone_file.empty()) recipe.backbone.file = options.backbone_file;
  if (!options.data_spec.empty()) recipe.data.spec = options.data_spec;
  recipe.data.preprocess.augment = false;
  STRAIT_ASSIGN_OR_RETURN(Backbone backbone, Backbone::Load(recipe.backbone.file, recipe.backbone.input));
  std::vector<Unit> units;
  for (const RunUnit& run : runs) {
    STRAIT_ASSIGN_OR_RETURN(std::shared_ptr<const Model> model, Model::Load(run.file));
    if (BackboneHashOf(*model) != backbone.hash()) {
      return Error(StatusCode::kModelMismatch, run.file, ": was trained with backbone ", BackboneHashOf(*model),
                   ", but ", recipe.backbone.file, " is ", backbone.hash(),
                   "; give the right file with --backbone");
    }
    STRAIT_ASSIGN_OR_RETURN(SplitNetwork network, backbone.Cut(run.split));
    units.push_back({run.split, std::move(model), std::move(network)});
  }
  STRAIT_ASSIGN_OR_RETURN(const SourceData data, OpenSourceData(recipe, Subset::kValidation, {}));
  if (!data.images) {
    return Error(StatusCode::kUnsupported, recipe.data.spec,
                 ": holds features, a profile wants images; name some with --data");
  }
  std::vector<Image> crops;
  const int count = *std::ranges::max_element(options.batches);
  for (int i = 0; i < count; ++i) {
    STRAIT_ASSIGN_OR_RETURN(const Sample sample, data.images->Get(static_cast<size_t>(i) % data.images->size()));
    STRAIT_ASSIGN_OR_RETURN(Image crop, ResizeAndCrop(sample.image, recipe.data.preprocess));
    crops.push_back(std::move(crop));
  }
  return Setup{std::move(recipe), std::move(backbone), std::move(units), std::move(crops)};
}

// What is measured: where the figure goes, and what to run. `run` may throw what LibTorch and OpenCV throw.
struct Job {
  Timing timing;
  std::function<void()> run;
  int repeats = 1;
  std::vector<double> seconds = {};
};

void Check(const Status& status) {
  if (!status.ok()) throw std::runtime_error(status.message());
}

torch::Tensor Forward(const torch::jit::Module& module, const torch::Tensor& src) {
  return torch::jit::Module(module).forward({src}).toTensor();
}

// The jobs of one number of threads and one batch size. What they share is prepared here, outside their times.
class Jobs {
 public:
  Jobs(const Setup& setup, const MeasureOptions& options, int threads, int batch, std::vector<Job>& jobs)
      : setup_(setup),
        options_(options),
        is_device_(options.role != Role::kServer),
        is_server_(options.role != Role::kDevice),
        threads_(threads),
        batch_(batch),
        jobs_(jobs) {}

  void Add() {
    const auto input =
        std::make_shared<torch::Tensor>(torch::empty(SizesOf(WithBatch(batch_, setup_.backbone.input_shape()))));
    const Setup* setup = &setup_;
    const int batch = batch_;
    const auto prepare = [setup, input, batch] {
      const int64_t elements = input->numel() / batch;
      for (int i = 0; i < batch; ++i) {
        Normalize(setup->crops[static_cast<size_t>(i)], setup->recipe.data.preprocess,
                  input->data_ptr<float>() + i * elements);
      }
    };
    prepare();
    AddJob(Task::kPrepare, "", 0, prepare);
    const torch::jit::Module network = setup_.backbone.network();
    AddJob(Task::kNetwork, "", 0, [network, input] { Forward(network, *input); });
    if (!options_.jpeg_qualities.empty()) {
      const Pictures pictures = MakePictures();
      for (const int quality : options_.jpeg_qualities) AddJpeg(quality, pictures);
    }
    for (const Unit& unit : setup_.units) AddUnit(unit, *input);
  }

 private:
  void AddJob(Task task, const std::string& place, double quality, std::function<void()> run) {
    Timing timing = {.task = task, .place = place, .quality = quality, .threads = threads_, .batch = batch_};
    jobs_.push_back({std::move(timing), std::move(run)});
  }

  using Pictures = std::shared_ptr<const std::vector<cv::Mat>>;

  // The crops of a batch as OpenCV has pictures.
  Pictures MakePictures() const {
    auto pictures = std::make_shared<std::vector<cv::Mat>>(static_cast<size_t>(batch_));
    for (size_t i = 0; i < pictures->size(); ++i) {
      const Image& crop = setup_.crops[i];
      cv::cvtColor(cv::Mat(crop.height, crop.width, CV_8UC3, const_cast<uint8_t*>(crop.pixels.data())),
                   (*pictures)[i], cv::COLOR_RGB2BGR);
    }
    return pictures;
  }

  void AddJpeg(int quality, const Pictures& pictures) {
    auto files = std::make_shared<std::vector<std::vector<uint8_t>>>();
    files->resize(pictures->size());
    const auto compress = [pictures, files, quality] {
      for (size_t i = 0; i < pictures->size(); ++i) {
        cv::imencode(".jpg", (*pictures)[i], (*files)[i],
                     {cv::IMWRITE_JPEG_QUALITY, quality, cv::IMWRITE_JPEG_OPTIMIZE, 1});
      }
    };
    compress();
    if (is_device_) AddJob(Task::kCompress, "jpeg", quality, compress);
    if (is_server_) {
      AddJob(Task::kDecompress, "jpeg", quality, [files] {
        for (const std::vector<uint8_t>& file : *files) {
          cv::Mat picture = cv::imdecode(file, cv::IMREAD_COLOR);
          cv::cvtColor(picture, picture, cv::COLOR_BGR2RGB);
        }
      });
    }
  }

  void AddUnit(const Unit& unit, const torch::Tensor& input) {
    const torch::Tensor features = Forward(unit.network.head, input).contiguous();
    const CoderOptions coder = {.threads = threads_};
    const auto encoder = std::make_shared<Encoder>(unit.model, coder);
    const auto decoder = std::make_shared<Decoder>(unit.model, coder);
    const torch::Tensor restored = torch::empty_like(features);
    const TensorView src = {features.data_ptr<float>(), ShapeOf(features)};
    const MutableTensorView dst = {restored.data_ptr<float>(), ShapeOf(features)};
    if (is_device_) {
      AddJob(Task::kHead, unit.split, 0, [head = unit.network.head, input] { Forward(head, input); });
    }
    if (is_server_) {
      AddJob(Task::kTail, unit.split, 0, [tail = unit.network.tail, restored] { Forward(tail, restored); });
    }
    for (size_t level = 0; level < unit.model->levels().size(); ++level) {
      const auto quality = static_cast<double>(level);
      const auto frame = std::make_shared<std::vector<uint8_t>>();
      const auto encode = [encoder, features, src, quality, frame] {
        Check(encoder->Encode(src, {.quality = quality}, *frame));
      };
      encode();
      if (is_device_) AddJob(Task::kEncode, unit.split, quality, encode);
      if (is_server_) {
        AddJob(Task::kDecode, unit.split, quality,
               [decoder, frame, restored, dst] { Check(decoder->Decode(*frame, dst)); });
      }
    }
  }

  const Setup& setup_;
  const MeasureOptions& options_;
  const bool is_device_, is_server_;
  const int threads_, batch_;
  std::vector<Job>& jobs_;
};

double TimeOnce(const Job& job) {
  const Clock::time_point start = Clock::now();
  for (int i = 0; i < job.repeats; ++i) job.run();
  return SecondsSince(start) / job.repeats;
}

void WarmUp(std::vector<Job>& jobs) {
  for (Job& job : jobs) {
    double seconds = 0;
    for (int i = 0; i < kWarmups; ++i) seconds = TimeOnce(job);
    job.repeats = std::clamp(static_cast<int>(std::ceil(kLeastSeconds / std::max(seconds, 1e-9))), 1, kMaxRepeats);
  }
}

double JoulesOf(const Job& job, EnergyMeter& meter) {
  const double before = meter.Joules();
  const Clock::time_point start = Clock::now();
  int64_t runs = 0;
  for (; SecondsSince(start) < kMeterSeconds; ++runs) job.run();
  return (meter.Joules() - before) / static_cast<double>(runs);
}

// Of the packages that computing is charged for, so that waiting is by the same measure.
double IdleWatts(EnergyMeter& meter) {
  const double before = meter.Joules();
  const Clock::time_point start = Clock::now();
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  return (meter.Joules() - before) / SecondsSince(start);
}

Timing Summarise(Job& job, double time_scale) {
  std::ranges::sort(job.seconds);
  const size_t last = job.seconds.size() - 1;
  Timing timing = job.timing;
  timing.seconds = time_scale * job.seconds[last / 2];
  timing.low_seconds = time_scale * job.seconds[last / 4];
  timing.high_seconds = time_scale * job.seconds[last - last / 4];
  return timing;
}

}  // namespace

Status CheckOptions(const MeasureOptions& options) {
  const PowerModel& power = options.power;
  if (power.busy_watts < power.idle_watts) {
    return Error(StatusCode::kInvalidArgument, "--busy-watts: ", power.busy_watts, " is below --idle-watts, ",
                 power.idle_watts);
  }
  if (options.machine.size() > kMaxPlanTextBytes) {
    return Error(StatusCode::kInvalidArgument, "--machine: the name has ", options.machine.size(),
                 " bytes, at most ", kMaxPlanTextBytes);
  }
  if (options.clocks_hz.size() > kMaxProfileClocks) {
    return Error(StatusCode::kInvalidArgument, "--clocks: ", options.clocks_hz.size(), " clocks, at most ",
                 kMaxProfileClocks);
  }
  return Status();
}

Result<Profile> Measure(const MeasureOptions& options) {
  STRAIT_RETURN_IF_ERROR(CheckOptions(options));
  STRAIT_ASSIGN_OR_RETURN(const Setup setup, Prepare(options));
  Profile profile;
  profile.role = options.role;
  profile.machine = options.machine.empty() ? ProcessorName() : options.machine;
  profile.backbone_hash = setup.backbone.hash();
  profile.cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  profile.time_scale = options.time_scale;
  profile.power = options.power;
  for (const Unit& unit : setup.units) profile.units.push_back({unit.split, unit.model->id()});
  profile.clocks_hz = options.clocks_hz;
  std::ranges::sort(profile.clocks_hz);
  profile.clocks_hz.erase(std::ranges::unique(profile.clocks_hz).begin(), profile.clocks_hz.end());
  std::optional<ClockControl> control =
      options.clocks_hz.empty() && options.role != Role::kServer ? ClockControl::Open() : std::nullopt;
  if (control) profile.clocks_hz = control->clocks_hz();
  profile.clock_measured = control.has_value();
  std::optional<EnergyMeter> meter = EnergyMeter::Open();
  if (meter && !options.idle_watts_given) profile.power.idle_watts = IdleWatts(*meter);
  profile.power.busy_watts = std::max(profile.power.busy_watts, profile.power.idle_watts);
  const std::vector<double> clocks = control ? control->clocks_hz() : std::vector<double>{0};

  return CatchTorch(StatusCode::kInternal, "profile", [&]() -> Result<Profile> {
    const InterruptScope interrupt;  // an end that puts the clock back
    const torch::InferenceMode inference;
    Progress progress("profile", static_cast<int64_t>(clocks.size() * options.threads.size()) * options.rounds);
    int64_t done = 0;
    for (const double clock : clocks) {
      if (control) STRAIT_RETURN_IF_ERROR(control->Set(clock));
      for (const int threads : options.threads) {
        torch::set_num_threads(threads);
        std::vector<Job> jobs;
        for (const int batch : options.batches) Jobs(setup, options, threads, batch, jobs).Add();
        WarmUp(jobs);
        for (int round = 0; round < options.rounds; ++round) {
          for (Job& job : jobs) job.seconds.push_back(TimeOnce(job));
          if (Interrupted()) return Error(StatusCode::kIo, "profile: interrupted, nothing was written");
          progress.Update(++done, fmt::format("{} tasks, {} threads", jobs.size(), threads));
        }
        for (Job& job : jobs) {
          Timing timing = Summarise(job, options.time_scale);
          timing.clock_hz = clock;
          if (meter) timing.joules = options.time_scale * JoulesOf(job, *meter);
          profile.timings.push_back(std::move(timing));
        }
      }
    }
    progress.Finish();
    return profile;
  });
}

}  // namespace strait
