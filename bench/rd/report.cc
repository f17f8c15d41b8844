#include "bench/rd/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "bench/rd/curves.h"

namespace strait {
namespace {

std::vector<std::string> CodecsOf(const std::vector<BdEntry>& entries) {
  std::vector<std::string> codecs;
  for (const BdEntry& entry : entries) {
    if (std::find(codecs.begin(), codecs.end(), entry.reference) == codecs.end()) codecs.push_back(entry.reference);
  }
  return codecs;
}

using Json = nlohmann::ordered_json;

Json Number(const std::optional<double>& number) { return number ? Json(*number) : Json(); }

Json BdJson(const std::vector<BdEntry>& entries) {
  Json list = Json::array();
  for (const BdEntry& entry : entries) {
    Json item = {{"reference", entry.reference}, {"test", entry.test}};
    if (entry.rate.ok()) {
      item["percent"] = entry.rate->percent;
      item["low_accuracy"] = entry.rate->low_accuracy;
      item["high_accuracy"] = entry.rate->high_accuracy;
      item["dropped_reference"] = entry.rate->dropped_reference;
      item["dropped_test"] = entry.rate->dropped_test;
    } else {
      item["refused"] = entry.rate.status().message();
    }
    list.push_back(std::move(item));
  }
  return list;
}

Json SeedBdJson(const std::vector<SeedBdRates>& all) {
  Json list = Json::array();
  for (const SeedBdRates& rates : all) {
    Json percent = Json::array();
    for (const std::optional<double>& seed : rates.percent) percent.push_back(Number(seed));
    list.push_back({{"reference", rates.reference},
                    {"test", rates.codec},
                    {"percent", std::move(percent)},
                    {"mean", Number(rates.mean)},
                    {"deviation", Number(rates.deviation)}});
  }
  return list;
}

}  // namespace

std::string Aligned(const std::vector<std::vector<std::string>>& lines, size_t left_columns) {
  std::vector<size_t> widths;
  for (const auto& line : lines) {
    widths.resize(std::max(widths.size(), line.size()));
    for (size_t k = 0; k < line.size(); ++k) widths[k] = std::max(widths[k], line[k].size());
  }
  std::string text;
  for (const auto& line : lines) {
    for (size_t k = 0; k < line.size(); ++k) {
      if (k > 0) text += "  ";
      text +=
          k < left_columns ? fmt::format("{:<{}}", line[k], widths[k]) : fmt::format("{:>{}}", line[k], widths[k]);
    }
    text += '\n';
  }
  return text;
}

std::string ToTable(const std::vector<RdPoint>& rows, const std::string& accuracy_name) {
  std::vector<std::vector<std::string>> lines = {
      {"codec", "level", "lambda", "bytes/sample", "bits/element", accuracy_name + " %", "drop", "agreement %"}};
  for (const RdPoint& row : rows) {
    const bool sends = row.bytes_per_sample > 0;
    lines.push_back({row.codec, row.level, row.lambda > 0 ? fmt::format("{:.4g}", row.lambda) : "-",
                     sends ? fmt::format("{:.1f}", row.bytes_per_sample) : "-",
                     sends ? fmt::format("{:.4f}", row.bits_per_element) : "-", fmt::format("{:.2f}", row.top1),
                     fmt::format("{:.2f}", row.top1_drop), fmt::format("{:.2f}", row.agreement)});
  }
  return Aligned(lines, 2);
}

std::vector<BdEntry> BdRates(const std::vector<RdPoint>& rows, RdColumn over) {
  std::vector<Curve> curves = CurvesOf(rows, over);
  std::erase_if(curves, [](const Curve& curve) { return curve.points.size() < 2; });
  std::vector<BdEntry> entries;
  for (const Curve& reference : curves) {
    for (const Curve& test : curves) {
      if (&reference == &test) continue;
      entries.push_back({reference.codec, test.codec, ComputeBdRate(reference.points, test.points)});
    }
  }
  return entries;
}

std::string BdTable(const std::vector<BdEntry>& entries, const std::string& title) {
  const std::vector<std::string> codecs = CodecsOf(entries);
  std::vector<std::vector<std::string>> lines(1, {title});
  lines[0].insert(lines[0].end(), codecs.begin(), codecs.end());
  for (const std::string& reference : codecs) {
    std::vector<std::string> line = {reference};
    for (const std::string& test : codecs) {
      const auto entry = std::find_if(entries.begin(), entries.end(),
                                      [&](const BdEntry& e) { return e.reference == reference && e.test == test; });
      const bool known = entry != entries.end() && entry->rate.ok();
      line.push_back(reference == test ? "0" : known ? fmt::format("{:+.1f}", entry->rate->percent) : "-");
    }
    lines.push_back(std::move(line));
  }
  return Aligned(lines, 1);
}

std::string OperatingTable(const std::vector<OperatingPoints>& points) {
  if (points.empty()) return "";
  const auto cell = [](const std::optional<double>& value, int digits) {
    return value ? fmt::format("{:.{}f}", *value, digits) : "-";
  };
  std::vector<std::vector<std::string>> lines = {{"codec"}};
  for (const auto& [drop, bytes] : points.front().bytes_at_drop)
    lines[0].push_back(fmt::format("bytes at -{:g}", drop));
  std::vector<size_t> columns;
  for (size_t k = 0; k < points.front().drop_at_bytes.size(); ++k) {
    if (std::ranges::none_of(points, [&](const auto& p) { return p.drop_at_bytes[k].second.has_value(); }))
      continue;
    columns.push_back(k);
    lines[0].push_back(fmt::format("drop at {:g}", points.front().drop_at_bytes[k].first));
  }
  for (const OperatingPoints& codec : points) {
    std::vector<std::string> line = {codec.codec};
    for (const auto& [drop, bytes] : codec.bytes_at_drop) line.push_back(cell(bytes, 1));
    for (const size_t k : columns) line.push_back(cell(codec.drop_at_bytes[k].second, 2));
    lines.push_back(std::move(line));
  }
  return Aligned(lines, 1);
}

std::vector<std::string> BdNotes(const std::vector<BdEntry>& entries) {
  std::vector<std::string> notes;
  for (const BdEntry& entry : entries) {
    // The other order of the pair has the same reason and the same drops.
    const bool first_order =
        std::none_of(entries.begin(), entries.begin() + (&entry - entries.data()),
                     [&](auto& e) { return e.reference == entry.test && e.test == entry.reference; });
    if (!first_order) continue;
    const std::string pair = fmt::format("{} (reference) and {} (test)", entry.reference, entry.test);
    if (!entry.rate.ok()) {
      notes.push_back(fmt::format("{}: {}", pair, entry.rate.status().message()));
    } else if (entry.rate->dropped_reference + entry.rate->dropped_test > 0) {
      notes.push_back(fmt::format("{}: bd-rate: dropped {} and {} dominated points", pair,
                                  entry.rate->dropped_reference, entry.rate->dropped_test));
    }
  }
  return notes;
}

std::string SettingText(const Setting& setting) {
  std::vector<std::vector<std::string>> lines;
  for (const auto& [name, value] : setting) lines.push_back({name, value});
  return Aligned(lines, 2);
}

std::string ToJson(const Report& report) {
  Json document;
  for (const auto& [name, value] : report.setting) document["setting"][name] = value;
  document["points"] = Json::array();
  for (const RdPoint& row : report.rows) {
    document["points"].push_back({{"codec", row.codec},
                                  {"level", row.level},
                                  {"lambda", row.lambda},
                                  {"bytes_per_sample", row.bytes_per_sample},
                                  {"bits_per_element", row.bits_per_element},
                                  {"top1", row.top1},
                                  {"top1_drop", row.top1_drop},
                                  {"agreement", row.agreement}});
  }
  document["bd_rate"] = BdJson(report.bd_rates);
  document["bd_rate_over_agreement"] = BdJson(report.bd_rates_over_agreement);
  document["operating_points"] = Json::array();
  for (const OperatingPoints& codec : report.operating_points) {
    Json item = {{"codec", codec.codec}};
    for (const auto& [drop, bytes] : codec.bytes_at_drop)
      item["bytes_at_drop"][fmt::format("{:g}", drop)] = Number(bytes);
    for (const auto& [bytes, drop] : codec.drop_at_bytes)
      item["drop_at_bytes"][fmt::format("{:g}", bytes)] = Number(drop);
    document["operating_points"].push_back(std::move(item));
  }
  document["seeds"] = Json::array();
  for (const SeedCurves& codec : report.seeds) {
    if (codec.seeds.size() < 2) continue;
    for (const RdPoint& row : codec.deviation) {
      document["seeds"].push_back({{"codec", row.codec},
                                   {"level", row.level},
                                   {"count", codec.seeds.size()},
                                   {"bytes_deviation", row.bytes_per_sample},
                                   {"top1_deviation", row.top1},
                                   {"agreement_deviation", row.agreement}});
    }
  }
  document["seed_bd_rate"] = SeedBdJson(report.seed_bd_rates);
  document["seed_bd_rate_over_agreement"] = SeedBdJson(report.seed_bd_rates_over_agreement);
  document["measured"] = Json::array();
  for (const MeasuredTable& table : report.measured)
    document["measured"].push_back({{"file", table.path}, {"codecs", table.Codecs()}});
  return document.dump(2) + "\n";
}

}  // namespace strait
