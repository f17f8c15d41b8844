/* Plans, controllers and link estimators from C99, used rightly and wrongly. usage: c_controller_test PLAN_DIR */
#include <math.h>
#include <strait/strait.h>

#include "c_test.h"

static strait_plan_t* load_plan(const char* folder) {
  char path[4096], error[256] = "x";
  strait_plan_t* plan = NULL;
  snprintf(path, sizeof path, "%s/valid.json", folder);
  REQUIRE(strait_plan_load(path, &plan, error, sizeof error) == STRAIT_OK);
  CHECK(error[0] == '\0');
  return plan;
}

static void test_plan_facts(const strait_plan_t* plan) {
  strait_plan_info_t info = strait_plan_info_default();
  strait_plan_model_t model = strait_plan_model_default();
  strait_plan_entry_t entry = strait_plan_entry_default();
  CHECK(strait_plan_get_info(plan, &info) == STRAIT_OK);
  CHECK(info.num_entries == 6 && info.num_models == 2);
  CHECK(strcmp(info.backbone_hash, "xxh3:0123456789abcdef") == 0);
  CHECK(strcmp(info.device, "test device, 4 cores") == 0 && strcmp(info.server, "test server") == 0);
  CHECK(info.idle_watts == 1.5 && info.joules_per_byte == 1e-6 && info.switch_seconds == 0.02);
  CHECK(strait_plan_get_model(plan, 0, &model) == STRAIT_OK);
  CHECK(strcmp(model.split, "layer1") == 0 && strcmp(model.file, "layer1/model.strait") == 0);
  CHECK(model.id == 0x9f3a17c05d20e4b8u);
  CHECK(strait_plan_get_model(plan, 2, &model) == STRAIT_INVALID_ARGUMENT);
  CHECK(strait_plan_get_entry(plan, 1, &entry) == STRAIT_OK);
  CHECK(entry.route == STRAIT_SPLIT && strcmp(entry.split, "layer1") == 0 && entry.quality == 2);
  CHECK(entry.threads == 4 && entry.frequency_hz == 1.8e9 && entry.batch == 1 && entry.reserved == 0);
  CHECK(entry.device_seconds == 0.02 && entry.server_seconds == 0.004 && entry.bytes == 4000);
  CHECK(entry.device_joules == 0.1 && entry.accuracy == 79);
  CHECK(strait_plan_get_entry(plan, 0, &entry) == STRAIT_OK);
  CHECK(entry.route == STRAIT_LOCAL && entry.split[0] == '\0');
  CHECK(strait_plan_get_entry(plan, 5, &entry) == STRAIT_OK && entry.route == STRAIT_OFFLOAD);
  CHECK(strait_plan_get_entry(plan, 6, &entry) == STRAIT_INVALID_ARGUMENT);
}

static strait_status_t status_named(const char* name) {
  strait_status_t status = STRAIT_OK;
  while (strcmp(strait_status_name(status), name) != 0 && status <= STRAIT_INTERNAL) ++status;
  return status;
}

static void test_plans_from_memory(const char* folder) {
  file_t file = read_file(folder, "valid.json");
  file_t list = read_file(folder, "expected.txt");
  strait_plan_t* plan = NULL;
  char error[256];
  char* line;
  CHECK(strait_plan_from_memory(file.bytes, file.size, &plan, error, sizeof error) == STRAIT_OK);
  CHECK(plan != NULL && error[0] == '\0');
  test_plan_facts(plan);
  list.bytes[list.size] = '\0';
  for (line = strtok((char*)list.bytes, "\n"); line != NULL; line = strtok(NULL, "\n")) {
    char name[256] = "";
    char* space = strchr(line, ' ');
    file_t broken;
    strait_plan_t* none = plan;
    REQUIRE(space != NULL);
    strncat(name, line, (size_t)(space - line));
    broken = read_file(folder, name);
    CHECK(strait_plan_from_memory(broken.bytes, broken.size, &none, error, sizeof error) ==
          status_named(space + 1));
    CHECK(none == NULL && error[0] != '\0');
    free(broken.bytes);
  }
  strait_plan_free(plan);
  free(file.bytes);
  free(list.bytes);
}

/* The controller outlives the handle of its plan. */
static void test_choices(strait_plan_t* plan) {
  strait_controller_t* controller = NULL;
  strait_controller_options_t options = strait_controller_options_default();
  strait_channel_state_t channel = strait_channel_state_default();
  strait_request_t request = strait_request_default();
  strait_choice_t choice = strait_choice_default();
  char error[256];
  options.horizon_requests = 0;
  REQUIRE(strait_controller_create(plan, &options, &controller, error, sizeof error) == STRAIT_OK);
  strait_plan_free(plan);
  channel.bytes_per_second = 1e9;
  channel.rtt_seconds = 1e-3;
  CHECK(strait_controller_choose(controller, &channel, NULL, &choice, error, sizeof error) == STRAIT_OK);
  CHECK(choice.index == 5 && choice.meets_deadline == 1 && choice.meets_accuracy == 1 && choice.switched == 0);
  CHECK(fabs(choice.latency_seconds - (1e-3 + 150528 / 1e9 + 0.005)) < 1e-12);
  channel.bytes_per_second = 3e4;
  request.min_accuracy = 75;
  CHECK(strait_controller_choose(controller, &channel, &request, &choice, NULL, 0) == STRAIT_OK);
  CHECK(choice.index == 3 && choice.switched == 1);
  CHECK(choice.has_fallback == 1 && choice.fallback == 0);
  CHECK(choice.give_up_seconds >= choice.latency_seconds && choice.give_up_seconds < 1e6);
  request.deadline_seconds = 1e-4;
  request.min_accuracy = 90;
  CHECK(strait_controller_choose(controller, &channel, &request, &choice, NULL, 0) == STRAIT_OK);
  CHECK(choice.index == 0 && choice.meets_deadline == 0 && choice.meets_accuracy == 0);
  strait_controller_reset(controller);
  channel.bytes_per_second = NAN;
  CHECK(strait_controller_choose(controller, &channel, &request, &choice, NULL, 0) == STRAIT_OK);
  CHECK(choice.index == 0 && choice.switched == 0);
  strait_controller_free(controller);
}

static void test_link_estimator(void) {
  strait_link_estimator_t* estimator = NULL;
  strait_link_estimator_options_t options = strait_link_estimator_options_default();
  strait_channel_state_t channel = strait_channel_state_default();
  int i;
  options.bytes_per_second = 5e6;
  REQUIRE(strait_link_estimator_create(&options, &estimator, NULL, 0) == STRAIT_OK);
  CHECK(strait_link_estimator_needs_probe(estimator, 0) == 1);
  CHECK(strait_link_estimator_state(estimator, 0, &channel) == STRAIT_OK);
  CHECK(fabs(channel.bytes_per_second - 5e6) < 1);
  for (i = 0; i < 50; ++i) {
    const double bytes = i % 2 == 0 ? 100 : 1e5;
    strait_link_estimator_observe(estimator, 0.2 * i, bytes, 0.03 + bytes / 1e5);
  }
  CHECK(strait_link_estimator_needs_probe(estimator, 10) == 0);
  CHECK(strait_link_estimator_state(estimator, 10, &channel) == STRAIT_OK);
  CHECK(channel.bytes_per_second > 9e4 && channel.bytes_per_second < 1.1e5);
  CHECK(channel.rtt_seconds > 0.027 && channel.rtt_seconds < 0.033);
  CHECK(channel.low_bytes_per_second < channel.bytes_per_second && channel.high_rtt_seconds > channel.rtt_seconds);
  CHECK(channel.server_load == 0 && channel.seconds_per_joule == 0);
  for (i = 0; i < 3; ++i) strait_link_estimator_observe_timeout(estimator, 10 + i, 100, 1);
  CHECK(strait_link_estimator_state(estimator, 13, &channel) == STRAIT_OK);
  CHECK(channel.rtt_seconds > 0.3);
  strait_link_estimator_free(estimator);
}

static void test_nulls(const strait_plan_t* plan) {
  const strait_status_t bad = STRAIT_INVALID_ARGUMENT;
  strait_plan_info_t info = strait_plan_info_default();
  strait_plan_model_t model = strait_plan_model_default();
  strait_plan_entry_t entry = strait_plan_entry_default();
  strait_channel_state_t channel = strait_channel_state_default();
  strait_choice_t choice = strait_choice_default();
  strait_plan_t* none = NULL;
  strait_controller_t* controller = NULL;
  strait_link_estimator_t* estimator = NULL;
  char error[256];
  CHECK(strait_plan_load(NULL, &none, NULL, 0) == bad && strait_plan_load("x", NULL, NULL, 0) == bad);
  CHECK(strait_plan_load("/nowhere/plan.json", &none, error, sizeof error) == STRAIT_IO);
  CHECK(strstr(error, "/nowhere/plan.json") != NULL);
  CHECK(strait_plan_from_memory(NULL, 1, &none, NULL, 0) == bad);
  CHECK(strait_plan_from_memory(NULL, 0, &none, NULL, 0) == STRAIT_CORRUPT);
  CHECK(strait_plan_from_memory("{}", 2, NULL, NULL, 0) == bad);
  CHECK(strait_plan_get_info(NULL, &info) == bad && strait_plan_get_info(plan, NULL) == bad);
  CHECK(strait_plan_get_model(NULL, 0, &model) == bad && strait_plan_get_model(plan, 0, NULL) == bad);
  CHECK(strait_plan_get_entry(NULL, 0, &entry) == bad && strait_plan_get_entry(plan, 0, NULL) == bad);
  CHECK(strait_controller_create(NULL, NULL, &controller, error, sizeof error) == bad && controller == NULL);
  CHECK(strcmp(error, "plan: is NULL") == 0);
  CHECK(strait_controller_create(plan, NULL, NULL, NULL, 0) == bad);
  REQUIRE(strait_controller_create(plan, NULL, &controller, NULL, 0) == STRAIT_OK);
  CHECK(strait_controller_choose(NULL, &channel, NULL, &choice, NULL, 0) == bad);
  CHECK(strait_controller_choose(controller, NULL, NULL, &choice, error, sizeof error) == bad);
  CHECK(strcmp(error, "channel: is NULL") == 0);
  CHECK(strait_controller_choose(controller, &channel, NULL, NULL, NULL, 0) == bad);
  CHECK(strait_link_estimator_create(NULL, NULL, NULL, 0) == bad);
  REQUIRE(strait_link_estimator_create(NULL, &estimator, NULL, 0) == STRAIT_OK);
  CHECK(strait_link_estimator_state(NULL, 0, &channel) == bad);
  CHECK(strait_link_estimator_state(estimator, 0, NULL) == bad);
  CHECK(strait_link_estimator_needs_probe(NULL, 0) == 0);
  strait_link_estimator_observe(NULL, 0, 1, 1);
  strait_link_estimator_observe_timeout(NULL, 0, 1, 1);
  strait_controller_reset(NULL);
  strait_plan_free(NULL);
  strait_controller_free(NULL);
  strait_link_estimator_free(NULL);
  strait_controller_free(controller);
  strait_link_estimator_free(estimator);
}

/* Sizes that no release had, and structs newer than the library. */
static void test_struct_sizes(const strait_plan_t* plan) {
  const strait_status_t bad = STRAIT_INVALID_ARGUMENT;
  strait_controller_t* controller = NULL;
  strait_link_estimator_t* estimator = NULL;
  strait_plan_info_t info = strait_plan_info_default();
  strait_controller_options_t options = strait_controller_options_default();
  strait_link_estimator_options_t link_options = strait_link_estimator_options_default();
  strait_request_t request = strait_request_default();
  strait_choice_t choice = strait_choice_default();
  strait_channel_state_t channel = strait_channel_state_default();
  struct {
    strait_channel_state_t known;
    double newer;
  } newer;
  char error[256];
  info.struct_size = 8;
  CHECK(strait_plan_get_info(plan, &info) == bad && info.num_entries == 0);
  options.struct_size = 0;
  CHECK(strait_controller_create(plan, &options, &controller, error, sizeof error) == bad && controller == NULL);
  CHECK(strstr(error, "struct_size 0") != NULL);
  link_options.struct_size = 5000;
  CHECK(strait_link_estimator_create(&link_options, &estimator, NULL, 0) == bad && estimator == NULL);
  REQUIRE(strait_controller_create(plan, NULL, &controller, NULL, 0) == STRAIT_OK);
  choice.struct_size = 4;
  CHECK(strait_controller_choose(controller, &channel, NULL, &choice, NULL, 0) == bad);
  choice = strait_choice_default();
  request.reserved = 1;
  CHECK(strait_controller_choose(controller, &channel, &request, &choice, NULL, 0) == bad);
  request.reserved = 0;
  request.batch = -7; /* counts as one sample */
  CHECK(strait_controller_choose(controller, &channel, &request, &choice, NULL, 0) == STRAIT_OK);
  memset(&newer, 0, sizeof newer);
  newer.known.struct_size = sizeof newer;
  CHECK(strait_controller_choose(controller, &newer.known, NULL, &choice, NULL, 0) == STRAIT_OK);
  newer.newer = 1;
  CHECK(strait_controller_choose(controller, &newer.known, NULL, &choice, NULL, 0) == STRAIT_UNSUPPORTED);
  strait_controller_free(controller);
}

int main(int argc, char** argv) {
  strait_plan_t* plan;
  if (argc != 2) {
    fprintf(stderr, "usage: c_controller_test PLAN_DIR\n");
    return 2;
  }
  plan = load_plan(argv[1]);
  test_plan_facts(plan);
  test_plans_from_memory(argv[1]);
  test_link_estimator();
  test_nulls(plan);
  test_struct_sizes(plan);
  test_choices(plan);
  if (failures != 0) return 1;
  puts("the C interface chooses");
  return 0;
}
