// The whole public face of the Strait runtime. Start with Model, then Encoder and Decoder.
#pragma once

#include "strait/controller.h"
#include "strait/decoder.h"
#include "strait/encoder.h"
#include "strait/limits.h"
#include "strait/model.h"
#include "strait/result.h"
#include "strait/status.h"
#include "strait/tensor.h"
#include "strait/version.h"
