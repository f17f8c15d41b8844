#include "planner/profile.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/planner/sample_space.h"

namespace strait {
namespace {

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

void ExpectRefused(const std::string& json, StatusCode code, const std::string& part) {
  const Result<Profile> profile = ParseProfile(json, "p.json");
  ASSERT_FALSE(profile.ok()) << part;
  EXPECT_EQ(profile.status().code(), code) << profile.status().message();
  EXPECT_NE(profile.status().message().find(part), std::string::npos) << profile.status().message();
  EXPECT_EQ(profile.status().message().find("p.json"), 0u) << profile.status().message();
}

TEST(Profile, IsReadBackAsWritten) {
  Profile profile = testing::SampleProfile(20);
  profile.timings[3].joules = 0.125;
  profile.time_scale = 20;
  const Result<Profile> back = ParseProfile(ToJson(profile), "p.json");
  ASSERT_TRUE(back.ok()) << back.status().message();
  EXPECT_EQ(ToJson(*back), ToJson(profile));
  EXPECT_EQ(back->clocks_hz, profile.clocks_hz);
  EXPECT_EQ(back->timings[3].joules, 0.125);
}

TEST(Profile, RefusesWhatIsNoneNamingFileAndPlace) {
  const std::string good = ToJson(testing::SampleProfile(20));
  ExpectRefused("{", StatusCode::kCorrupt, "no valid JSON");
  ExpectRefused(Replaced(good, "strait-profile", "strait-plan"), StatusCode::kCorrupt, "\"format\"");
  ExpectRefused(Replaced(good, "\"version\": 1", "\"version\": 2"), StatusCode::kUnsupported, "version 2");
  ExpectRefused(Replaced(good, "\"cores\": 4", "\"cores\": 0"), StatusCode::kCorrupt, "\"cores\"");
  ExpectRefused(Replaced(good, "\"task\": \"head\"", "\"task\": \"hat\""), StatusCode::kCorrupt, "\"hat\"");
  ExpectRefused(Replaced(good, "\"batch\": 1", "\"batch\": -1"), StatusCode::kCorrupt, "timings[0]");
  ExpectRefused(Replaced(good, "\"machine\"", "\"engine\""), StatusCode::kCorrupt, "machine");
  ExpectRefused(Replaced(good, "\"time_scale\"", "\"extra\": 1, \"time_scale\""), StatusCode::kUnsupported,
                "extra");
  ExpectRefused(Replaced(good, "\"busy_watts\": 6.0", "\"busy_watts\": 1.0"), StatusCode::kCorrupt, "busy_watts");
  ExpectRefused(Replaced(good, "0000000000000007", "seven"), StatusCode::kCorrupt, "units[0]: \"model_id\"");
  Profile still = testing::SampleProfile(20);
  still.timings[2].seconds = 0;
  ExpectRefused(ToJson(still), StatusCode::kCorrupt, "timings[2]: \"seconds\" is 0");
  still.timings.clear();
  ExpectRefused(ToJson(still), StatusCode::kCorrupt, "nothing was measured");
  Profile huge = testing::SampleProfile(20);
  huge.timings[2].seconds = 1e10;
  ExpectRefused(ToJson(huge), StatusCode::kCorrupt, "timings[2]: \"seconds\" is 1e+10");
  huge = testing::SampleProfile(20);
  huge.timings[2].place = std::string(5000, 'x');
  ExpectRefused(ToJson(huge), StatusCode::kCorrupt, "timings[2]: \"place\" has 5000 bytes");
  Profile clocks = testing::SampleProfile(20);
  std::ranges::reverse(clocks.clocks_hz);
  ExpectRefused(ToJson(clocks), StatusCode::kCorrupt, "ascending");
}

TEST(Profile, SaysWhichSideItIsOfAndFilesWithoutARoleStillLoad) {
  Profile profile = testing::SampleProfile(20);
  for (const Role role : {Role::kBoth, Role::kDevice, Role::kServer}) {
    profile.role = role;
    EXPECT_EQ(ParseProfile(ToJson(profile), "p.json").value().role, role);
  }
  EXPECT_TRUE(CheckRole(profile, Role::kServer, "p.json").ok());
  EXPECT_EQ(CheckRole(profile, Role::kDevice, "p.json").message(),
            "p.json: is a profile of a server; give it with --server");
  const Profile old = ParseProfile(Replaced(ToJson(profile), " \"role\": \"server\",\n", ""), "p.json").value();
  EXPECT_EQ(old.role, Role::kBoth);
  EXPECT_TRUE(CheckRole(old, Role::kDevice, "p.json").ok());
  EXPECT_TRUE(CheckRole(old, Role::kServer, "p.json").ok());
  ExpectRefused(Replaced(ToJson(profile), "\"role\": \"server\"", "\"role\": \"cloud\""), StatusCode::kCorrupt,
                "\"role\" is \"cloud\"");
}

// A small file must not take gigabytes before it is refused.
TEST(Profile, RefusesMoreValuesThanAProfileHasBeforeParsing) {
  std::string text = "{\"format\": [";
  for (int i = 0; i < (1 << 22); ++i) text += "0,";
  ExpectRefused(text, StatusCode::kLimitExceeded, "JSON values, at most 4194304");
}

TEST(TimingIndex, FindsEachTimingAndTheFirstOfEqualOnes) {
  Profile profile = testing::SampleProfile(20);
  const size_t count = profile.timings.size();
  for (size_t i = 0; i < count; ++i) profile.timings.push_back(profile.timings[i]);
  const TimingIndex index(profile);
  for (size_t i = 0; i < count; ++i) {
    const Timing& t = profile.timings[i];
    EXPECT_EQ(index.Find(t.task, t.place, t.quality, t.threads, t.clock_hz, t.batch), &t) << i;
    EXPECT_EQ(index.Find(t.task, t.place, t.quality + 0.5, t.threads, t.clock_hz, t.batch), nullptr) << i;
    EXPECT_EQ(index.Find(t.task, t.place, t.quality, t.threads, 1e9, t.batch), nullptr) << i;
  }
  EXPECT_EQ(TimingIndex(Profile()).Find(Task::kHead, "layer1", 0, 1, 0, 1), nullptr);
}

}  // namespace
}  // namespace strait
