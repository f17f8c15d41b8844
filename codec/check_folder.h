// Asked before minutes of work whose file could not be written.
#pragma once

#include <string>

#include "strait/status.h"

namespace strait {

// Whether the folder that `file` is to lie in exists. Errors: kIo, naming both.
Status CheckFolder(const std::string& file);

}  // namespace strait
