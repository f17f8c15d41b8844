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

#endif
