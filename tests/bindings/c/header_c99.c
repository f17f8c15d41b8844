/* strait.h needs nothing before it, in C99. */
#include <strait/strait.h>

/* So that the compiler reads each of them. */
strait_encode_options_t encode_options_of_c99(void);
strait_encode_options_t encode_options_of_c99(void) { return strait_encode_options_default(); }
