// The C interface of the Strait runtime, C99 and up; C++ has strait.hpp.
// Start here: strait_model_load, then strait_encoder_create and strait_encoder_encode on one side and
// strait_decoder_create and strait_decoder_decode on the other. docs/install.md has a whole program.
//
// Threads: a model never changes, and any number of threads may use one at the same time. An encoder or a decoder
// serves one thread at a time. Different handles have nothing in common but the model they were made with.
//
// Ownership: what a _create, _load or _from_memory function gives is freed with the _free of its kind; freeing NULL
// does nothing. An encoder or a decoder keeps its model alive: the model's handle may be freed before them. Every
// other pointer is only read or written during the call it is given to.
//
// Errors: functions that can fail return a status, STRAIT_OK or one of the others. They never throw, abort or
// print. A failed call leaves the buffers and structs it was to fill untouched; sizes, shapes and handles become
// zero and NULL. A NULL where a pointer is needed is STRAIT_INVALID_ARGUMENT. The text of the last call on a handle
// is kept in it (strait_encoder_error, strait_decoder_error). Functions without such a handle write it to a buffer
// of the caller's, `error`, of `error_bytes` bytes: always ended by a zero byte, cut where it does not fit, empty
// after success. NULL and 0 mean that nobody will read it; 256 bytes hold nearly every text.
//
// Versions: structs that may grow begin with struct_size, the sizeof of the struct that the caller was compiled
// with; the _default functions set it. The library reads and writes no byte beyond it, and takes every size from
// the first release's on; smaller ones are STRAIT_INVALID_ARGUMENT. A caller newer than the library is fine as long
// as what the library does not know is zero, which will always mean "as before", and STRAIT_UNSUPPORTED otherwise.
// In structs that the library fills in, what it does not know becomes zero.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "strait/version.h"

#if defined(__GNUC__)
#define STRAIT_API __attribute__((visibility("default")))
#else
#define STRAIT_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

// ---- Status

// Types of fixed width rather than enums, whose width is the compiler's. All numbers are frozen.
typedef int32_t strait_status_t;
enum {
  STRAIT_OK = 0,
  STRAIT_INVALID_ARGUMENT = 1,  // the caller's argument is out of its documented range
  STRAIT_TRUNCATED = 2,         // the bytes end before the format says they may
  STRAIT_CORRUPT = 3,           // the bytes contradict the format, their checksum or themselves
  STRAIT_UNSUPPORTED = 4,       // sound, but of a version, type or shape this build does not handle
  STRAIT_LIMIT_EXCEEDED = 5,    // would pass a limit set by the caller, or memory
  STRAIT_MODEL_MISMATCH = 6,    // the frame was made with another model
  STRAIT_IO = 7,                // the operating system refused a read
  STRAIT_INTERNAL = 8           // a bug of Strait; please report it
};

// Short lower-case name of a status, for example "truncated".
STRAIT_API const char* strait_status_name(strait_status_t status);

// Version of the library that runs, "0.1.0"; STRAIT_VERSION is the one of this header.
STRAIT_API const char* strait_version(void);

// ---- Tensors

#define STRAIT_MAX_RANK 8

// Dimensions from outermost to innermost; feature maps are N, C, H, W, tokens N, T, C.
typedef struct strait_shape {
  size_t rank;                    // entries of dims in use
  int64_t dims[STRAIT_MAX_RANK];  // the rest is not read, and zero where the library writes
} strait_shape_t;

typedef int32_t strait_dtype_t;
enum {
  STRAIT_FLOAT32 = 0,
  STRAIT_FLOAT16 = 1,   // IEEE 754 binary16
  STRAIT_BFLOAT16 = 2,  // the upper half of a float32
  STRAIT_INT8 = 3       // value = scale * integer
};

// How a tensor lies in memory; its data are given beside it.
typedef struct strait_tensor_desc {
  size_t struct_size;
  strait_shape_t shape;
  // Of each dimension, in elements; all zero means contiguous. The other layout that is taken is channels-last
  // (memory order N, H, W, C) of N, C, H, W.
  int64_t strides[STRAIT_MAX_RANK];
  strait_dtype_t dtype;
  float scale;  // of STRAIT_INT8: positive and finite
} strait_tensor_desc_t;

// A contiguous float32 tensor of `shape`.
static inline strait_tensor_desc_t strait_tensor_desc_default(strait_shape_t shape) {
  strait_tensor_desc_t desc = {
      sizeof(strait_tensor_desc_t), {0, {0, 0, 0, 0, 0, 0, 0, 0}}, {0, 0, 0, 0, 0, 0, 0, 0}, STRAIT_FLOAT32, 1.0f};
  desc.shape = shape;
  return desc;
}

// ---- Model

typedef struct strait_model strait_model_t;

// Bounds on what the bytes of a model file may make the library allocate. Zero is the library's own bound.
typedef struct strait_model_options {
  size_t struct_size;
  int64_t max_model_bytes;         // size of the file
  int64_t max_tensor_elements;     // of one feature tensor or latent
  int64_t max_transform_elements;  // of all values that one transform makes, together
} strait_model_options_t;

static inline strait_model_options_t strait_model_options_default(void) {
  const strait_model_options_t options = {sizeof(strait_model_options_t), 0, 0, 0};
  return options;
}

// Reads and checks a model file (docs/format.md). `options` may be NULL. Errors: STRAIT_IO, STRAIT_TRUNCATED,
// STRAIT_CORRUPT, STRAIT_UNSUPPORTED, STRAIT_LIMIT_EXCEEDED; the text names the file.
STRAIT_API strait_status_t strait_model_load(const char* path, const strait_model_options_t* options,
                                             strait_model_t** model, char* error, size_t error_bytes);

// The same from memory.
STRAIT_API strait_status_t strait_model_from_memory(const void* bytes, size_t num_bytes,
                                                    const strait_model_options_t* options, strait_model_t** model,
                                                    char* error, size_t error_bytes);

STRAIT_API void strait_model_free(strait_model_t* model);

typedef struct strait_model_info {
  size_t struct_size;
  uint64_t id;                   // XXH3-64 of the file's bytes; seeds the checksum of frames
  strait_shape_t feature_shape;  // of one sample, without the batch: C, H, W or T, C
  strait_shape_t latent_shape;
  size_t num_levels;      // qualities go from 0, the fewest bytes, to num_levels - 1
  const char* manifest;   // JSON text with a zero byte at its end; lives as long as the model's handle
  size_t manifest_bytes;  // without the zero byte
  int64_t analysis_macs;  // multiply-adds and parameters of the transforms, for one sample of the model's shape
  int64_t synthesis_macs;
  int64_t analysis_params;
  int64_t synthesis_params;
} strait_model_info_t;

static inline strait_model_info_t strait_model_info_default(void) {
  const strait_model_info_t info = {sizeof(strait_model_info_t),
                                    0,
                                    {0, {0, 0, 0, 0, 0, 0, 0, 0}},
                                    {0, {0, 0, 0, 0, 0, 0, 0, 0}},
                                    0,
                                    NULL,
                                    0,
                                    0,
                                    0,
                                    0,
                                    0};
  return info;
}

// Fills in `info`, whose struct_size must be set. Errors: STRAIT_INVALID_ARGUMENT.
STRAIT_API strait_status_t strait_model_get_info(const strait_model_t* model, strait_model_info_t* info);

// One trained rate point, as measured at export over validation data; NaN where nothing was measured.
typedef struct strait_level_info {
  size_t struct_size;
  double lambda;            // rate-distortion weight the level was trained with
  double bytes_per_sample;  // mean size of a frame, header included, no checksum
  double top1;              // accuracy in percent: top-1, or mean IoU of networks that answer for every pixel
} strait_level_info_t;

static inline strait_level_info_t strait_level_info_default(void) {
  const strait_level_info_t info = {sizeof(strait_level_info_t), 0, 0, 0};
  return info;
}

// Fills in `info`, whose struct_size must be set, for `level` in [0, num_levels). Errors: STRAIT_INVALID_ARGUMENT.
STRAIT_API strait_status_t strait_model_get_level(const strait_model_t* model, size_t level,
                                                  strait_level_info_t* info);

// ---- What an encoder or a decoder is made with

typedef struct strait_coder_options {
  size_t struct_size;
  // As in strait_model_options; zero is the library's own bound.
  int64_t max_tensor_elements;
  int64_t max_transform_elements;
  // Threads that one call may use, the caller's included: 1 to 64, others are clamped. Results are the same for any
  // number. The others are started once and sleep between calls.
  int32_t threads;
  int32_t reserved;  // zero
} strait_coder_options_t;

static inline strait_coder_options_t strait_coder_options_default(void) {
  const strait_coder_options_t options = {sizeof(strait_coder_options_t), 0, 0, 1, 0};
  return options;
}

// ---- Encoder

typedef struct strait_encoder strait_encoder_t;

// `options` may be NULL.
STRAIT_API strait_status_t strait_encoder_create(const strait_model_t* model, const strait_coder_options_t* options,
                                                 strait_encoder_t** encoder, char* error, size_t error_bytes);

STRAIT_API void strait_encoder_free(strait_encoder_t* encoder);

// What the last call on `encoder` failed for, in one line; empty after success. Valid until the next call on it.
STRAIT_API const char* strait_encoder_error(const strait_encoder_t* encoder);

// Bytes that no frame of a tensor of `shape` passes, whatever its values and the options.
// Errors: as strait_encoder_encode's for a shape.
STRAIT_API strait_status_t strait_encoder_bound(strait_encoder_t* encoder, const strait_shape_t* shape,
                                                size_t* frame_bytes);

#define STRAIT_QUALITY_HIGHEST (-1.0)

typedef struct strait_encode_options {
  size_t struct_size;
  // Real number in [0, num_levels - 1], kept in sixteenths of a level, or STRAIT_QUALITY_HIGHEST.
  double quality;
  // Unless zero, the best quality whose frame has at most this many bytes is used, and `quality` must be
  // STRAIT_QUALITY_HIGHEST. STRAIT_LIMIT_EXCEEDED, naming the smallest size that would do, when none fits.
  size_t max_bytes;
  // Not zero: adds 4 bytes that catch corruption and a wrong model.
  int32_t checksum;
  int32_t reserved;  // zero
} strait_encode_options_t;

// The highest quality without a checksum.
static inline strait_encode_options_t strait_encode_options_default(void) {
  const strait_encode_options_t options = {sizeof(strait_encode_options_t), STRAIT_QUALITY_HIGHEST, 0, 0, 0};
  return options;
}

// Encodes `src`, N, C, H, W or N, T, C with the model's channels, any batch and, up to the limits, any size. Writes
// the frame to the start of `frame` and its size to `frame_bytes`. `options` may be NULL. After the first call with
// a shape, calls with that shape allocate nothing. Errors: STRAIT_INVALID_ARGUMENT (shape, quality, values that are
// not finite), STRAIT_UNSUPPORTED (strides), STRAIT_LIMIT_EXCEEDED (limits, max_bytes; frame_capacity too small:
// never with strait_encoder_bound bytes).
STRAIT_API strait_status_t strait_encoder_encode(strait_encoder_t* encoder, const strait_tensor_desc_t* src_desc,
                                                 const void* src, const strait_encode_options_t* options,
                                                 void* frame, size_t frame_capacity, size_t* frame_bytes);

// ---- Frames

typedef struct strait_frame_info {
  size_t struct_size;
  int32_t version;
  int32_t has_checksum;  // 0 or 1
  double quality;
  strait_shape_t shape;  // of the feature tensor, batch first; rank 0: the model's own shape, batch 1
  size_t header_bytes;   // everything before the payload, checksum included
  size_t payload_bytes;
} strait_frame_info_t;

static inline strait_frame_info_t strait_frame_info_default(void) {
  const strait_frame_info_t info = {sizeof(strait_frame_info_t), 0, 0, 0, {0, {0, 0, 0, 0, 0, 0, 0, 0}}, 0, 0};
  return info;
}

// Reads the header of a frame without its model into `info`, whose struct_size must be set.
// Errors: STRAIT_TRUNCATED, STRAIT_CORRUPT, STRAIT_UNSUPPORTED.
STRAIT_API strait_status_t strait_frame_get_info(const void* frame, size_t frame_bytes, strait_frame_info_t* info,
                                                 char* error, size_t error_bytes);

// ---- Decoder

typedef struct strait_decoder strait_decoder_t;

// `options` may be NULL.
STRAIT_API strait_status_t strait_decoder_create(const strait_model_t* model, const strait_coder_options_t* options,
                                                 strait_decoder_t** decoder, char* error, size_t error_bytes);

STRAIT_API void strait_decoder_free(strait_decoder_t* decoder);

// What the last call on `decoder` failed for, in one line; empty after success. Valid until the next call on it.
STRAIT_API const char* strait_decoder_error(const strait_decoder_t* decoder);

// Shape of the feature tensor that a frame holds, batch first, read from its header and held to the limits.
STRAIT_API strait_status_t strait_decoder_shape(strait_decoder_t* decoder, const void* frame, size_t frame_bytes,
                                                strait_shape_t* shape);

// Restores the feature tensor of `frame` into `dst`, whose shape is exactly the frame's. Values that the type
// cannot hold are rounded to nearest even; beyond its range float16 becomes infinite and int8 saturates. After the
// first call with a shape, calls with that shape allocate nothing. Errors: STRAIT_TRUNCATED, STRAIT_CORRUPT,
// STRAIT_UNSUPPORTED, STRAIT_MODEL_MISMATCH, STRAIT_LIMIT_EXCEEDED; STRAIT_INVALID_ARGUMENT (`dst` of another
// shape).
STRAIT_API strait_status_t strait_decoder_decode(strait_decoder_t* decoder, const void* frame, size_t frame_bytes,
                                                 const strait_tensor_desc_t* dst_desc, void* dst);

typedef struct strait_frame {
  const void* bytes;
  size_t num_bytes;
} strait_frame_t;

// Restores many frames, of any qualities. `dst` is N, ... with N a multiple of num_frames: frame i, a batch of
// N / num_frames samples, fills the i-th part. When `statuses` is given it has num_frames entries: sound frames are
// restored, the part of an unsound one is zeroed and its entry says why; the call is then ok. With NULL the first
// unsound frame fails the call ("frame 3: ..."), with `dst` untouched. A call that fails as a whole sets every
// entry to its own status.
STRAIT_API strait_status_t strait_decoder_decode_batch(strait_decoder_t* decoder, const strait_frame_t* frames,
                                                       size_t num_frames, const strait_tensor_desc_t* dst_desc,
                                                       void* dst, strait_status_t* statuses);

// Why frame `index` of the last call, strait_decoder_decode_batch with statuses, was unsound; empty when it was
// sound or there is no such frame. Valid until the next call on `decoder`.
STRAIT_API const char* strait_decoder_frame_error(const strait_decoder_t* decoder, size_t index);

// ---- The choice of split and rate (strait/controller.h says it all)

// A plan lists configurations worth running, made offline by strait-plan; it never changes, and any number of
// threads may use one. A controller picks one for each request; a link estimator says what the channel is like.
// Both serve one thread at a time. Seconds, bytes, joules of the device, percent.

typedef int32_t strait_route_t;
enum {
  STRAIT_LOCAL = 0,   // the whole network on the device
  STRAIT_SPLIT = 1,   // head on the device, a frame, tail on the server
  STRAIT_OFFLOAD = 2  // the input is sent; the whole network on the server
};

typedef struct strait_plan strait_plan_t;

// Reads and checks a plan file (docs/format.md). Errors: STRAIT_IO, STRAIT_CORRUPT, STRAIT_UNSUPPORTED,
// STRAIT_LIMIT_EXCEEDED; the text names the file and the entry.
STRAIT_API strait_status_t strait_plan_load(const char* path, strait_plan_t** plan, char* error,
                                            size_t error_bytes);

// The same from memory.
STRAIT_API strait_status_t strait_plan_from_memory(const void* bytes, size_t num_bytes, strait_plan_t** plan,
                                                   char* error, size_t error_bytes);

// Controllers keep their plan alive; the texts of infos and entries live as long as one of them or the handle.
STRAIT_API void strait_plan_free(strait_plan_t* plan);

typedef struct strait_plan_info {
  size_t struct_size;
  size_t num_entries;  // one or more
  size_t num_models;
  const char* backbone_hash;
  const char* device;
  const char* server;
  double idle_watts;
  double joules_per_byte;
  double switch_seconds;
} strait_plan_info_t;

static inline strait_plan_info_t strait_plan_info_default(void) {
  const strait_plan_info_t info = {sizeof(strait_plan_info_t), 0, 0, NULL, NULL, NULL, 0, 0, 0};
  return info;
}

// Fills in `info`, whose struct_size must be set. Errors: STRAIT_INVALID_ARGUMENT.
STRAIT_API strait_status_t strait_plan_get_info(const strait_plan_t* plan, strait_plan_info_t* info);

// A unit that entries of STRAIT_SPLIT encode with.
typedef struct strait_plan_model {
  size_t struct_size;
  const char* split;
  const char* file;  // relative to the plan's folder unless absolute
  uint64_t id;       // as in strait_model_info
} strait_plan_model_t;

static inline strait_plan_model_t strait_plan_model_default(void) {
  const strait_plan_model_t model = {sizeof(strait_plan_model_t), NULL, NULL, 0};
  return model;
}

// Fills in `model`, whose struct_size must be set, for `index` in [0, num_models).
STRAIT_API strait_status_t strait_plan_get_model(const strait_plan_t* plan, size_t index,
                                                 strait_plan_model_t* model);

// One configuration and what it takes for a batch, the network apart.
typedef struct strait_plan_entry {
  size_t struct_size;
  strait_route_t route;
  int32_t threads;      // of the device
  const char* split;    // of STRAIT_SPLIT the cut, of STRAIT_OFFLOAD "jpeg" or "raw", else empty
  double quality;       // of the encoder, or of JPEG
  double frequency_hz;  // clock of the device's cores; 0: as it is
  int32_t batch;
  int32_t reserved;  // zero
  double device_seconds;
  double server_seconds;
  double bytes;
  double device_joules;
  double accuracy;
} strait_plan_entry_t;

static inline strait_plan_entry_t strait_plan_entry_default(void) {
  const strait_plan_entry_t entry = {sizeof(strait_plan_entry_t), STRAIT_LOCAL, 0, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  return entry;
}

// Fills in `entry`, whose struct_size must be set, for `index` in [0, num_entries).
STRAIT_API strait_status_t strait_plan_get_entry(const strait_plan_t* plan, size_t index,
                                                 strait_plan_entry_t* entry);

// The channel and the server when a request arrives. Every double is taken: what makes no sense is no channel, or
// no load, no weight.
typedef struct strait_channel_state {
  size_t struct_size;
  double bytes_per_second;      // not positive: no channel, only what runs on the device
  double rtt_seconds;           // negative: the same
  double server_load;           // [0, 1): the share of the server that others keep busy
  double seconds_per_joule;     // what a joule is worth; 0: only latency counts, 1e6: energy alone
  double low_bytes_per_second;  // pessimistic values that deadlines are held against; 0: the ones above
  double high_rtt_seconds;
} strait_channel_state_t;

static inline strait_channel_state_t strait_channel_state_default(void) {
  const strait_channel_state_t channel = {sizeof(strait_channel_state_t), 0, 0, 0, 0, 0, 0};
  return channel;
}

typedef struct strait_request {
  size_t struct_size;
  double deadline_seconds;  // zero: none
  double min_accuracy;      // percent
  int32_t batch;            // samples
  int32_t reserved;         // zero
} strait_request_t;

// One sample without a deadline, of any accuracy.
static inline strait_request_t strait_request_default(void) {
  const strait_request_t request = {sizeof(strait_request_t), 0, 0, 1, 0};
  return request;
}

typedef struct strait_choice {
  size_t struct_size;
  size_t index;            // of the entry
  double latency_seconds;  // expected, a switch included; infinite without a channel where one is needed
  double energy_joules;
  int32_t meets_deadline;  // 0 or 1, as the others
  int32_t meets_accuracy;
  int32_t switched;  // another split or route than the choice before
  // Not zero: when no answer has come give_up_seconds after the request began, it pays to run the local entry
  // `fallback` and take whichever ends first.
  int32_t has_fallback;
  size_t fallback;         // index of an entry; 0 without one
  double give_up_seconds;  // infinite without one
} strait_choice_t;

static inline strait_choice_t strait_choice_default(void) {
  const strait_choice_t choice = {sizeof(strait_choice_t), 0, 0, 0, 0, 0, 0, 0, 0, 0};
  return choice;
}

typedef struct strait_controller strait_controller_t;

typedef struct strait_controller_options {
  size_t struct_size;
  // A switch of split or route must earn its cost back within so many requests. 0: never holds on to a choice.
  double horizon_requests;
} strait_controller_options_t;

static inline strait_controller_options_t strait_controller_options_default(void) {
  const strait_controller_options_t options = {sizeof(strait_controller_options_t), 16};
  return options;
}

// `options` may be NULL.
STRAIT_API strait_status_t strait_controller_create(const strait_plan_t* plan,
                                                    const strait_controller_options_t* options,
                                                    strait_controller_t** controller, char* error,
                                                    size_t error_bytes);

STRAIT_API void strait_controller_free(strait_controller_t* controller);

// Of the entries that meet accuracy and deadline the one of the smallest latency + seconds_per_joule * energy; what
// comes closest where none does. `request` may be NULL; `choice` needs its struct_size. Allocates nothing; about a
// microsecond for ten thousand entries. Errors: STRAIT_INVALID_ARGUMENT.
STRAIT_API strait_status_t strait_controller_choose(strait_controller_t* controller,
                                                    const strait_channel_state_t* channel,
                                                    const strait_request_t* request, strait_choice_t* choice,
                                                    char* error, size_t error_bytes);

// Forgets the choice before.
STRAIT_API void strait_controller_reset(strait_controller_t* controller);

// Rate and round trip of a link from the transfers seen over it.
typedef struct strait_link_estimator strait_link_estimator_t;

typedef struct strait_link_estimator_options {
  size_t struct_size;
  double bytes_per_second;  // what is believed before the first transfer
  double rtt_seconds;
  double half_life_seconds;  // after so many an old estimate counts half against a new transfer
} strait_link_estimator_options_t;

static inline strait_link_estimator_options_t strait_link_estimator_options_default(void) {
  const strait_link_estimator_options_t options = {sizeof(strait_link_estimator_options_t), 1e6, 0.05, 0.5};
  return options;
}

// `options` may be NULL.
STRAIT_API strait_status_t strait_link_estimator_create(const strait_link_estimator_options_t* options,
                                                        strait_link_estimator_t** estimator, char* error,
                                                        size_t error_bytes);

STRAIT_API void strait_link_estimator_free(strait_link_estimator_t* estimator);

// A message of `bytes` was sent and answered within `seconds`, the server's own time taken off; `now_seconds` is
// any clock that does not run backwards. What is not positive and finite is ignored.
STRAIT_API void strait_link_estimator_observe(strait_link_estimator_t* estimator, double now_seconds, double bytes,
                                              double seconds);

// A message was not answered within `seconds`.
STRAIT_API void strait_link_estimator_observe_timeout(strait_link_estimator_t* estimator, double now_seconds,
                                                      double bytes, double seconds);

// Fills in `channel`, whose struct_size must be set; server_load and seconds_per_joule become zero.
// Errors: STRAIT_INVALID_ARGUMENT.
STRAIT_API strait_status_t strait_link_estimator_state(const strait_link_estimator_t* estimator, double now_seconds,
                                                       strait_channel_state_t* channel);

// 1 when a small message should be sent to see the link, else 0.
STRAIT_API int32_t strait_link_estimator_needs_probe(const strait_link_estimator_t* estimator, double now_seconds);

#ifdef __cplusplus
}
#endif
