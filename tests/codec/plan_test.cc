#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

#include "bench/reference_plans.h"
#include "codec/file_io.h"
#include "codec/plan_reader.h"

namespace strait {
namespace {

using nlohmann::json;

Result<std::shared_ptr<const Plan>> FromText(const std::string& text) {
  return Plan::FromBytes({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

json SmallJson() { return json::parse(PlanToJson(SmallPlan())); }

void ExpectSame(const PlanEntry& a, const PlanEntry& b) {
  EXPECT_EQ(a.route, b.route);
  EXPECT_EQ(a.split, b.split);
  EXPECT_EQ(a.quality, b.quality);
  EXPECT_EQ(a.threads, b.threads);
  EXPECT_EQ(a.frequency_hz, b.frequency_hz);
  EXPECT_EQ(a.batch, b.batch);
  EXPECT_EQ(a.device_seconds, b.device_seconds);
  EXPECT_EQ(a.server_seconds, b.server_seconds);
  EXPECT_EQ(a.bytes, b.bytes);
  EXPECT_EQ(a.device_joules, b.device_joules);
  EXPECT_EQ(a.accuracy, b.accuracy);
}

TEST(Plan, ReadsWhatWasWrittenToTheLastBit) {
  for (const PlanSpec& spec : {SmallPlan(), RandomPlan(500, 1)}) {
    const auto plan = FromText(PlanToJson(spec));
    ASSERT_TRUE(plan.ok()) << plan.status().ToString();
    EXPECT_EQ((*plan)->backbone_hash(), spec.backbone_hash);
    EXPECT_EQ((*plan)->device(), spec.device);
    EXPECT_EQ((*plan)->server(), spec.server);
    EXPECT_EQ((*plan)->idle_watts(), spec.idle_watts);
    EXPECT_EQ((*plan)->joules_per_byte(), spec.joules_per_byte);
    EXPECT_EQ((*plan)->switch_seconds(), spec.switch_seconds);
    ASSERT_EQ((*plan)->models().size(), spec.models.size());
    for (size_t i = 0; i < spec.models.size(); ++i) {
      EXPECT_EQ((*plan)->models()[i].split, spec.models[i].split);
      EXPECT_EQ((*plan)->models()[i].file, spec.models[i].file);
      EXPECT_EQ((*plan)->models()[i].id, spec.models[i].id);
    }
    ASSERT_EQ((*plan)->entries().size(), spec.entries.size());
    for (size_t i = 0; i < spec.entries.size(); ++i) ExpectSame((*plan)->entries()[i], spec.entries[i]);
  }
}

TEST(Plan, LoadsAFileAndNamesItInErrors) {
  const std::string path = ::testing::TempDir() + "strait_plan_" + std::to_string(getpid()) + ".json";
  ASSERT_TRUE(WriteTextAtomic(path, PlanToJson(SmallPlan())).ok());
  EXPECT_TRUE(Plan::Load(path).ok());
  json broken = SmallJson();
  broken["entries"][3]["bytes"] = -1;
  ASSERT_TRUE(WriteTextAtomic(path, broken.dump()).ok());
  const Status status = Plan::Load(path).status();
  EXPECT_EQ(status.code(), StatusCode::kCorrupt);
  EXPECT_EQ(status.message(), path + ": plan entries[3]: \"bytes\" is -1, not in 0..1e+15");
  std::filesystem::remove(path);
  EXPECT_EQ(Plan::Load(path).status().code(), StatusCode::kIo);
}

TEST(Plan, NamesBothVersionsOfAnother) {
  json plan = SmallJson();
  plan["version"] = 2;
  plan["something new"] = 1;
  const Status status = FromText(plan.dump()).status();
  EXPECT_EQ(status.code(), StatusCode::kUnsupported);
  EXPECT_EQ(status.message(), "plan: format version 2, this build reads 1");
}

struct BadPlan {
  const char* name;
  std::function<void(json&)> spoil;
  const char* says;
  StatusCode code = StatusCode::kCorrupt;
};

TEST(Plan, RefusesEveryBadFieldAndSaysWhere) {
  const auto entry = [](size_t i, const char* key, json value) {
    return [=](json& plan) { plan["entries"][i][key] = value; };
  };
  const auto top = [](const char* key, json value) { return [=](json& plan) { plan[key] = value; }; };
  const BadPlan kBad[] = {
      {"format", top("format", "other"), "plan: \"format\" is \"other\""},
      {"no format", [](json& plan) { plan.erase("format"); }, "plan: \"format\" is missing"},
      {"version text", top("version", "1"), "plan: \"version\" wants an integer"},
      {"no entries", top("entries", json::array()), "plan: \"entries\" is empty"},
      {"entries object", top("entries", json::object()), "plan: \"entries\" wants an array"},
      {"unknown key", top("extra", 1), "plan: unknown key \"extra\"", StatusCode::kUnsupported},
      {"watts", top("idle_watts", -0.5), "plan: \"idle_watts\" is -0.5"},
      {"null watts", top("idle_watts", nullptr), "plan: \"idle_watts\" wants a number"},
      {"switch", top("switch_seconds", -1), "plan: \"switch_seconds\" is -1"},
      {"joules", top("joules_per_byte", 1e30), "plan: \"joules_per_byte\" is 1e+30"},
      {"zero byte", top("device", std::string("a\0b", 3)), "plan: \"device\" has a zero byte"},
      {"two models", [](json& plan) { plan["models"].push_back(plan["models"][0]); },
       "plan models[2]: \"split\" \"layer1\" has a model before"},
      {"id", [](json& plan) { plan["models"][1]["id"] = "9F3A17C05D20E4B8"; },
       "plan models[1]: \"id\" wants 16 hex digits"},
      {"file", [](json& plan) { plan["models"][1]["file"] = ""; }, "plan models[1]: \"file\" has 0 bytes"},
      {"entry number", [](json& plan) { plan["entries"][4] = 7; }, "plan entries[4]: wants a JSON object"},
      {"entry key", entry(4, "extra", 1), "plan entries[4]: unknown key", StatusCode::kUnsupported},
      {"missing key", [](json& plan) { plan["entries"][4].erase("accuracy"); },
       "plan entries[4]: \"accuracy\" is missing"},
      {"route", entry(1, "route", "elsewhere"), "plan entries[1]: \"route\" is \"elsewhere\""},
      {"no model", entry(1, "split", "layer9"), "plan entries[1]: \"split\" is \"layer9\", which no entry"},
      {"offload kind", entry(4, "split", "png"), "plan entries[4]: \"split\" wants \"jpeg\" or \"raw\""},
      {"jpeg quality", entry(4, "quality", 0), "plan entries[4]: \"quality\" is 0, not in 1..100"},
      {"raw quality", entry(5, "quality", 1), "plan entries[5]: \"quality\" wants 0"},
      {"local split", entry(0, "split", "layer1"), "plan entries[0]: \"split\" wants an empty name"},
      {"local quality", entry(0, "quality", 1), "plan entries[0]: \"quality\" wants 0"},
      {"local bytes", entry(0, "bytes", 1), "plan entries[0]: \"bytes\" wants 0"},
      {"local server", entry(0, "server_seconds", 1), "plan entries[0]: \"server_seconds\" wants 0"},
      {"quality", entry(1, "quality", 256), "plan entries[1]: \"quality\" is 256"},
      {"threads", entry(1, "threads", 0), "plan entries[1]: \"threads\" is 0"},
      {"threads real", entry(1, "threads", 1.5), "plan entries[1]: \"threads\" wants an integer"},
      {"clock", entry(1, "frequency_hz", -1), "plan entries[1]: \"frequency_hz\" is -1"},
      {"batch", entry(1, "batch", 0), "plan entries[1]: \"batch\" is 0"},
      {"batch huge", entry(1, "batch", uint64_t{1} << 40), "plan entries[1]: \"batch\" is 1099511627776"},
      {"device", entry(1, "device_seconds", -1e-9), "plan entries[1]: \"device_seconds\" is -1e-09"},
      {"server", entry(1, "server_seconds", "1"), "plan entries[1]: \"server_seconds\" wants a number"},
      {"joules", entry(1, "device_joules", -1), "plan entries[1]: \"device_joules\" is -1"},
      {"accuracy", entry(1, "accuracy", 100.5), "plan entries[1]: \"accuracy\" is 100.5"}};
  for (const BadPlan& bad : kBad) {
    SCOPED_TRACE(bad.name);
    json plan = SmallJson();
    bad.spoil(plan);
    const Status status = FromText(plan.dump()).status();
    EXPECT_EQ(status.code(), bad.code) << status.ToString();
    EXPECT_TRUE(status.message().starts_with(bad.says)) << status.message();
  }
}

TEST(Plan, RefusesTextThatIsNoSoundJson) {
  const std::string text = PlanToJson(SmallPlan());
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string changed = text;
    const size_t at = changed.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return changed.replace(at, from.size(), to);
  };
  for (const std::string& bad :
       {std::string(), std::string("null"), std::string("[]"), replaced("\"bytes\":0.0", "\"bytes\":NaN"),
        replaced("\"bytes\":0.0", "\"bytes\":1e999"), replaced("\"bytes\":0.0", "\"bytes\":0,\"bytes\":0"),
        std::string(100, '['), text + "x"}) {
    EXPECT_EQ(FromText(bad).status().code(), StatusCode::kCorrupt) << bad.substr(0, 40);
  }
  for (size_t length = 0; length + 1 < text.size(); ++length) EXPECT_FALSE(FromText(text.substr(0, length)).ok());
}

TEST(Plan, BoundsWhatHostileTextMayAllocate) {
  std::string values = "[" + std::string(40'000'000, ',') + "]";
  EXPECT_EQ(FromText(values).status().code(), StatusCode::kLimitExceeded);
}

TEST(Plan, MakerRefusesWhatTheReaderRefuses) {
  const double kNan = std::numeric_limits<double>::quiet_NaN();
  const double kInfinity = std::numeric_limits<double>::infinity();
  for (const double value : {kNan, kInfinity, -1.0}) {
    for (double PlanEntry::*const field :
         {&PlanEntry::device_seconds, &PlanEntry::server_seconds, &PlanEntry::bytes, &PlanEntry::device_joules,
          &PlanEntry::accuracy, &PlanEntry::frequency_hz, &PlanEntry::quality}) {
      PlanSpec spec = SmallPlan();
      spec.entries[1].*field = value;
      EXPECT_EQ(MakePlan(spec).status().code(), StatusCode::kCorrupt);
      EXPECT_FALSE(FromText(PlanToJson(spec)).ok());
    }
  }
  PlanSpec spec = SmallPlan();
  spec.entries[1].route = static_cast<Route>(7);
  EXPECT_EQ(MakePlan(spec).status().message(), "plan entries[1]: \"route\" is 7, not in 0..2");
  spec = SmallPlan();
  spec.entries.clear();
  EXPECT_EQ(MakePlan(spec).status().code(), StatusCode::kCorrupt);
}

TEST(Plan, WriterMakesJsonOfAnyText) {
  PlanSpec spec = SmallPlan();
  spec.device = "caf\xe9 \"quoted\"\n";
  EXPECT_TRUE(FromText(PlanToJson(spec)).ok());
}

// Golden plans, as tests/golden/README.md has it.

std::string GoldenPath(const std::string& name) {
  return std::string(STRAIT_SOURCE_DIR) + "/tests/golden/plan/" + name;
}

std::string Golden(const std::string& name) {
  const auto bytes = ReadFile(GoldenPath(name));
  EXPECT_TRUE(bytes.ok()) << bytes.status().ToString();
  return bytes.ok() ? std::string(bytes->begin(), bytes->end()) : std::string();
}

TEST(GoldenPlanWriter, DISABLED_WritesNewGoldens) {
  if (std::getenv("STRAIT_WRITE_GOLDENS") == nullptr) GTEST_SKIP() << "set STRAIT_WRITE_GOLDENS=1";
  const std::string valid = PlanToJson(SmallPlan());
  std::string list;
  const auto write = [](const std::string& name, const std::string& text) {
    if (std::filesystem::exists(GoldenPath(name))) return;
    ASSERT_TRUE(WriteTextAtomic(GoldenPath(name), text).ok());
  };
  const auto add = [&](const std::string& name, const std::string& from, const std::string& to, StatusCode code) {
    std::string text = valid;
    ASSERT_NE(text.find(from), std::string::npos) << from;
    write(name, text.replace(text.find(from), from.size(), to));
    list += name + " " + std::string(StatusCodeName(code)) + "\n";
  };
  write("valid.json", valid);
  add("empty.json", valid, "", StatusCode::kCorrupt);
  add("cut.json", valid, valid.substr(0, 1000), StatusCode::kCorrupt);
  add("version2.json", "\"version\": 1", "\"version\": 2", StatusCode::kUnsupported);
  add("unknown_key.json", "\"threads\":4", "\"threads\":4,\"cores\":4", StatusCode::kUnsupported);
  add("repeated_key.json", "\"threads\":4", "\"threads\":4,\"threads\":4", StatusCode::kCorrupt);
  add("split_without_model.json", "{\"split\":\"layer2\",", "{\"split\":\"layer3\",", StatusCode::kCorrupt);
  add("bytes_negative.json", "\"bytes\":400.0", "\"bytes\":-400.0", StatusCode::kCorrupt);
  add("seconds_not_finite.json", "\"device_seconds\":0.02", "\"device_seconds\":1e999", StatusCode::kCorrupt);
  add("no_entries.json", valid.substr(valid.find("\"entries\"")), "\"entries\": []\n}\n", StatusCode::kCorrupt);
  write("expected.txt", list);
}

TEST(GoldenPlan, IsReadAndStillWrittenTheSame) {
  const auto plan = Plan::Load(GoldenPath("valid.json"));
  ASSERT_TRUE(plan.ok()) << plan.status().ToString();
  const PlanSpec spec = SmallPlan();
  ASSERT_EQ((*plan)->entries().size(), spec.entries.size());
  for (size_t i = 0; i < spec.entries.size(); ++i) ExpectSame((*plan)->entries()[i], spec.entries[i]);
  EXPECT_EQ(PlanToJson(spec), Golden("valid.json"));
}

TEST(GoldenPlan, RefusesEveryInvalidFileForItsReason) {
  std::istringstream lines(Golden("expected.txt"));
  std::string name, code;
  int files = 0;
  while (lines >> name && std::getline(lines >> std::ws, code)) {
    const Status status = Plan::Load(GoldenPath(name)).status();
    EXPECT_EQ(StatusCodeName(status.code()), code) << name << ": " << status.ToString();
    ++files;
  }
  EXPECT_EQ(files, 9);
}

TEST(Route, HasTheNamesOfThePlanFile) {
  EXPECT_STREQ(RouteName(Route::kLocal), "local");
  EXPECT_STREQ(RouteName(Route::kSplit), "split");
  EXPECT_STREQ(RouteName(Route::kOffload), "offload");
}

}  // namespace
}  // namespace strait
