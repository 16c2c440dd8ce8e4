// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "workers/graph/node_registry.h"

namespace framelock::nodes {

// The node classes, one file each, named after the class.
graph::NodeClass AdjustBrightness();
graph::NodeClass AdjustContrast();
graph::NodeClass ComfySwitchNode();
graph::NodeClass EmptyImage();
graph::NodeClass FloatDivide();
graph::NodeClass FloatMultiply();
graph::NodeClass FloatToInt();
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
graph::NodeClass IntAdd();
graph::NodeClass IntDivide();
graph::NodeClass IntMultiply();
graph::NodeClass IntSubtract();
graph::NodeClass IntToFloat();
graph::NodeClass InvertMask();
graph::NodeClass LazySwitch();
graph::NodeClass LoadTensor();
graph::NodeClass MaskToImage();
graph::NodeClass Posterize();
graph::NodeClass PrimitiveBoolean();
graph::NodeClass PrimitiveFloat();
graph::NodeClass PrimitiveInt();
graph::NodeClass SaveTensor();
graph::NodeClass SaveTextTensor();
graph::NodeClass SolidMask();
graph::NodeClass ThresholdMask();

}  // namespace framelock::nodes
