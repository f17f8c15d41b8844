/* The C interface from C99, used wrongly: hostile frames and models, NULLs, shapes and structs out of range,
 * limits, and what the error texts say. usage: c_misuse_test GOLDEN_DIR */
#include <math.h>

#include "c_fixture.h"

static void test_hostile_frames(const fixture_t* f) {
  float dst[SAMPLE];
  strait_tensor_desc_t desc = strait_tensor_desc_default(sample_shape);
  char error[256];
  size_t i, length, bit;
  /* Every golden frame at every shorter length and with every bit turned. */
  for (i = 0; i < NUM_GOLDENS; ++i) {
    char name[256];
    file_t frame;
    const size_t count = num_elements(goldens[i].shape);
    strait_tensor_desc_t golden_desc = strait_tensor_desc_default(goldens[i].shape);
    float* golden_dst = malloc(count * sizeof(float));
    snprintf(name, sizeof name, "valid/%s.stf", goldens[i].name);
    frame = read_file(f->golden, name);
    for (length = 0; length < frame.size; ++length) {
      strait_frame_info_t info = strait_frame_info_default();
      const strait_status_t of_info = strait_frame_get_info(frame.bytes, length, &info, error, sizeof error);
      CHECK((of_info == STRAIT_OK) == (error[0] == '\0'));
      CHECK(strait_decoder_decode(f->decoder, frame.bytes, length, &golden_desc, golden_dst) != STRAIT_OK);
      CHECK(strait_decoder_error(f->decoder)[0] != '\0');
    }
    for (bit = 0; bit < frame.size * 8; ++bit) {
      strait_status_t status;
      frame.bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
      status = strait_decoder_decode(f->decoder, frame.bytes, frame.size, &golden_desc, golden_dst);
      CHECK(status != STRAIT_OK || !goldens[i].checksum);
      CHECK((status == STRAIT_OK) == (strait_decoder_error(f->decoder)[0] == '\0'));
      frame.bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    free(frame.bytes);
    free(golden_dst);
  }
  CHECK(strait_decoder_decode(f->decoder, NULL, 0, &desc, dst) == STRAIT_TRUNCATED);
}

static strait_status_t status_named(const char* name) {
  strait_status_t status = STRAIT_OK;
  while (strcmp(strait_status_name(status), name) != 0 && status <= STRAIT_INTERNAL) ++status;
  return status;
}

static void test_invalid_files_are_refused_for_their_reason(const fixture_t* f) {
  file_t list = read_file(f->golden, "invalid/expected.txt");
  char* line;
  int files = 0;
  list.bytes[list.size] = '\0';
  for (line = strtok((char*)list.bytes, "\n"); line != NULL; line = strtok(NULL, "\n")) {
    char name[256] = "invalid/";
    file_t file;
    strait_status_t status;
    char* space = strchr(line, ' ');
    REQUIRE(space != NULL);
    strncat(name, line, (size_t)(space - line));
    file = read_file(f->golden, name);
    if (strstr(name, ".strait") != NULL) {
      strait_model_t* model = f->model;
      char error[256] = "";
      status = strait_model_from_memory(file.bytes, file.size, NULL, &model, error, sizeof error);
      CHECK(model == NULL && error[0] != '\0');
    } else {
      float dst[SAMPLE];
      strait_tensor_desc_t desc = strait_tensor_desc_default(sample_shape);
      status = strait_decoder_decode(f->decoder, file.bytes, file.size, &desc, dst);
    }
    if (status != status_named(space + 1)) fprintf(stderr, "%s: got %s\n", line, strait_status_name(status));
    CHECK(status == status_named(space + 1));
    free(file.bytes);
    ++files;
  }
  CHECK(files == 16);
  free(list.bytes);
}

static void test_nulls(const fixture_t* f) {
  float data[SAMPLE] = {0};
  unsigned char frame[1024] = {0};
  strait_tensor_desc_t desc = strait_tensor_desc_default(sample_shape);
  strait_model_info_t info = strait_model_info_default();
  strait_level_info_t level = strait_level_info_default();
  strait_frame_info_t frame_info = strait_frame_info_default();
  strait_model_t* model = NULL;
  strait_encoder_t* encoder = NULL;
  strait_decoder_t* decoder = NULL;
  strait_status_t statuses[1] = {-1};
  strait_shape_t shape;
  size_t bytes;
  const strait_status_t bad = STRAIT_INVALID_ARGUMENT;
  CHECK(strait_model_load(NULL, NULL, &model, NULL, 0) == bad);
  CHECK(strait_model_load("x", NULL, NULL, NULL, 0) == bad);
  CHECK(strait_model_from_memory(NULL, 1, NULL, &model, NULL, 0) == bad);
  CHECK(strait_model_from_memory(NULL, 0, NULL, &model, NULL, 0) == STRAIT_TRUNCATED);
  CHECK(strait_model_from_memory(frame, 1, NULL, NULL, NULL, 0) == bad);
  CHECK(strait_model_get_info(NULL, &info) == bad && strait_model_get_info(f->model, NULL) == bad);
  CHECK(strait_model_get_level(NULL, 0, &level) == bad && strait_model_get_level(f->model, 0, NULL) == bad);
  CHECK(strait_encoder_create(NULL, NULL, &encoder, NULL, 0) == bad);
  CHECK(strait_encoder_create(f->model, NULL, NULL, NULL, 0) == bad);
  CHECK(strait_encoder_bound(NULL, &shape, &bytes) == bad && strait_encoder_bound(f->encoder, NULL, &bytes) == bad);
  CHECK(strait_encoder_bound(f->encoder, &sample_shape, NULL) == bad);
  CHECK(strait_encoder_encode(NULL, &desc, data, NULL, frame, sizeof frame, &bytes) == bad);
  CHECK(strait_encoder_encode(f->encoder, NULL, data, NULL, frame, sizeof frame, &bytes) == bad);
  CHECK(strait_encoder_encode(f->encoder, &desc, NULL, NULL, frame, sizeof frame, &bytes) == bad);
  CHECK(strcmp(strait_encoder_error(f->encoder), "src: is NULL") == 0);
  CHECK(strait_encoder_encode(f->encoder, &desc, data, NULL, NULL, sizeof frame, &bytes) == bad);
  CHECK(strait_encoder_encode(f->encoder, &desc, data, NULL, frame, sizeof frame, NULL) == bad);
  CHECK(strait_frame_get_info(NULL, 5, &frame_info, NULL, 0) == bad);
  CHECK(strait_frame_get_info(frame, 5, NULL, NULL, 0) != STRAIT_OK);
  CHECK(strait_decoder_create(NULL, NULL, &decoder, NULL, 0) == bad);
  CHECK(strait_decoder_create(f->model, NULL, NULL, NULL, 0) == bad);
  CHECK(strait_decoder_shape(NULL, frame, 5, &shape) == bad &&
        strait_decoder_shape(f->decoder, NULL, 5, &shape) == bad);
  CHECK(strait_decoder_shape(f->decoder, frame, 5, NULL) == bad);
  CHECK(strait_decoder_decode(NULL, frame, 5, &desc, data) == bad);
  CHECK(strait_decoder_decode(f->decoder, NULL, 5, &desc, data) == bad);
  CHECK(strait_decoder_decode(f->decoder, frame, 5, NULL, data) == bad);
  CHECK(strait_decoder_decode(f->decoder, frame, 5, &desc, NULL) == bad);
  CHECK(strait_decoder_decode_batch(NULL, NULL, 1, &desc, data, statuses) == bad && statuses[0] == bad);
  CHECK(strait_decoder_decode_batch(f->decoder, NULL, 1, &desc, data, NULL) == bad);
  CHECK(strait_encoder_error(NULL)[0] != '\0' && strait_decoder_error(NULL)[0] != '\0');
  CHECK(strait_decoder_frame_error(NULL, 0)[0] != '\0');
  CHECK(model == NULL && encoder == NULL && decoder == NULL);
  strait_model_free(NULL);
  strait_encoder_free(NULL);
  strait_decoder_free(NULL);
}

static void test_shapes_out_of_range(const fixture_t* f) {
  static const strait_shape_t shapes[] = {
      {0, {0}},           {9, {1, 1, 1, 1, 1, 1, 1, 1}},     {(size_t)-1, {1}}, {4, {0, 4, 6, 6}},
      {4, {1, 4, -6, 6}}, {4, {1, 4, INT64_MAX, INT64_MAX}}, {4, {1, 5, 6, 6}}, {2, {4, 36}}};
  float data[SAMPLE] = {0};
  unsigned char frame[1024];
  size_t bytes, i;
  file_t good = read_file(f->golden, "valid/default_q2.stf");
  for (i = 0; i < sizeof shapes / sizeof shapes[0]; ++i) {
    strait_tensor_desc_t desc = strait_tensor_desc_default(shapes[i]);
    CHECK(strait_encoder_bound(f->encoder, &shapes[i], &bytes) == STRAIT_INVALID_ARGUMENT && bytes == 0);
    CHECK(strait_encoder_encode(f->encoder, &desc, data, NULL, frame, sizeof frame, &bytes) ==
          STRAIT_INVALID_ARGUMENT);
    CHECK(strait_decoder_decode(f->decoder, good.bytes, good.size, &desc, data) == STRAIT_INVALID_ARGUMENT);
  }
  data[5] = NAN;
  {
    strait_tensor_desc_t desc = strait_tensor_desc_default(sample_shape);
    CHECK(strait_encoder_encode(f->encoder, &desc, data, NULL, frame, sizeof frame, &bytes) ==
          STRAIT_INVALID_ARGUMENT);
    CHECK(strstr(strait_encoder_error(f->encoder), "finite") != NULL);
  }
  free(good.bytes);
}

/* A caller of another release: its structs are shorter or longer than ours. */
static void test_struct_sizes(const fixture_t* f) {
  float data[SAMPLE] = {0};
  unsigned char frame[1024];
  size_t bytes, i;
  strait_tensor_desc_t desc = strait_tensor_desc_default(sample_shape);
  struct {
    strait_encode_options_t known;
    double unknown[2];
  } newer = {{0, 0, 0, 0, 0}, {0, 0}};
  struct {
    strait_model_info_t known;
    unsigned char unknown[16];
    unsigned char beyond[16];
  } newer_info;
  const size_t bad[] = {0, 1, sizeof(strait_encode_options_t) - 1, 4097, (size_t)-1};
  for (i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
    strait_encode_options_t options = strait_encode_options_default();
    options.struct_size = bad[i];
    CHECK(strait_encoder_encode(f->encoder, &desc, data, &options, frame, sizeof frame, &bytes) ==
          STRAIT_INVALID_ARGUMENT);
    CHECK(strstr(strait_encoder_error(f->encoder), "struct_size") != NULL);
  }
  newer.known = strait_encode_options_default();
  newer.known.struct_size = sizeof newer;
  CHECK(strait_encoder_encode(f->encoder, &desc, data, &newer.known, frame, sizeof frame, &bytes) == STRAIT_OK);
  newer.unknown[1] = 1;
  CHECK(strait_encoder_encode(f->encoder, &desc, data, &newer.known, frame, sizeof frame, &bytes) ==
        STRAIT_UNSUPPORTED);
  newer.known = strait_encode_options_default();
  newer.known.reserved = 1;
  CHECK(strait_encoder_encode(f->encoder, &desc, data, &newer.known, frame, sizeof frame, &bytes) ==
        STRAIT_INVALID_ARGUMENT);
  desc.struct_size = 0;
  CHECK(strait_encoder_encode(f->encoder, &desc, data, NULL, frame, sizeof frame, &bytes) ==
        STRAIT_INVALID_ARGUMENT);

  memset(&newer_info, 0xa5, sizeof newer_info);
  newer_info.known.struct_size = sizeof newer_info.known + sizeof newer_info.unknown;
  CHECK(strait_model_get_info(f->model, &newer_info.known) == STRAIT_OK);
  CHECK(newer_info.known.struct_size == sizeof newer_info.known + sizeof newer_info.unknown);
  CHECK(newer_info.known.num_levels == 3 && newer_info.unknown[0] == 0 && newer_info.unknown[15] == 0);
  CHECK(newer_info.beyond[0] == 0xa5);
  newer_info.known.struct_size = 8;
  CHECK(strait_model_get_info(f->model, &newer_info.known) == STRAIT_INVALID_ARGUMENT);
  newer_info.known.struct_size = 0;
  CHECK(strait_model_get_level(f->model, 0, (strait_level_info_t*)(void*)&newer_info) == STRAIT_INVALID_ARGUMENT);
}

static void test_limits_and_threads(const fixture_t* f) {
  file_t file = read_file(f->golden, "valid/model.strait"), good = read_file(f->golden, "valid/default_q2.stf");
  strait_model_options_t model_options = strait_model_options_default();
  strait_coder_options_t options = strait_coder_options_default();
  strait_model_t* model = NULL;
  strait_encoder_t* encoder = NULL;
  strait_decoder_t* decoder = NULL;
  strait_shape_t shape;
  float* src = read_npy(f->golden, "valid/default_q2.input.npy", SAMPLE);
  strait_tensor_desc_t desc = strait_tensor_desc_default(sample_shape);
  unsigned char frame[1024];
  char error[256];
  size_t bytes;
  model_options.max_model_bytes = (int64_t)file.size - 1;
  CHECK(strait_model_from_memory(file.bytes, file.size, &model_options, &model, error, sizeof error) ==
        STRAIT_LIMIT_EXCEEDED);
  CHECK(model == NULL && error[0] != '\0');
  model_options.max_model_bytes = -1;
  CHECK(strait_model_from_memory(file.bytes, file.size, &model_options, &model, error, sizeof error) ==
        STRAIT_INVALID_ARGUMENT);
  options.max_tensor_elements = SAMPLE - 1;
  REQUIRE(strait_encoder_create(f->model, &options, &encoder, NULL, 0) == STRAIT_OK);
  REQUIRE(strait_decoder_create(f->model, &options, &decoder, NULL, 0) == STRAIT_OK);
  CHECK(strait_encoder_bound(encoder, &sample_shape, &bytes) == STRAIT_LIMIT_EXCEEDED);
  CHECK(strait_decoder_shape(decoder, good.bytes, good.size, &shape) == STRAIT_LIMIT_EXCEEDED && shape.rank == 0);
  strait_encoder_free(encoder);
  strait_decoder_free(decoder);
  options = strait_coder_options_default();
  options.max_transform_elements = -5;
  CHECK(strait_encoder_create(f->model, &options, &encoder, error, sizeof error) == STRAIT_INVALID_ARGUMENT);
  CHECK(encoder == NULL && strstr(error, "negative") != NULL);
  options = strait_coder_options_default();
  options.threads = 3;
  REQUIRE(strait_encoder_create(f->model, &options, &encoder, NULL, 0) == STRAIT_OK);
  CHECK(strait_encoder_encode(encoder, &desc, src, NULL, frame, sizeof frame, &bytes) == STRAIT_OK);
  CHECK(bytes == good.size && memcmp(frame, good.bytes, bytes) == 0);
  strait_encoder_free(encoder);
  free(src);
  free(file.bytes);
  free(good.bytes);
}

static void test_error_texts(const fixture_t* f) {
  strait_model_t* model = NULL;
  char error[256], small[8];
  CHECK(strait_model_load("no/such/file.strait", NULL, &model, error, sizeof error) == STRAIT_IO);
  CHECK(strstr(error, "no/such/file.strait") != NULL && strchr(error, '\n') == NULL);
  memset(small, 'x', sizeof small);
  CHECK(strait_model_load("no/such/file.strait", NULL, &model, small, sizeof small) == STRAIT_IO);
  CHECK(strlen(small) == sizeof small - 1 && strncmp(small, error, sizeof small - 1) == 0);
  small[0] = 'x';
  CHECK(strait_model_load("no/such/file.strait", NULL, &model, small, 0) == STRAIT_IO && small[0] == 'x');
  CHECK(strait_decoder_decode(f->decoder, NULL, 0, NULL, NULL) != STRAIT_OK);
  CHECK(strait_decoder_error(f->decoder)[0] != '\0');
  { /* success takes the text away */
    file_t good = read_file(f->golden, "valid/default_q2.stf");
    strait_shape_t shape;
    CHECK(strait_decoder_shape(f->decoder, good.bytes, good.size, &shape) == STRAIT_OK);
    CHECK(strait_decoder_error(f->decoder)[0] == '\0');
    free(good.bytes);
  }
}

int main(int argc, char** argv) {
  fixture_t f;
  if (argc != 2) {
    fprintf(stderr, "usage: c_misuse_test GOLDEN_DIR\n");
    return 2;
  }
  open_fixture(&f, argv[1]);
  test_hostile_frames(&f);
  test_invalid_files_are_refused_for_their_reason(&f);
  test_nulls(&f);
  test_shapes_out_of_range(&f);
  test_struct_sizes(&f);
  test_limits_and_threads(&f);
  test_error_texts(&f);
  close_fixture(&f);
  if (failures != 0) return 1;
  puts("wrong use is refused");
  return 0;
}
