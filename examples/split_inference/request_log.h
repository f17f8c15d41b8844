// What became of each request, as a line of a CSV file and in the totals at the end.
#pragma once

#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "strait/controller.h"
#include "strait/result.h"

namespace split_inference {

struct RequestRecord {
  double start_seconds = 0;                  // since the first request could begin
  const strait::PlanEntry* entry = nullptr;  // that was chosen
  size_t bytes = 0;                          // sent, as plans count
  double expected_seconds = 0;
  double measured_seconds = 0;
  double server_seconds = 0;
  bool given_up = false;      // answered by the network here in the end
  std::optional<bool> right;  // where the file's name tells the class
};

// The class that a file's name tells, 0007-NAME.ppm: the place of NAME in `classes`, or NAME where it is a number.
std::optional<uint32_t> ClassOf(const std::string& path, const std::vector<std::string>& classes);

class RequestLog {
 public:
  // An empty path: only totals. Errors: kIo.
  static strait::Result<RequestLog> Open(const std::string& path);

  void Add(const RequestRecord& record);
  // What was not written. Errors: kIo.
  strait::Status Close();
  // Lines that begin with #: all requests, then those of each route.
  std::string Summary() const;

 private:
  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  std::string path_;
  std::unique_ptr<std::FILE, CloseFile> file_;
  std::map<std::string, std::vector<double>> seconds_;  // by route
  double bytes_ = 0;
};

}  // namespace split_inference
