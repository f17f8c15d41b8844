#include "training/rd_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>

#include "codec/file_io.h"
#include "codec/parse_number.h"
#include "entropy/error.h"

namespace strait {
namespace {

constexpr int64_t kMaxCsvBytes = int64_t{1} << 26;

// A column of numbers, and what they lie between.
struct NumberColumn {
  const char* name;
  double RdPoint::*value;
  double low, high;
};
constexpr NumberColumn kNumbers[] = {
    {"lambda", &RdPoint::lambda, 0, 1e12},
    {"bytes_per_sample", &RdPoint::bytes_per_sample, 1, 1e12},
    {"bits_per_element", &RdPoint::bits_per_element, 0, 1e12},
    {"top1", &RdPoint::top1, 0, 100},
    {"top1_drop", &RdPoint::top1_drop, -100, 100},
    {"agreement", &RdPoint::agreement, 0, 100},
};

std::string Quoted(const std::string& field) {
  if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
  std::string quoted = "\"";
  for (const char c : field) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

// The fields of a record, which a quoted line end spreads over several lines.
std::vector<std::string> Fields(std::istream& text, std::string line, int& number) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  while (true) {
    if (!line.empty() && line.back() == '\r' && !quoted) line.pop_back();
    for (size_t i = 0; i < line.size(); ++i) {
      const char c = line[i];
      if (c == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
        fields.back() += line[++i];
      } else if (c == '"') {
        quoted = !quoted;
      } else if (c == ',' && !quoted) {
        fields.emplace_back();
      } else {
        fields.back() += c;
      }
    }
    if (!quoted || !std::getline(text, line)) return fields;
    fields.back() += '\n';
    ++number;
  }
}

Result<double> NumberOf(const std::string& text, const std::string& where, const NumberColumn& column, double low) {
  const std::optional<double> value = ParseNumber(text);
  if (value && *value >= low && *value <= column.high) return *value;
  return Error(StatusCode::kCorrupt, where, ": \"", column.name, "\" is \"", text.substr(0, 32),
               "\", wanted a number of ", low, " to ", column.high);
}

}  // namespace

std::string ToCsv(const std::vector<RdPoint>& rows) {
  std::string text = "codec,level";
  for (const NumberColumn& column : kNumbers) text += std::string(",") + column.name;
  text += '\n';
  for (const RdPoint& row : rows) {
    text +=
        fmt::format("{},{},{:.6g},{:.2f},{:.6f},{:.3f},{:.3f},{:.3f}\n", Quoted(row.codec), Quoted(row.level),
                    row.lambda, row.bytes_per_sample, row.bits_per_element, row.top1, row.top1_drop, row.agreement);
  }
  return text;
}

Result<std::vector<RdPoint>> ReadRdTable(const std::string& path) {
  STRAIT_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, ReadFile(path, kMaxCsvBytes));
  std::istringstream text(std::string(bytes.begin(), bytes.end()));
  std::string line;
  std::getline(text, line);
  int number = 1;
  const std::vector<std::string> header = Fields(text, line, number);
  std::map<std::string, size_t> columns;
  for (size_t i = 0; i < header.size(); ++i) columns.emplace(header[i], i);
  std::vector<std::string> wanted = {"codec", "level"};
  for (const NumberColumn& column : kNumbers) wanted.emplace_back(column.name);
  for (const std::string& name : wanted) {
    if (columns.contains(name)) continue;
    return Error(StatusCode::kCorrupt, path, ":1: no column \"", name, "\", wanted a table of strait-rd --csv");
  }
  std::vector<RdPoint> rows;
  while (std::getline(text, line)) {
    const std::string where = path + ":" + std::to_string(++number);
    if (line.empty() || line == "\r") continue;
    const std::vector<std::string> fields = Fields(text, line, number);
    if (fields.size() != header.size()) {
      return Error(StatusCode::kCorrupt, where, ": has ", fields.size(), " fields, the header ", header.size());
    }
    RdPoint row;
    row.codec = fields[columns["codec"]];
    row.level = fields[columns["level"]];
    for (const NumberColumn& column : kNumbers) {
      const double low = row.codec == "unsplit" ? std::min(0.0, column.low) : column.low;
      STRAIT_ASSIGN_OR_RETURN(row.*column.value, NumberOf(fields[columns[column.name]], where, column, low));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace strait
