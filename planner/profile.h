// What the parts of a split network take on one machine: measured where they run, kept in a file, and joined with
// the other side's file when a plan is made (docs/format.md, Profile file). Units: seconds, joules, watts, hertz,
// bytes. Times are of whole batches.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "strait/result.h"

namespace strait {

constexpr size_t kMaxProfileClocks = 1024;

enum class Task : uint8_t {
  kPrepare,     // pixels to the network's normalised input
  kHead,        // input to feature tensor, at a split
  kEncode,      // feature tensor to frame, at a split and quality
  kDecode,      // frame to feature tensor
  kTail,        // feature tensor to answer
  kNetwork,     // input to answer, unsplit
  kCompress,    // pixels to an image file, at a quality
  kDecompress,  // image file to pixels
};

// "prepare", "head", ...
const char* TaskName(Task task);

// What a machine was measured as.
enum class Role : uint8_t { kBoth, kDevice, kServer };

// "both", "device", "server".
const char* RoleName(Role role);

struct Timing {
  Task task = Task::kNetwork;
  std::string place;   // the split of kHead, kEncode, kDecode, kTail; "jpeg" of kCompress, kDecompress; else empty
  double quality = 0;  // of kEncode, kDecode, kCompress, kDecompress
  int threads = 1;
  double clock_hz = 0;  // 0: as the machine has it
  int batch = 1;
  double seconds = 0;  // median, and quartiles
  double low_seconds = 0;
  double high_seconds = 0;
  double joules = 0;  // measured; 0 where the power model stands in
};

// Device power. What RAPL cannot say (the radio, and everything where it is missing) is a stated model:
// watts = idle + (busy - idle) * threads / cores * (hz / max hz)^3.
struct PowerModel {
  double busy_watts = 6.0;  // all cores at the highest clock; these two are about those of a single-board computer
  double idle_watts = 2.5;
  double joules_per_byte = 3.5e-6;  // LTE uplink, 438 mJ a megabit (Huang et al., MobiSys 2012, table 4)
};

// A unit whose encoding or decoding was measured.
struct ProfiledUnit {
  std::string split;
  uint64_t model_id = 0;  // Model::id()
};

struct Profile {
  Role role = Role::kBoth;    // of a file that names none, too
  std::string machine;        // in words
  std::string backbone_hash;  // of the network that was measured
  int cores = 1;
  // Stated model of a slower machine: every time below is the measured one times this.
  double time_scale = 1;
  PowerModel power;
  // Clocks the plan may choose, ascending; empty: none. Where `clock_measured` every one has its timings, else
  // times at the highest are scaled by max / hz.
  std::vector<double> clocks_hz;
  bool clock_measured = false;
  std::vector<ProfiledUnit> units;
  std::vector<Timing> timings;
};

// Reads a profile file. Errors name the file and the entry: kIo, kCorrupt (no JSON, values out of range, nothing
// measured), kUnsupported (another version, unknown keys), kLimitExceeded (more JSON values than a profile has).
Result<Profile> LoadProfile(const std::string& path);
Result<Profile> ParseProfile(std::string_view json, const std::string& name);
std::string ToJson(const Profile& profile);

// Whether a profile can be the side that `role` says. Errors: kInvalidArgument, naming `path` and where it belongs.
Status CheckRole(const Profile& profile, Role role, const std::string& path);

// Finds the timings of a profile, which must outlive it and stay as it is.
class TimingIndex {
 public:
  explicit TimingIndex(const Profile& profile);

  // The first timing of a task; nullptr when it was not measured.
  const Timing* Find(Task task, const std::string& place, double quality, int threads, double clock_hz,
                     int batch) const;

 private:
  std::vector<const Timing*> sorted_;
};

}  // namespace strait
