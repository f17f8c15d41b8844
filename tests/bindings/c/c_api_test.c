/* The C interface from C99: facts, round trips against the golden files, options, types, batches.
 * usage: c_api_test GOLDEN_DIR */
#include <math.h>

#include "c_fixture.h"

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
  test_coders_keep_their_model(&f);
  close_fixture(&f);
  if (failures != 0) return 1;
  puts("the C interface holds");
  return 0;
}
