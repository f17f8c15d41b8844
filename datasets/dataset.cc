#include "datasets/dataset.h"

#include <charconv>

#include "datasets/cifar.h"
#include "datasets/idx.h"
#include "datasets/image_folder.h"
#include "datasets/shapes.h"
#include "entropy/error.h"

namespace strait {
namespace {

constexpr const char* kSchemes =
    "imagefolder:DIR, cifar10:DIR, cifar100:DIR, idx:DIR, shapes[:seed=N,train=N,val=N] (and npy:DIR where "
    "features will do)";

bool ParseUnsigned(std::string_view text, uint64_t* value) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return code == std::errc() && end == text.data() + text.size();
}

Result<std::unique_ptr<Dataset>> OpenShapes(const std::string& spec, std::string_view settings, Subset subset) {
  ShapesOptions options;
  while (!settings.empty()) {
    const std::string_view setting = settings.substr(0, settings.find(','));
    settings.remove_prefix(std::min(settings.size(), setting.size() + 1));
    const size_t equals = setting.find('=');
    const std::string_view key = setting.substr(0, equals);
    uint64_t value = 0;
    const bool number = equals != setting.npos && ParseUnsigned(setting.substr(equals + 1), &value);
    if (key == "seed" && number) {
      options.seed = value;
    } else if ((key == "train" || key == "val") && number && value >= 1 && value <= kMaxShapesSize) {
      (key == "train" ? options.train_size : options.validation_size) = value;
    } else {
      return Error(StatusCode::kInvalidArgument, "data set '", spec, "': '", setting,
                   "' is no setting of shapes: wanted seed=N, train=N or val=N, sizes from 1 to ", kMaxShapesSize);
    }
  }
  return MakeShapes(options, subset);
}

}  // namespace

Result<std::unique_ptr<Dataset>> OpenDataset(const std::string& spec, Subset subset) {
  const size_t colon = spec.find(':');
  const std::string scheme = spec.substr(0, colon);
  const std::string rest = colon == std::string::npos ? "" : spec.substr(colon + 1);
  if (scheme == "shapes") return OpenShapes(spec, rest, subset);

  using Open = Result<std::unique_ptr<Dataset>> (*)(const std::string& dir, Subset subset);
  static constexpr struct {
    const char* scheme;
    Open open;
  } kReaders[] = {
      {"imagefolder", OpenImageFolder}, {"cifar10", OpenCifar10}, {"cifar100", OpenCifar100}, {"idx", OpenIdx}};
  for (const auto& reader : kReaders) {
    if (scheme != reader.scheme) continue;
    if (rest.empty()) {
      return Error(StatusCode::kInvalidArgument, "data set '", spec, "': wanted a folder, as in ", scheme, ":DIR");
    }
    return reader.open(rest, subset);
  }
  return Error(StatusCode::kInvalidArgument, "data set '", spec, "': no such kind '", scheme, "': use one of ",
               kSchemes);
}

}  // namespace strait
