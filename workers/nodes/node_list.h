// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "workers/graph/node_registry.h"

namespace framelock::nodes {

// The node classes, one file each, named after the class.
graph::NodeClass AdjustBrightness();
graph::NodeClass AdjustContrast();
graph::NodeClass EmptyImage();
graph::NodeClass ImageBatch();
graph::NodeClass ImageBlend();
graph::NodeClass ImageBlur();
graph::NodeClass ImageCompositeMasked();
graph::NodeClass ImageCrop();
graph::NodeClass ImageFlip();
graph::NodeClass ImageInvert();
graph::NodeClass ImageRotate();
graph::NodeClass ImageScale();
graph::NodeClass ImageScaleBy();
graph::NodeClass ImageSharpen();
graph::NodeClass ImageToMask();
graph::NodeClass InvertMask();
graph::NodeClass LoadTensor();
graph::NodeClass MaskToImage();
graph::NodeClass Posterize();
graph::NodeClass SaveTensor();
graph::NodeClass SolidMask();
graph::NodeClass ThresholdMask();

}  // namespace framelock::nodes
