// SPDX-License-Identifier: Apache-2.0
#include "workers/nodes/builtin.h"

#include <memory>
#include <span>
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
    LoadAudioTensor,
    LoadTensor,
    MaskComposite,
    MaskToImage,
    Morphology,
    NormalizeImages,
    PitchShifter,
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
    SaveAudioTensor,
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

constexpr graph::NodeClass (*kPictureNodes[])(const std::shared_ptr<const Workspace>&) = {
    LoadImage,
    LoadImageMask,
    PreviewImage,
    SaveImage,
};

Status AddAll(std::span<const ClassFactory> factories, graph::NodeRegistry& registry) {
  for (const ClassFactory factory : factories) {
    if (Status added = registry.Add(factory()); !added.ok()) {
      return added;
    }
  }
  return {};
}

}  // namespace

Result<graph::NodeRegistry> BuiltinNodes(FaultNodes faults,
                                         const std::shared_ptr<const Workspace>& workspace) {
  graph::NodeRegistry registry;
  if (Status added = AddAll(kNodes, registry); !added.ok()) {
    return added.error();
  }
  for (const auto factory : kPictureNodes) {
    if (Status added = registry.Add(factory(workspace)); !added.ok()) {
      return added.error();
    }
  }
  if (faults == FaultNodes::kPresent) {
    if (Status added = AddAll(kFaultNodes, registry); !added.ok()) {
      return added.error();
    }
  }
  return registry;
}

}  // namespace framelock::nodes
