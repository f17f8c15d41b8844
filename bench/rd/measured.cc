#include "bench/rd/measured.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "entropy/error.h"

namespace strait {

std::vector<std::string> MeasuredTable::Codecs() const {
  std::vector<std::string> codecs;
  for (const RdPoint& row : rows) {
    if (std::ranges::find(codecs, row.codec) == codecs.end()) codecs.push_back(row.codec);
  }
  return codecs;
}

Result<std::vector<MeasuredTable>> ReadMeasured(const std::vector<std::string>& paths,
                                                std::set<std::string> taken) {
  std::vector<MeasuredTable> tables;
  for (const std::string& path : paths) {
    MeasuredTable table{path, {}, {}};
    STRAIT_ASSIGN_OR_RETURN(table.rows, ReadRdTable(path));
    const auto unsplit = std::ranges::find(table.rows, "unsplit", &RdPoint::codec);
    if (unsplit == table.rows.end()) return Error(StatusCode::kCorrupt, path, ": has no row \"unsplit\"");
    table.unsplit = *unsplit;
    std::erase_if(table.rows, [](const RdPoint& row) { return row.codec == "unsplit"; });
    for (const std::string& codec : table.Codecs()) {
      if (taken.insert(codec).second) continue;
      return Error(StatusCode::kInvalidArgument, path, ": has a curve \"", codec,
                   "\", and so has what is measured now or another table; leave one of them out");
    }
    tables.push_back(std::move(table));
  }
  return tables;
}

Status CheckMeasured(const std::vector<MeasuredTable>& tables, const RdPoint& unsplit) {
  constexpr double kPoints = 0.01;  // above what a table's decimals leave open
  for (const MeasuredTable& table : tables) {
    if (std::abs(table.unsplit.top1 - unsplit.top1) > kPoints) {
      return Error(StatusCode::kModelMismatch, table.path, ": its unsplit network has ", table.unsplit.top1,
                   " %, that of the other curves ", unsplit.top1, " %; measure all over the same samples");
    }
  }
  return Status();
}

std::string MeasuredNotes(const std::vector<MeasuredTable>& tables) {
  std::string text;
  for (const MeasuredTable& table : tables)
    text += fmt::format("{}: {}\n", table.path, fmt::join(table.Codecs(), ", "));
  return text;
}

}  // namespace strait
