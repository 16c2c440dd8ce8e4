// SPDX-License-Identifier: Apache-2.0
#include "workers/nodes/builtin.h"

#include <utility>

#include "workers/nodes/fault/fault_list.h"
#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

using ClassFactory = graph::NodeClass (*)();

constexpr ClassFactory kNodes[] = {
    AdjustBrightness,
    AdjustContrast,
    BatchImages,
    BatchMasks,
    Canny,
    CenterCropImages,
    ColorToRGBInt,
    ComfySwitchNode,
    CropMask,
    EmptyImage,
    FeatherMask,
    Flatten,
    FloatDivide,
    FloatMultiply,
    FloatToInt,
    GetImageSize,
    GrowMask,
    ImageAddNoise,
    ImageBatch,
    ImageBlend,
    ImageBlur,
    ImageColorToMask,
    ImageCompositeMasked,
    ImageCrop,
    ImageFlip,
    ImageFromBatch,
    ImageInvert,
    ImageLevels,
    ImageLuminance,
    ImageMax,
    ImageMin,
    ImagePadForOutpaint,
    ImageQuantize,
    ImageRGBToYUV,
    ImageResize1,
    ImageRotate,
    ImageScale,
    ImageScaleBy,
    ImageScaleToMaxDimension,
    ImageScaleToTotalPixels,
    ImageShape,
    ImageSharpen,
    ImageStitch,
    ImageToMask,
    ImageYUVToRGB,
    IntAdd,
    IntDivide,
    IntMultiply,
    IntSubtract,
    IntToFloat,
    InvertMask,
    JoinImageWithAlpha,
    LazySwitch,
    LoadTensor,
    MaskComposite,
    MaskToImage,
    Morphology,
    NormalizeImages,
    PorterDuffImageComposite,
    PorterDuffImageCompositeV2,
    Posterize,
    PrimitiveBoolean,
    PrimitiveFloat,
    PrimitiveInt,
    RepeatImageBatch,
    ResizeAndPadImage,
    ResizeImageMask,
    ResizeImagesByLongerEdge,
    ResizeImagesByShorterEdge,
    SaveTensor,
    SaveTextTensor,
    SolidMask,
    SplitImageWithAlpha,
    ThresholdMask,
};

constexpr ClassFactory kFaultNodes[] = {
    FaultAllocate,  FaultCrash, FaultError, FaultExit,          FaultHang,
    FaultLoadSleep, FaultPace,  FaultSleep, FaultWrongSequence,
};

}  // namespace

Result<graph::NodeRegistry> BuiltinNodes(FaultNodes faults) {
  graph::NodeRegistry registry;
  for (const ClassFactory factory : kNodes) {
    if (Status added = registry.Add(factory()); !added.ok()) {
      return added.error();
    }
  }
  if (faults == FaultNodes::kAbsent) {
    return registry;
  }
  for (const ClassFactory factory : kFaultNodes) {
    if (Status added = registry.Add(factory()); !added.ok()) {
      return added.error();
    }
  }
  return registry;
}

}  // namespace framelock::nodes
