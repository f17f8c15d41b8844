/* The little that the C tests need: checks that count and files read whole. */
#ifndef STRAIT_TESTS_C_TEST_H_
#define STRAIT_TESTS_C_TEST_H_

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures = 0;

#define CHECK(condition)                                                      \
  do {                                                                        \
    if (!(condition)) {                                                       \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      ++failures;                                                             \
    }                                                                         \
  } while (0)

/* For what the rest of a test stands on. */
#define REQUIRE(condition)      \
  do {                          \
    CHECK(condition);           \
    if (failures != 0) exit(1); \
  } while (0)

typedef struct {
  unsigned char* bytes;
  size_t size;
} file_t;

/* The file `folder`/`name`; ends the test where it is missing. Free its bytes. */
static file_t read_file(const char* folder, const char* name) {
  file_t file = {NULL, 0};
  char path[4096];
  FILE* stream;
  long size;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  stream = fopen(path, "rb");
  if (stream == NULL) {
    fprintf(stderr, "%s: cannot be opened\n", path);
    exit(1);
  }
  REQUIRE(fseek(stream, 0, SEEK_END) == 0);
  size = ftell(stream);
  REQUIRE(size >= 0);
  rewind(stream);
  file.size = (size_t)size;
  file.bytes = malloc(file.size + 1);
  REQUIRE(file.bytes != NULL);
  REQUIRE(fread(file.bytes, 1, file.size, stream) == file.size);
  fclose(stream);
  return file;
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

#endif
