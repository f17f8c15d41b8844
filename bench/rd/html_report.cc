#include "bench/rd/html_report.h"

#include <fmt/format.h>
#include <torch/version.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "bench/rd/baseline_codecs.h"
#include "entropy/simd.h"
#include "strait/version.h"
#include "training/torch_status.h"

namespace strait {
namespace {

constexpr const char* kStyle = R"(
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
pre { background: #f6f6f6; padding: .8rem 1rem; overflow-x: auto; font-size: 13px; line-height: 1.4; }
svg { max-width: 100%; height: auto; }
.examples { display: flex; flex-wrap: wrap; gap: 1.5rem; }
.examples figure { margin: 0; width: 21rem; }
.examples img { width: 9rem; image-rendering: auto; }
.examples td img { width: 4.5rem; image-rendering: pixelated; vertical-align: middle; margin-right: .5rem; }
.examples figcaption:empty { display: none; }
.examples table { border-collapse: collapse; font-size: 13px; }
.examples td, .examples th { padding: .05rem .6rem .05rem 0; text-align: left; font-weight: normal; }
.examples td.bytes { text-align: right; }
.wrong { color: #b3261e; }
summary { cursor: pointer; }
)";

std::string Escaped(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

// RFC 4648.
std::string Base64(const std::vector<uint8_t>& bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t three = 0;
    for (size_t k = 0; k < 3; ++k) three = three << 8 | (i + k < bytes.size() ? bytes[i + k] : 0);
    for (size_t k = 0; k < 4; ++k) text += i + k <= bytes.size() ? kDigits[three >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

// [H, W] classes as colours, which begin anew after sixteen.
Result<std::vector<uint8_t>> MaskPng(const torch::Tensor& classes) {
  constexpr uint8_t kColours[][3] = {{0, 0, 0},       {230, 159, 0},   {86, 180, 233},  {0, 158, 115},
                                     {240, 228, 66},  {0, 114, 178},   {213, 94, 0},    {204, 121, 167},
                                     {153, 153, 153}, {255, 255, 255}, {60, 60, 60},    {120, 60, 20},
                                     {170, 240, 160}, {90, 20, 120},   {250, 200, 190}, {110, 120, 30}};
  const torch::Tensor rows = classes.to(torch::kLong).contiguous();
  Image image{static_cast<int>(rows.size(0)), static_cast<int>(rows.size(1)), {}};
  for (int64_t i = 0; i < rows.numel(); ++i) {
    const auto& colour = kColours[static_cast<size_t>(rows.data_ptr<int64_t>()[i]) % std::size(kColours)];
    image.pixels.insert(image.pixels.end(), std::begin(colour), std::end(colour));
  }
  return EncodeImage(ImageCodec::kPng, image, 0);
}

std::string ClassName(const std::vector<std::string>& names, int64_t label) {
  const auto index = static_cast<size_t>(label);
  return index < names.size() ? names[index] : std::to_string(label);
}

// `given` and `label` of one sample, batch first.
Result<Answer> AnswerOf(const torch::Tensor& given, const torch::Tensor& label,
                        const std::vector<std::string>& names) {
  if (given.dim() != 1) {
    Answer answer{fmt::format("{} {:.1f} %", AccuracyName(given), Accuracy(given, label)), true, {}};
    STRAIT_ASSIGN_OR_RETURN(answer.mask_png, MaskPng(given[0]));
    return answer;
  }
  const auto answer = given.item<int64_t>();
  return Answer{ClassName(names, answer), answer == label.item<int64_t>(), {}};
}

Status AddAnswers(const RunDir& run, const EvalData& data, int64_t row, const std::vector<std::string>& names,
                  bool checksum, std::vector<ExampleAnswer>& answers) {
  const torch::Tensor src = data.set.features.narrow(0, row, 1).to(torch::kFloat).contiguous();
  torch::jit::Module tail = data.network.tail;
  // Every model of several levels, or every model of one, is a point of the curve.
  std::vector<std::pair<size_t, int>> points;
  for (size_t m = 0; m < run.models.size(); ++m) {
    for (size_t level = 0; level < run.models[m]->levels().size(); ++level)
      points.emplace_back(m, static_cast<int>(level));
  }
  std::vector<size_t> chosen = {0, points.size() / 2, points.size() - 1};
  chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
  for (const size_t k : chosen) {
    const auto& [m, level] = points[k];
    std::vector<uint8_t> frame;
    Tensor restored;
    const Shape shape = WithBatch(1, run.models[m]->feature_shape());
    STRAIT_RETURN_IF_ERROR(Encoder(run.models[m])
                               .Encode({src.data_ptr<float>(), shape},
                                       {.quality = static_cast<double>(level), .checksum = checksum}, frame));
    STRAIT_RETURN_IF_ERROR(Decoder(run.models[m]).Decode(frame, restored));
    const torch::Tensor dst = torch::from_blob(restored.data.data(), src.sizes(), torch::kFloat);
    STRAIT_ASSIGN_OR_RETURN(Answer answer, AnswerOf(AnswersOf(tail.forward({dst}).toTensor()),
                                                    data.set.labels.narrow(0, row, 1), names));
    answers.push_back({run.codec, std::to_string(k), frame.size(), std::move(answer)});
  }
  return Status();
}

std::string CpuName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("model name", 0) == 0 && line.find(": ") != std::string::npos)
      return line.substr(line.find(": ") + 2);
  }
  return "unknown processor";
}

std::string ImageTag(const std::vector<uint8_t>& png) {
  return png.empty() ? "" : fmt::format("<img alt=\"\" src=\"data:image/png;base64,{}\">", Base64(png));
}

std::string Cell(const Answer& answer) {
  return fmt::format("<td{}>{}{}</td>", answer.is_right ? "" : " class=\"wrong\"", ImageTag(answer.mask_png),
                     Escaped(answer.text));
}

std::string ToHtml(const Example& example) {
  std::string html = fmt::format(
      "<figure>{}{}<figcaption>{}</figcaption>\n<table>\n<tr><th>unsplit</th><td></td><td></td>{}</tr>\n",
      ImageTag(example.png), ImageTag(example.label_mask_png), Escaped(example.label), Cell(example.unsplit));
  for (const ExampleAnswer& answer : example.answers) {
    html += fmt::format("<tr><th>{}</th><td>{}</td><td class=\"bytes\">{} B</td>{}</tr>\n", Escaped(answer.codec),
                        Escaped(answer.level), answer.bytes, Cell(answer.answer));
  }
  return html + "</table></figure>\n";
}

}  // namespace

Result<std::vector<Example>> MakeExamples(const std::vector<RunDir>& runs, const EvalDataOfSplits& of_splits,
                                          size_t count, bool checksum) {
  std::vector<Example> examples;
  const EvalData& data = of_splits.begin()->second;  // samples are the same at each
  if (!data.images) return examples;
  return CatchTorch(StatusCode::kInternal, "examples", [&]() -> Result<std::vector<Example>> {
    torch::NoGradGuard no_grad;
    const std::vector<std::string>& names = data.images->class_names();
    const size_t samples = data.indices.size();
    for (size_t k = 0; k < std::min(count, samples); ++k) {
      const size_t row = (2 * k + 1) * samples / (2 * std::min(count, samples));
      const auto at = static_cast<int64_t>(row);
      STRAIT_ASSIGN_OR_RETURN(const Sample sample, data.images->Get(data.indices[row]));
      STRAIT_ASSIGN_OR_RETURN(const Image crop, ResizeAndCrop(sample.image, data.preprocess));
      Example example;
      STRAIT_ASSIGN_OR_RETURN(example.png, EncodeImage(ImageCodec::kPng, crop, 0));
      const torch::Tensor label = data.set.labels.narrow(0, at, 1);
      if (label.dim() == 1) {
        example.label = ClassName(names, sample.label);
      } else {
        STRAIT_ASSIGN_OR_RETURN(example.label_mask_png, MaskPng(label[0]));
      }
      STRAIT_ASSIGN_OR_RETURN(example.unsplit, AnswerOf(data.set.answers.narrow(0, at, 1), label, names));
      for (const RunDir& run : runs)
        STRAIT_RETURN_IF_ERROR(
            AddAnswers(run, of_splits.at(run.recipe.split.point), at, names, checksum, example.answers));
      examples.push_back(std::move(example));
    }
    return examples;
  });
}

std::string DescribeMachine() {
  return fmt::format("{}, {} threads, {} kernels\nStrait {}, LibTorch {}\n", CpuName(),
                     std::thread::hardware_concurrency(), SimdName(DefaultSimd()), STRAIT_VERSION, TORCH_VERSION);
}

std::string ToHtml(const HtmlContent& content) {
  std::string html = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta "
      "charset=\"utf-8\">\n<title>{0}</title>\n<style>{1}</style>\n"
      "</head>\n<body>\n<h1>{0}</h1>\n",
      Escaped(content.title), kStyle);
  // Inside HTML, an SVG document is its element alone.
  if (const size_t svg = content.plot_svg.find("<svg"); svg != std::string::npos)
    html += content.plot_svg.substr(svg);
  for (const auto& [heading, text] : content.tables)
    html += fmt::format("<h2>{}</h2>\n<pre>{}</pre>\n", Escaped(heading), Escaped(text));
  if (!content.examples.empty()) {
    html += "<h2>Examples</h2>\n<div class=\"examples\">\n";
    for (const Example& example : content.examples) html += ToHtml(example);
    html += "</div>\n";
  }
  html += fmt::format("<h2>Machine</h2>\n<pre>{}</pre>\n<h2>Recipes</h2>\n", Escaped(content.machine));
  for (const auto& [run, toml] : content.recipes) {
    html += fmt::format("<details><summary>{}</summary><pre>{}</pre></details>\n", Escaped(run), Escaped(toml));
  }
  return html + "</body>\n</html>\n";
}

}  // namespace strait
