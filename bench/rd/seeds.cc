#include "bench/rd/seeds.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bench/rd/curves.h"
#include "bench/rd/report.h"
#include "entropy/error.h"

namespace strait {
namespace {

constexpr double RdPoint::*kNumbers[] = {&RdPoint::lambda, &RdPoint::bytes_per_sample, &RdPoint::bits_per_element,
                                         &RdPoint::top1,   &RdPoint::top1_drop,        &RdPoint::agreement};

struct Moments {
  double mean = 0, deviation = 0;
};

Moments MomentsOf(const std::vector<double>& values) {
  const auto count = static_cast<double>(values.size());
  Moments moments;
  for (const double value : values) moments.mean += value / count;
  for (const double value : values) moments.deviation += (value - moments.mean) * (value - moments.mean);
  moments.deviation = values.size() > 1 ? std::sqrt(moments.deviation / (count - 1)) : 0;
  return moments;
}

}  // namespace

bool DifferInSeedsAlone(const Recipe& a, const Recipe& b) {
  const auto without_seeds = [](const Recipe& recipe) {
    const Recipe defaults;
    Recipe rest = LearningRecipe(recipe);
    rest.data.seed = defaults.data.seed;
    rest.train.seed = defaults.train.seed;
    rest.train.precision = defaults.train.precision;  // "auto" became what was faster that day
    rest.export_ = recipe.export_;                    // makes other models of what was learnt
    return ToToml(rest);
  };
  return without_seeds(a) == without_seeds(b);
}

Result<std::vector<std::vector<size_t>>> GroupBySeed(const std::vector<Recipe>& recipes,
                                                     const std::vector<std::string>& paths) {
  std::vector<std::vector<size_t>> groups;
  for (size_t i = 0; i < recipes.size(); ++i) {
    const auto same = std::ranges::find_if(
        groups, [&](const auto& group) { return DifferInSeedsAlone(recipes[group.front()], recipes[i]); });
    if (same == groups.end()) {
      groups.push_back({i});
      continue;
    }
    for (const size_t other : *same) {
      if (recipes[other].train.seed != recipes[i].train.seed || recipes[other].data.seed != recipes[i].data.seed)
        continue;
      return Error(StatusCode::kInvalidArgument, "--seeds: ", paths[i], " has the recipe and the seeds of ",
                   paths[other], "; leave one out");
    }
    same->push_back(i);
  }
  return groups;
}

Result<SeedCurves> MeanOfSeeds(std::vector<std::vector<RdPoint>> seeds) {
  SeedCurves curves;
  curves.mean = curves.deviation = seeds.front();
  for (const std::vector<RdPoint>& rows : seeds) {
    const bool same = std::ranges::equal(rows, seeds.front(), {}, &RdPoint::level, &RdPoint::level);
    if (!same) {
      return Error(StatusCode::kInvalidArgument, rows.front().codec, ": other levels than ",
                   seeds.front().front().codec,
                   ", whose recipe differs in seeds alone; measure them without --seeds");
    }
  }
  for (size_t row = 0; row < curves.mean.size(); ++row) {
    for (const auto number : kNumbers) {
      std::vector<double> values;
      for (const std::vector<RdPoint>& rows : seeds) values.push_back(rows[row].*number);
      const Moments moments = MomentsOf(values);
      curves.mean[row].*number = moments.mean;
      curves.deviation[row].*number = moments.deviation;
    }
  }
  curves.seeds = std::move(seeds);
  return curves;
}

std::string SeedTable(const std::vector<SeedCurves>& codecs) {
  std::vector<std::vector<std::string>> lines = {
      {"codec", "level", "seeds", "bytes/sample", "+-", "accuracy %", "+-", "agreement %", "+-"}};
  for (const SeedCurves& codec : codecs) {
    if (codec.seeds.size() < 2) continue;
    for (size_t row = 0; row < codec.mean.size(); ++row) {
      const RdPoint &mean = codec.mean[row], &deviation = codec.deviation[row];
      lines.push_back({mean.codec, mean.level, std::to_string(codec.seeds.size()),
                       fmt::format("{:.1f}", mean.bytes_per_sample),
                       fmt::format("{:.1f}", deviation.bytes_per_sample), fmt::format("{:.2f}", mean.top1),
                       fmt::format("{:.2f}", deviation.top1), fmt::format("{:.2f}", mean.agreement),
                       fmt::format("{:.2f}", deviation.agreement)});
    }
  }
  return lines.size() > 1 ? Aligned(lines, 2) : "";
}

std::vector<SeedBdRates> FindSeedBdRates(const std::vector<SeedCurves>& codecs, const std::vector<RdPoint>& rows,
                                         RdColumn over) {
  std::vector<SeedBdRates> all;
  for (const SeedCurves& codec : codecs) {
    if (codec.seeds.size() < 2) continue;
    for (const Curve& reference : CurvesOf(rows, over)) {
      SeedBdRates rates{codec.mean.front().codec, reference.codec, {}, {}, {}};
      if (rates.codec == rates.reference) continue;
      std::vector<double> known;
      for (const std::vector<RdPoint>& seed : codec.seeds) {
        const Result<BdRate> rate = ComputeBdRate(reference.points, CurvesOf(seed, over).front().points);
        rates.percent.push_back(rate.ok() ? std::optional(rate->percent) : std::nullopt);
        if (rate.ok()) known.push_back(rate->percent);
      }
      if (known.empty()) continue;
      if (known.size() == codec.seeds.size()) {
        const Moments moments = MomentsOf(known);
        rates.mean = moments.mean;
        rates.deviation = moments.deviation;
      }
      all.push_back(std::move(rates));
    }
  }
  return all;
}

std::string SeedBdTable(const std::vector<SeedBdRates>& rates, const std::string& heading) {
  if (rates.empty()) return "";
  const auto signed_text = [](const std::optional<double>& percent) {
    return percent ? fmt::format("{:+.1f}", *percent) : "-";
  };
  std::vector<std::vector<std::string>> lines = {{"codec", heading, "BD-rate % mean", "+-", "of each seed"}};
  for (const SeedBdRates& pair : rates) {
    std::string each;
    for (const std::optional<double>& percent : pair.percent)
      each += fmt::format("{}{}", each.empty() ? "" : " ", signed_text(percent));
    lines.push_back({pair.codec, pair.reference, signed_text(pair.mean),
                     pair.deviation ? fmt::format("{:.1f}", *pair.deviation) : "-", each});
  }
  return Aligned(lines, 2);
}

}  // namespace strait
