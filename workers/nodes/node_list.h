// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "workers/graph/node_registry.h"

namespace framelock::nodes {

// The node classes, one file each, named after the class.
graph::NodeClass AdjustBrightness();
graph::NodeClass AdjustContrast();
graph::NodeClass Canny();
graph::NodeClass ColorToRGBInt();
graph::NodeClass ComfySwitchNode();
graph::NodeClass CropMask();
graph::NodeClass EmptyImage();
graph::NodeClass FeatherMask();
graph::NodeClass Flatten();
graph::NodeClass FloatDivide();
graph::NodeClass FloatMultiply();
graph::NodeClass FloatToInt();
graph::NodeClass GrowMask();
graph::NodeClass ImageBatch();
graph::NodeClass ImageBlend();
graph::NodeClass ImageBlur();
graph::NodeClass ImageColorToMask();
graph::NodeClass ImageCompositeMasked();
graph::NodeClass ImageCrop();
graph::NodeClass ImageFlip();
graph::NodeClass ImageInvert();
graph::NodeClass ImageMax();
graph::NodeClass ImageMin();
graph::NodeClass ImageRGBToYUV();
graph::NodeClass ImageRotate();
graph::NodeClass ImageScale();
graph::NodeClass ImageScaleBy();
graph::NodeClass ImageSharpen();
graph::NodeClass ImageToMask();
graph::NodeClass ImageYUVToRGB();
graph::NodeClass IntAdd();
graph::NodeClass IntDivide();
graph::NodeClass IntMultiply();
graph::NodeClass IntSubtract();
graph::NodeClass IntToFloat();
graph::NodeClass InvertMask();
graph::NodeClass JoinImageWithAlpha();
graph::NodeClass LazySwitch();
graph::NodeClass LoadTensor();
graph::NodeClass MaskComposite();
graph::NodeClass MaskToImage();
graph::NodeClass Morphology();
graph::NodeClass PorterDuffImageComposite();
graph::NodeClass PorterDuffImageCompositeV2();
graph::NodeClass Posterize();
graph::NodeClass PrimitiveBoolean();
graph::NodeClass PrimitiveFloat();
graph::NodeClass PrimitiveInt();
graph::NodeClass SaveTensor();
graph::NodeClass SaveTextTensor();
graph::NodeClass SolidMask();
graph::NodeClass SplitImageWithAlpha();
graph::NodeClass ThresholdMask();

}  // namespace framelock::nodes
