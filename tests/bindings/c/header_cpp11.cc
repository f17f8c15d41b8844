// strait.h needs nothing before it, in C++11 too, whose callers have no C++20.
#include <strait/strait.h>

#include "strait/strait.h"  // twice does no harm

static_assert(sizeof(strait_status_t) == 4 && sizeof(strait_dtype_t) == 4, "frozen");

strait_encode_options_t EncodeOptionsOfCpp11();
strait_encode_options_t EncodeOptionsOfCpp11() { return strait_encode_options_default(); }
