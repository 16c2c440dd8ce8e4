// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "workers/graph/node_registry.h"

namespace framelock::nodes {

class Workspace;

// The node classes, one file each, named after the class.
graph::NodeClass AdjustBrightness();
graph::NodeClass AdjustContrast();
graph::NodeClass BatchImages();
graph::NodeClass BatchMasks();
graph::NodeClass Canny();
graph::NodeClass CenterCropImages();
graph::NodeClass ColorToRGBInt();
graph::NodeClass ComfySwitchNode();
graph::NodeClass CropMask();
graph::NodeClass EmptyImage();
graph::NodeClass FeatherMask();
graph::NodeClass Flatten();
graph::NodeClass FloatDivide();
graph::NodeClass FloatMultiply();
graph::NodeClass FloatToInt();
graph::NodeClass GetImageSize();
graph::NodeClass GrowMask();
graph::NodeClass ImageAddNoise();
graph::NodeClass ImageBatch();
graph::NodeClass ImageBlend();
graph::NodeClass ImageBlur();
graph::NodeClass ImageColorToMask();
graph::NodeClass ImageCompositeMasked();
graph::NodeClass ImageCrop();
graph::NodeClass ImageFlip();
graph::NodeClass ImageFromBatch();
graph::NodeClass ImageInvert();
graph::NodeClass ImageLevels();
graph::NodeClass ImageLuminance();
graph::NodeClass ImageMax();
graph::NodeClass ImageMin();
graph::NodeClass ImagePadForOutpaint();
graph::NodeClass ImageQuantize();
graph::NodeClass ImageRGBToYUV();
graph::NodeClass ImageResize1();
graph::NodeClass ImageRotate();
graph::NodeClass ImageScale();
graph::NodeClass ImageScaleBy();
graph::NodeClass ImageScaleToMaxDimension();
graph::NodeClass ImageScaleToTotalPixels();
graph::NodeClass ImageShape();
graph::NodeClass ImageSharpen();
graph::NodeClass ImageStitch();
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
graph::NodeClass LoadAudioTensor();
graph::NodeClass LoadTensor();
graph::NodeClass MaskComposite();
graph::NodeClass MaskToImage();
graph::NodeClass Morphology();
graph::NodeClass NormalizeImages();
graph::NodeClass PitchShifter();
graph::NodeClass PorterDuffImageComposite();
graph::NodeClass PorterDuffImageCompositeV2();
graph::NodeClass Posterize();
graph::NodeClass PrimitiveBoolean();
graph::NodeClass PrimitiveFloat();
graph::NodeClass PrimitiveInt();
graph::NodeClass RepeatImageBatch();
graph::NodeClass ResizeAndPadImage();
graph::NodeClass ResizeImageMask();
graph::NodeClass ResizeImagesByLongerEdge();
graph::NodeClass ResizeImagesByShorterEdge();
graph::NodeClass SaveAudioTensor();
graph::NodeClass SaveTensor();
graph::NodeClass SaveTextTensor();
graph::NodeClass SolidMask();
graph::NodeClass SplitImageWithAlpha();
graph::NodeClass ThresholdMask();

// Those that read or write picture files; without a workspace they refuse every prompt.
graph::NodeClass LoadImage(const std::shared_ptr<const Workspace>& workspace);
graph::NodeClass LoadImageMask(const std::shared_ptr<const Workspace>& workspace);
graph::NodeClass PreviewImage(const std::shared_ptr<const Workspace>& workspace);
graph::NodeClass SaveImage(const std::shared_ptr<const Workspace>& workspace);

}  // namespace framelock::nodes
