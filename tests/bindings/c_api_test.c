/* The C interface from C99: round trips against the golden files, wrong use, hostile input.
 * usage: c_api_test GOLDEN_DIR */
#include <math.h>
#include <strait/strait.h>

#include "c_test.h"

#define SAMPLE (4 * 6 * 6)

typedef struct {
  const char* name;
  strait_shape_t shape;
  double quality;
  int checksum;
} golden_t;

static const golden_t goldens[] = {{"default_q2", {4, {1, 4, 6, 6}}, 2.0, 0},
                                   {"default_q0_checksum", {4, {1, 4, 6, 6}}, 0.0, 1},
                                   {"default_between_levels", {4, {1, 4, 6, 6}}, 0.6875, 1},
                                   {"batch3_8x10_q1", {4, {3, 4, 8, 10}}, 1.0, 0},
                                   {"batch2_q2_checksum", {4, {2, 4, 6, 6}}, 2.0, 1}};
#define NUM_GOLDENS (sizeof goldens / sizeof goldens[0])

static const strait_shape_t sample_shape = {4, {1, 4, 6, 6}};

/* What every test begins with. */
typedef struct {
  const char* golden; /* the folder */
  strait_model_t* model;
  strait_encoder_t* encoder;
  strait_decoder_t* decoder;
  char error[256];
} fixture_t;

static void open_fixture(fixture_t* f, const char* golden) {
  char path[4096];
  f->golden = golden;
  snprintf(path, sizeof path, "%s/valid/model.strait", golden);
  memset(f->error, 'x', sizeof f->error);
  REQUIRE(strait_model_load(path, NULL, &f->model, f->error, sizeof f->error) == STRAIT_OK);
  CHECK(f->error[0] == '\0');
  REQUIRE(strait_encoder_create(f->model, NULL, &f->encoder, f->error, sizeof f->error) == STRAIT_OK);
  REQUIRE(strait_decoder_create(f->model, NULL, &f->decoder, f->error, sizeof f->error) == STRAIT_OK);
}

static void close_fixture(fixture_t* f) {
  strait_model_free(f->model);
  strait_encoder_free(f->encoder);
  strait_decoder_free(f->decoder);
}

static size_t num_elements(strait_shape_t shape) {
  size_t count = 1, i;
  for (i = 0; i < shape.rank; ++i) count *= (size_t)shape.dims[i];
  return count;
}

static int same_shape(strait_shape_t a, strait_shape_t b) {
  return a.rank == b.rank && memcmp(a.dims, b.dims, a.rank * sizeof a.dims[0]) == 0;
}

static int is_near(const float* got, const float* want, size_t count, double tolerance) {
  double scale = 1;
  size_t i;
  for (i = 0; i < count; ++i) scale = fmax(scale, fabs(want[i]));
  for (i = 0; i < count; ++i) {
    if (!(fabs((double)got[i] - want[i]) <= tolerance * scale)) return 0;
  }
  return 1;
}

static void test_names(void) {
  CHECK(strcmp(strait_version(), STRAIT_VERSION) == 0);
  CHECK(strcmp(strait_status_name(STRAIT_OK), "ok") == 0);
  CHECK(strcmp(strait_status_name(STRAIT_MODEL_MISMATCH), "model mismatch") == 0);
  CHECK(strcmp(strait_status_name(-7), "unknown") == 0);
  CHECK(STRAIT_INVALID_ARGUMENT == 1 && STRAIT_TRUNCATED == 2 && STRAIT_CORRUPT == 3 && STRAIT_UNSUPPORTED == 4);
  CHECK(STRAIT_LIMIT_EXCEEDED == 5 && STRAIT_MODEL_MISMATCH == 6 && STRAIT_IO == 7 && STRAIT_INTERNAL == 8);
}

static void test_model_facts(const fixture_t* f) {
  strait_model_info_t info = strait_model_info_default();
  strait_level_info_t level = strait_level_info_default();
  const strait_shape_t feature = {3, {4, 6, 6}}, latent = {3, {3, 3, 3}};
  static const double lambdas[] = {8, 2, 0.5};
  size_t i;
  CHECK(strait_model_get_info(f->model, &info) == STRAIT_OK);
  CHECK(info.id == 0xcc835ae35a365b46u);
  CHECK(same_shape(info.feature_shape, feature) && same_shape(info.latent_shape, latent));
  REQUIRE(info.num_levels == 3);
  CHECK(info.manifest[0] == '{' && strlen(info.manifest) == info.manifest_bytes);
  CHECK(info.analysis_macs > 0 && info.synthesis_macs > 0 && info.analysis_params > 0 && info.synthesis_params > 0);
  for (i = 0; i < info.num_levels; ++i) {
    CHECK(strait_model_get_level(f->model, i, &level) == STRAIT_OK);
    CHECK(level.lambda == lambdas[i] && level.bytes_per_sample == 20.0 + (double)i);
    CHECK(i == 0 ? isnan(level.top1) : level.top1 == 90.5);
  }
  CHECK(strait_model_get_level(f->model, info.num_levels, &level) == STRAIT_INVALID_ARGUMENT);
}

static void test_model_from_memory_is_the_same(const fixture_t* f) {
  file_t file = read_file(f->golden, "valid/model.strait");
  strait_model_t* model = NULL;
  strait_model_info_t a = strait_model_info_default(), b = strait_model_info_default();
  REQUIRE(strait_model_from_memory(file.bytes, file.size, NULL, &model, NULL, 0) == STRAIT_OK);
  free(file.bytes);
  CHECK(strait_model_get_info(f->model, &a) == STRAIT_OK && strait_model_get_info(model, &b) == STRAIT_OK);
  CHECK(a.id == b.id && strcmp(a.manifest, b.manifest) == 0);
  strait_model_free(model);
}

static void test_golden_round_trip(const fixture_t* f, const golden_t* golden) {
  char name[256];
  const size_t count = num_elements(golden->shape);
  strait_tensor_desc_t desc = strait_tensor_desc_default(golden->shape);
  strait_encode_options_t options = strait_encode_options_default();
  strait_frame_info_t info = strait_frame_info_default();
  strait_shape_t shape;
  file_t want;
  float *src, *restored, *dst = malloc(count * sizeof(float));
  unsigned char* frame;
  size_t bound = 0, frame_bytes = 0;
  snprintf(name, sizeof name, "valid/%s.stf", golden->name);
  want = read_file(f->golden, name);
  snprintf(name, sizeof name, "valid/%s.input.npy", golden->name);
  src = read_npy(f->golden, name, count);
  snprintf(name, sizeof name, "valid/%s.restored.npy", golden->name);
  restored = read_npy(f->golden, name, count);
  options.quality = golden->quality;
  options.checksum = golden->checksum;

  REQUIRE(strait_encoder_bound(f->encoder, &golden->shape, &bound) == STRAIT_OK);
  CHECK(bound >= want.size);
  frame = malloc(bound);
  CHECK(strait_encoder_encode(f->encoder, &desc, src, &options, frame, bound, &frame_bytes) == STRAIT_OK);
  CHECK(strait_encoder_error(f->encoder)[0] == '\0');
  CHECK(frame_bytes == want.size && memcmp(frame, want.bytes, want.size) == 0);

  CHECK(strait_frame_get_info(want.bytes, want.size, &info, NULL, 0) == STRAIT_OK);
  CHECK(info.version == 1 && info.has_checksum == golden->checksum && info.quality == golden->quality);
  CHECK(info.header_bytes + info.payload_bytes == want.size);
  CHECK(info.shape.rank == 0 ? same_shape(golden->shape, sample_shape) : same_shape(info.shape, golden->shape));
  CHECK(strait_decoder_shape(f->decoder, want.bytes, want.size, &shape) == STRAIT_OK);
  CHECK(same_shape(shape, golden->shape));
  CHECK(strait_decoder_decode(f->decoder, want.bytes, want.size, &desc, dst) == STRAIT_OK);
  CHECK(is_near(dst, restored, count, 1e-5));
  free(frame);
  free(src);
  free(restored);
  free(dst);
  free(want.bytes);
}

static void test_encode_options(const fixture_t* f) {
  float* src = read_npy(f->golden, "valid/default_q2.input.npy", SAMPLE);
  file_t want = read_file(f->golden, "valid/default_q2.stf");
  strait_tensor_desc_t desc = strait_tensor_desc_default(sample_shape);
  strait_encode_options_t options = strait_encode_options_default();
  unsigned char frame[1024];
  size_t bytes = 0;
  /* The highest quality is what none means. */
  CHECK(strait_encoder_encode(f->encoder, &desc, src, NULL, frame, sizeof frame, &bytes) == STRAIT_OK);
  CHECK(bytes == want.size && memcmp(frame, want.bytes, bytes) == 0);
  options.max_bytes = want.size - 1;
  CHECK(strait_encoder_encode(f->encoder, &desc, src, &options, frame, sizeof frame, &bytes) == STRAIT_OK);
  CHECK(bytes > 0 && bytes < want.size);
  options.max_bytes = 1;
  CHECK(strait_encoder_encode(f->encoder, &desc, src, &options, frame, sizeof frame, &bytes) ==
        STRAIT_LIMIT_EXCEEDED);
  CHECK(bytes == 0 && strstr(strait_encoder_error(f->encoder), "smallest") != NULL);
  options.quality = 1;
  CHECK(strait_encoder_encode(f->encoder, &desc, src, &options, frame, sizeof frame, &bytes) ==
        STRAIT_INVALID_ARGUMENT);
  options.max_bytes = 0;
  options.quality = 2.5;
  CHECK(strait_encoder_encode(f->encoder, &desc, src, &options, frame, sizeof frame, &bytes) ==
        STRAIT_INVALID_ARGUMENT);
  CHECK(strstr(strait_encoder_error(f->encoder), "2.5") != NULL);
  options.quality = -0.5;
  CHECK(strait_encoder_encode(f->encoder, &desc, src, &options, frame, sizeof frame, &bytes) ==
        STRAIT_INVALID_ARGUMENT);
  /* A buffer one byte too small is left as it was. */
  memset(frame, 0xa5, sizeof frame);
  CHECK(strait_encoder_encode(f->encoder, &desc, src, NULL, frame, want.size - 1, &bytes) == STRAIT_LIMIT_EXCEEDED);
  CHECK(bytes == 0 && frame[0] == 0xa5 && frame[want.size - 1] == 0xa5);
  CHECK(strait_encoder_encode(f->encoder, &desc, src, NULL, frame, want.size, &bytes) == STRAIT_OK);
  CHECK(bytes == want.size && frame[want.size] == 0xa5);
  free(src);
  free(want.bytes);
}

/* The same values in other types and in channels-last order make the same frame. */
static void test_types_and_strides(const fixture_t* f) {
  static const int64_t channels_last[] = {4 * 6 * 6, 1, 6 * 4, 4};
  float src[SAMPLE], decoded[SAMPLE];
  int8_t src_int8[SAMPLE], decoded_int8[SAMPLE];
  uint16_t src_bfloat16[SAMPLE], decoded_half[SAMPLE];
  unsigned char want[1024], frame[1024];
  size_t want_bytes = 0, bytes = 0, i;
  strait_tensor_desc_t desc = strait_tensor_desc_default(sample_shape);
  for (i = 0; i < SAMPLE; ++i) { /* multiples of a quarter: exact in every type */
    const size_t pixel = i % 36, channel = i / 36, last = pixel * 4 + channel;
    union {
      float value;
      uint32_t bits;
    } pun;
    pun.value = 0.25f * (float)((int)(i * 37 % 31) - 15);
    src[i] = pun.value;
    src_int8[i] = (int8_t)(pun.value * 4);
    src_bfloat16[last] = (uint16_t)(pun.bits >> 16);
  }
  CHECK(strait_encoder_encode(f->encoder, &desc, src, NULL, want, sizeof want, &want_bytes) == STRAIT_OK);
  CHECK(strait_decoder_decode(f->decoder, want, want_bytes, &desc, decoded) == STRAIT_OK);

  desc.dtype = STRAIT_INT8;
  desc.scale = 0.25f;
  CHECK(strait_encoder_encode(f->encoder, &desc, src_int8, NULL, frame, sizeof frame, &bytes) == STRAIT_OK);
  CHECK(bytes == want_bytes && memcmp(frame, want, bytes) == 0);
  desc.scale = 0.5f;
  CHECK(strait_decoder_decode(f->decoder, want, want_bytes, &desc, decoded_int8) == STRAIT_OK);
  for (i = 0; i < SAMPLE; ++i) CHECK(decoded_int8[i] == fmax(-128, fmin(nearbyint(decoded[i] / 0.5), 127)));
  desc.scale = 0;
  CHECK(strait_encoder_encode(f->encoder, &desc, src_int8, NULL, frame, sizeof frame, &bytes) ==
        STRAIT_INVALID_ARGUMENT);

  desc = strait_tensor_desc_default(sample_shape);
  desc.dtype = STRAIT_BFLOAT16;
  memcpy(desc.strides, channels_last, sizeof channels_last);
  CHECK(strait_encoder_encode(f->encoder, &desc, src_bfloat16, NULL, frame, sizeof frame, &bytes) == STRAIT_OK);
  CHECK(bytes == want_bytes && memcmp(frame, want, bytes) == 0);
  desc.strides[1] = 2;
  CHECK(strait_encoder_encode(f->encoder, &desc, src_bfloat16, NULL, frame, sizeof frame, &bytes) ==
        STRAIT_UNSUPPORTED);

  desc = strait_tensor_desc_default(sample_shape);
  desc.dtype = STRAIT_BFLOAT16;
  CHECK(strait_decoder_decode(f->decoder, want, want_bytes, &desc, decoded_half) == STRAIT_OK);
  for (i = 0; i < SAMPLE; ++i) {
    union {
      uint32_t bits;
      float value;
    } pun;
    pun.bits = (uint32_t)decoded_half[i] << 16;
    CHECK(fabs(pun.value - decoded[i]) <= fabs(decoded[i]) / 128);
  }
  desc.dtype = 4;
  CHECK(strait_decoder_decode(f->decoder, want, want_bytes, &desc, decoded_half) == STRAIT_INVALID_ARGUMENT);
}

static void test_batch_with_a_corrupt_frame(const fixture_t* f) {
  file_t good = read_file(f->golden, "valid/default_q2.stf"),
         also = read_file(f->golden, "valid/default_q0_checksum.stf");
  float* restored = read_npy(f->golden, "valid/default_q2.restored.npy", SAMPLE);
  float* also_restored = read_npy(f->golden, "valid/default_q0_checksum.restored.npy", SAMPLE);
  strait_shape_t shape = {4, {3, 4, 6, 6}};
  strait_tensor_desc_t desc = strait_tensor_desc_default(shape);
  strait_frame_t frames[3];
  strait_status_t statuses[3] = {-1, -1, -1};
  float dst[3 * SAMPLE];
  unsigned char corrupt[256];
  size_t i;
  REQUIRE(also.size <= sizeof corrupt);
  memcpy(corrupt, also.bytes, also.size);
  corrupt[also.size - 1] ^= 1;
  frames[0].bytes = good.bytes;
  frames[0].num_bytes = good.size;
  frames[1].bytes = corrupt;
  frames[1].num_bytes = also.size;
  frames[2].bytes = also.bytes;
  frames[2].num_bytes = also.size;

  for (i = 0; i < 3 * SAMPLE; ++i) dst[i] = 77;
  CHECK(strait_decoder_decode_batch(f->decoder, frames, 3, &desc, dst, statuses) == STRAIT_OK);
  CHECK(statuses[0] == STRAIT_OK && statuses[1] == STRAIT_CORRUPT && statuses[2] == STRAIT_OK);
  CHECK(strstr(strait_decoder_frame_error(f->decoder, 1), "checksum") != NULL);
  CHECK(strait_decoder_frame_error(f->decoder, 0)[0] == '\0' &&
        strait_decoder_frame_error(f->decoder, 3)[0] == '\0');
  CHECK(is_near(dst, restored, SAMPLE, 1e-5) && is_near(dst + 2 * SAMPLE, also_restored, SAMPLE, 1e-5));
  for (i = SAMPLE; i < 2 * SAMPLE; ++i) CHECK(dst[i] == 0);

  for (i = 0; i < 3 * SAMPLE; ++i) dst[i] = 77;
  CHECK(strait_decoder_decode_batch(f->decoder, frames, 3, &desc, dst, NULL) == STRAIT_CORRUPT);
  CHECK(strstr(strait_decoder_error(f->decoder), "frame 1") != NULL);
  CHECK(strait_decoder_frame_error(f->decoder, 1)[0] == '\0');
  for (i = 0; i < 3 * SAMPLE; ++i) CHECK(dst[i] == 77);

  CHECK(strait_decoder_decode_batch(f->decoder, frames, 2, &desc, dst, statuses) == STRAIT_INVALID_ARGUMENT);
  CHECK(statuses[0] == STRAIT_INVALID_ARGUMENT && statuses[1] == STRAIT_INVALID_ARGUMENT);
  CHECK(strait_decoder_decode_batch(f->decoder, frames, 0, &desc, dst, NULL) == STRAIT_INVALID_ARGUMENT);
  frames[2].bytes = NULL;
  CHECK(strait_decoder_decode_batch(f->decoder, frames, 3, &desc, dst, statuses) == STRAIT_INVALID_ARGUMENT);
  free(good.bytes);
  free(also.bytes);
  free(restored);
  free(also_restored);
}

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

/* Coders outlive the handle of their model. */
static void test_coders_keep_their_model(fixture_t* f) {
  float data[SAMPLE] = {1, 2, 3}, dst[SAMPLE];
  unsigned char frame[1024];
  size_t bytes;
  strait_tensor_desc_t desc = strait_tensor_desc_default(sample_shape);
  strait_model_free(f->model);
  f->model = NULL;
  CHECK(strait_encoder_encode(f->encoder, &desc, data, NULL, frame, sizeof frame, &bytes) == STRAIT_OK);
  CHECK(strait_decoder_decode(f->decoder, frame, bytes, &desc, dst) == STRAIT_OK);
}

int main(int argc, char** argv) {
  fixture_t f;
  size_t i;
  if (argc != 2) {
    fprintf(stderr, "usage: c_api_test GOLDEN_DIR\n");
    return 2;
  }
  open_fixture(&f, argv[1]);
  test_names();
  test_model_facts(&f);
  test_model_from_memory_is_the_same(&f);
  for (i = 0; i < NUM_GOLDENS; ++i) test_golden_round_trip(&f, &goldens[i]);
  test_encode_options(&f);
  test_types_and_strides(&f);
  test_batch_with_a_corrupt_frame(&f);
  test_hostile_frames(&f);
  test_invalid_files_are_refused_for_their_reason(&f);
  test_nulls(&f);
  test_shapes_out_of_range(&f);
  test_struct_sizes(&f);
  test_limits_and_threads(&f);
  test_error_texts(&f);
  test_coders_keep_their_model(&f);
  close_fixture(&f);
  if (failures != 0) return 1;
  puts("the C interface holds");
  return 0;
}
