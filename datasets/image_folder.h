// Photographs in DIR/train and DIR/val, one sub-folder a class: JPEG, PNG, BMP and WebP.
// Classes are the sub-folders of DIR/train in sorted order (of DIR/val where there is no train), so that a class
// without validation images does not shift the labels of the others. Images are decoded at each Get.
#pragma once

#include <memory>
#include <string>

#include "datasets/dataset.h"

namespace strait {

Result<std::unique_ptr<Dataset>> OpenImageFolder(const std::string& dir, Subset subset);

}  // namespace strait
