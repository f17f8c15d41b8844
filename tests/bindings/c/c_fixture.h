/* The golden model, its frames and one encoder and decoder: what the C tests begin with. */
#ifndef STRAIT_TESTS_C_FIXTURE_H_
#define STRAIT_TESTS_C_FIXTURE_H_

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

/* The elements of a .npy file of version 1, whose header's length stands in bytes 8 and 9. Free them. */
static float* read_npy(const char* folder, const char* name, size_t num_elements) {
  file_t file = read_file(folder, name);
  float* elements = malloc(num_elements * sizeof(float));
  size_t start;
  REQUIRE(file.size > 10 && elements != NULL);
  start = 10 + file.bytes[8] + 256 * (size_t)file.bytes[9];
  REQUIRE(file.size == start + num_elements * sizeof(float));
  memcpy(elements, file.bytes + start, num_elements * sizeof(float));
  free(file.bytes);
  return elements;
}

static size_t num_elements(strait_shape_t shape) {
  size_t count = 1, i;
  for (i = 0; i < shape.rank; ++i) count *= (size_t)shape.dims[i];
  return count;
}

#endif
