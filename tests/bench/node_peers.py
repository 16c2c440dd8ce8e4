#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times node graphs against the same arithmetic in torch, as many threads each, in turns.

Usage: node_peers.py WORKER [--threads 1] [--sizes 512x512,1920x1080] [--rounds N] [--out FILE]

Runs each graph through `framelock-worker run --repeat` and through a few lines of torch that
compute the same as ComfyUI's nodes do, compares the results, and prints the best time of each, their
ratio, and what a bare copy of as many bytes takes. Needs Debian's python3-torch; exit status 77
without it. Fails if a result differs, if a node is slower than its peer, if the median ratio is below
3, or if invert or blend takes more than 1.5 times as long as moving the bytes.
"""
import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time

try:
    import torch
    import torch.nn.functional as F
except ImportError:
    print("python3-torch is not installed")
    sys.exit(77)

LEAST_RATIO, LEAST_MEDIAN_RATIO, MOST_OF_BANDWIDTH = 1.0, 3.0, 1.5


def planes(image):
    return image.permute(0, 3, 1, 2)


def pixels(image):
    return image.permute(0, 2, 3, 1)


def gaussian(radius, sigma):
    line = torch.linspace(-1, 1, 2 * radius + 1)
    y, x = torch.meshgrid(line, line, indexing="ij")
    kernel = torch.exp(-(x * x + y * y) / (2 * sigma * sigma))
    return kernel / kernel.sum()


def convolve(image, kernel):
    radius = kernel.shape[0] // 2
    padded = F.pad(planes(image), (radius,) * 4, "reflect")
    channels = image.shape[3]
    return pixels(F.conv2d(padded, kernel.repeat(channels, 1, 1).unsqueeze(1), groups=channels))


def blur(image, radius, sigma):
    return convolve(image, gaussian(radius, sigma))


def sharpen(image, radius, sigma, alpha):
    kernel = gaussian(radius, sigma) * (-10 * alpha)
    kernel[radius, radius] += 1 - kernel.sum()
    return convolve(image, kernel).clamp(0, 1)


def resize(image, width, height, mode):
    return pixels(F.interpolate(planes(image), size=(height, width), mode=mode))


def blend(image, other, factor, mode):
    return (image * (1 - factor) + mode(image, other) * factor).clamp(0, 1)


def overlay(a, b):
    return torch.where(a <= 0.5, 2 * a * b, 1 - 2 * (1 - a) * (1 - b))


def composite(destination, source, mask):
    mask = F.interpolate(mask.unsqueeze(1), size=source.shape[1:3], mode="bilinear")
    result = planes(destination).clone()
    result[:] = mask * planes(source) + (1 - mask) * result
    return pixels(result)


def feather(mask, size):
    result = mask.clone()
    for k in range(size):
        rate = (k + 1) / size
        result[:, :, k] *= rate
        result[:, k, :] *= rate
        result[:, :, -k] *= rate
        result[:, -k, :] *= rate
    return result


def posterize(image, levels):
    scale = (levels - 1) / 255
    return ((image * 255 * scale).round() / scale / 255).clamp(0, 1)


CANNY_TAPS = torch.exp(-torch.arange(-2.0, 3.0) ** 2 / 2)
CANNY_TAPS = CANNY_TAPS / CANNY_TAPS.sum()
SOBEL = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
AROUND = ((0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1))


def canny(image, low, high):
    grey = (image * torch.tensor([0.299, 0.587, 0.114])).sum(3).unsqueeze(1)
    grey = F.conv2d(F.pad(grey, (2, 2, 0, 0), "reflect"), CANNY_TAPS.view(1, 1, 1, 5))
    grey = F.conv2d(F.pad(grey, (0, 0, 2, 2), "reflect"), CANNY_TAPS.view(1, 1, 5, 1))
    gradient = F.conv2d(F.pad(grey, (1,) * 4, "replicate"), torch.stack((SOBEL, SOBEL.T)).unsqueeze(1))
    gx, gy = gradient[:, :1], gradient[:, 1:]
    size = torch.sqrt(gx * gx + gy * gy + 1e-6)
    direction = (torch.atan2(gy, gx) * 4 / math.pi).round().long() % 8
    steps = torch.zeros(8, 1, 3, 3)
    for i, (y, x) in enumerate(AROUND):
        steps[i, 0, 1, 1] = 1
        steps[i, 0, 1 + y, 1 + x] = -1
    higher = F.conv2d(size, steps, padding=1)
    ridge = torch.minimum(higher.gather(1, direction), higher.gather(1, (direction + 4) % 8)) > 0
    size = size * ridge
    strong = size > high
    weak = (size > low) & ~strong
    while True:
        reached = weak & (F.max_pool2d(strong.float(), 3, 1, 1) > 0)
        if not reached.any():
            return pixels(strong.float()).repeat(1, 1, 1, 3)
        strong, weak = strong | reached, weak & ~reached


class Case:
    """A graph between a LoadTensor "in" and what it names as its result, and its peer."""

    def __init__(self, name, graph, peer, chain=False, moved=0):
        self.name, self.graph, self.peer, self.chain, self.moved = name, graph, peer, chain, moved

    def prompt(self):
        nodes = {"in": {"class_type": "LoadTensor", "inputs": {}}}
        last = "in"
        for node_id, class_type, inputs in self.graph:
            nodes[node_id] = {"class_type": class_type, "inputs": {
                key: [value[1:], 0] if isinstance(value, str) and value.startswith("@") else value
                for key, value in inputs.items()}}
            last = node_id
        nodes["out"] = {"class_type": "SaveTensor", "inputs": {"images": [last, 0]}}
        return nodes


def cases_for(width, height):
    half = {"width": width // 2, "height": height // 2}
    grey = torch.full((1, height, width, 3), 128 / 255)
    light = torch.full((1, height, width), 0.25)
    empty = ("empty", "EmptyImage", {"width": width, "height": height, "batch_size": 1,
                                     "color": 0x808080})
    solid = ("solid", "SolidMask", {"value": 0.25, "width": width, "height": height})
    y, x = height // 4, width // 4
    by_half = ("half", "ImageScaleBy", {"image": "@in", "upscale_method": "bilinear", "scale_by": 0.5})

    def prepared(i):
        i = sharpen(resize(i, width // 2, height // 2, "bilinear"), 1, 1.0, 0.5)
        return ((i - 0.5) * 1.2 + 0.5).clamp(0, 1)

    def titled(i):
        mask = feather((i[..., 0] > 0.5).float(), 32)
        return composite(i, 1 - i, mask)

    def graded(i):
        i = ((1 - i) * 1.2).clamp(0, 1)
        return posterize(((i - 0.5) * 1.3 + 0.5).clamp(0, 1), 8)

    return [
        Case("ImageInvert", [("n", "ImageInvert", {"image": "@in"})], lambda i: 1 - i, moved=2),
        Case("ImageBlend", [empty, ("n", "ImageBlend", {
            "image1": "@in", "image2": "@empty", "blend_factor": 0.5, "blend_mode": "multiply"})],
             lambda i: blend(i, grey, 0.5, torch.mul), moved=3),
        Case("ImageBlur, radius 5", [("n", "ImageBlur", {
            "image": "@in", "blur_radius": 5, "sigma": 1.0})], lambda i: blur(i, 5, 1.0)),
        Case("ImageSharpen", [("n", "ImageSharpen", {
            "image": "@in", "sharpen_radius": 1, "sigma": 1.0, "alpha": 0.5})],
             lambda i: sharpen(i, 1, 1.0, 0.5)),
        Case("ImageScale, bilinear, half", [("n", "ImageScale", {
            "image": "@in", "upscale_method": "bilinear", "crop": "center", **half})],
             lambda i: resize(i, width // 2, height // 2, "bilinear")),
        Case("ImageScaleBy, bicubic, 1.5", [("n", "ImageScaleBy", {
            "image": "@in", "upscale_method": "bicubic", "scale_by": 1.5})],
             lambda i: resize(i, width * 3 // 2, height * 3 // 2, "bicubic")),
        Case("ImageCrop, half", [("n", "ImageCrop", {"image": "@in", "x": x, "y": y, **half})],
             lambda i: i[:, y:y + height // 2, x:x + width // 2]),
        Case("ImageFlip", [("n", "ImageFlip", {
            "image": "@in", "flip_method": "y-axis: horizontally"})], lambda i: torch.flip(i, [2])),
        Case("AdjustBrightness", [("n", "AdjustBrightness", {"images": "@in", "factor": 1.2})],
             lambda i: (i * 1.2).clamp(0, 1)),
        Case("AdjustContrast", [("n", "AdjustContrast", {"images": "@in", "factor": 1.2})],
             lambda i: ((i - 0.5) * 1.2 + 0.5).clamp(0, 1)),
        Case("ImageCompositeMasked", [empty, solid, ("n", "ImageCompositeMasked", {
            "destination": "@in", "source": "@empty", "x": 0, "y": 0, "resize_source": False,
            "mask": "@solid"})], lambda i: composite(i, grey, light)),
        Case("Canny", [("n", "Canny", {
            "image": "@in", "low_threshold": 0.2, "high_threshold": 0.5})],
             lambda i: canny(i, 0.2, 0.5)),
        Case("half size, sharpen, contrast", [by_half, ("s", "ImageSharpen", {
            "image": "@half", "sharpen_radius": 1, "sigma": 1.0, "alpha": 0.5}),
            ("c", "AdjustContrast", {"images": "@s", "factor": 1.2})], prepared, chain=True),
        Case("blur, overlay", [("b", "ImageBlur", {"image": "@in", "blur_radius": 8, "sigma": 1.0}),
                               ("o", "ImageBlend", {"image1": "@in", "image2": "@b",
                                                    "blend_factor": 0.6, "blend_mode": "overlay"})],
             lambda i: blend(i, blur(i, 8, 1.0), 0.6, overlay), chain=True),
        Case("mask, threshold, feather, composite", [
            ("m", "ImageToMask", {"image": "@in", "channel": "red"}),
            ("t", "ThresholdMask", {"mask": "@m", "value": 0.5}),
            ("f", "FeatherMask", {"mask": "@t", "left": 32, "top": 32, "right": 32, "bottom": 32}),
            ("i", "ImageInvert", {"image": "@in"}),
            ("c", "ImageCompositeMasked", {"destination": "@in", "source": "@i", "x": 0, "y": 0,
                                           "resize_source": False, "mask": "@f"})],
             titled, chain=True),
        Case("invert, brightness, contrast, posterize", [
            ("i", "ImageInvert", {"image": "@in"}),
            ("b", "AdjustBrightness", {"images": "@i", "factor": 1.2}),
            ("c", "AdjustContrast", {"images": "@b", "factor": 1.3}),
            ("p", "Posterize", {"image": "@c", "levels": 8})], graded, chain=True),
    ]


def picture(width, height):
    """Smooth shapes and some noise, as in a camera's picture."""
    torch.manual_seed(1)
    coarse = torch.rand(1, 3, height // 32 + 1, width // 32 + 1)
    smooth = F.interpolate(coarse, size=(height, width), mode="bicubic", align_corners=True)
    noisy = pixels(smooth) + torch.randn(1, height, width, 3) * 0.02
    return (noisy.clamp(0, 1) * 255).floor().div(255).contiguous()


def best_ms(function, image, repeat):
    """Of a fresh frame each time, as the worker has."""
    best = math.inf
    for _ in range(repeat):
        frame = image.clone()
        start = time.perf_counter()
        result = function(frame)
        best = min(best, time.perf_counter() - start)
        del result
    return 1000 * best


class Bench:
    def __init__(self, arguments, folder):
        self.worker, self.rounds, self.folder = arguments.worker, arguments.rounds, folder
        self.threads = arguments.threads

    def run_worker(self, case, shape, repeat):
        prompt, output = (os.path.join(self.folder, name) for name in ("prompt.json", "out.f32"))
        with open(prompt, "w", encoding="utf-8") as stream:
            json.dump(case.prompt(), stream)
        report = subprocess.run(
            [self.worker, "run", "--prompt", prompt, "--input", os.path.join(self.folder, "in.f32"),
             "--shape", ",".join(map(str, shape)), "--output", output, "--repeat", str(repeat),
             "--threads", str(self.threads)],
            check=True, capture_output=True, text=True).stdout
        report = json.loads(report)
        with open(output, "rb") as stream:
            values = torch.frombuffer(bytearray(stream.read()), dtype=torch.float32)
        return report["frame_ms"], values.view(report["shape"])

    def row(self, case, image, copy_ms):
        repeat = 10 if image.numel() > 2000000 else 40
        ours = peer = math.inf
        for _ in range(self.rounds):
            frame_ms, result = self.run_worker(case, image.shape, repeat)
            ours = min(ours, frame_ms)
            # A view is no result yet: somebody has to move the pixels.
            peer = min(peer, best_ms(lambda i: case.peer(i).contiguous(), image, repeat))
        apart = (result - case.peer(image)).abs()
        # Steps turn the last bit of a float into a whole level, for some pixels.
        share = (apart > 1e-4).float().mean().item()
        return {"case": case.name, "chain": case.chain, "frame_ms": ours, "torch_ms": peer,
                "ratio": peer / ours, "differing": share,
                "of_bandwidth": ours / (copy_ms * case.moved / 2) if case.moved else None}

    def size(self, width, height):
        image = picture(width, height)
        image.numpy().tofile(os.path.join(self.folder, "in.f32"))
        target = torch.empty_like(image)
        copy_ms = best_ms(target.copy_, image, 50)
        print(f"\n{width}x{height}, threads: {self.threads}; moving the pixels once takes {copy_ms:.3f} ms\n")
        print("| graph | ms | torch ms | ratio | of a bare copy |\n| --- | ---: | ---: | ---: | ---: |")
        rows = []
        for case in cases_for(width, height):
            row = self.row(case, image, copy_ms)
            bound = "" if row["of_bandwidth"] is None else f"{row['of_bandwidth']:.2f}x"
            print(f"| {row['case']} | {row['frame_ms']:.3f} | {row['torch_ms']:.3f} | "
                  f"{row['ratio']:.1f}x | {bound} |", flush=True)
            rows.append({"size": f"{width}x{height}", **row})
        print(f"\nmedian ratio {statistics.median(row['ratio'] for row in rows):.1f}x")
        return rows


def failures(rows):
    for row in rows:
        where = f"{row['case']} at {row['size']}"
        if row["differing"] > 1e-4:
            yield f"{where}: {row['differing']:.2%} of the values differ"
        if row["ratio"] < LEAST_RATIO:
            yield f"{where}: slower than torch"
        if row["of_bandwidth"] is not None and row["of_bandwidth"] > MOST_OF_BANDWIDTH:
            yield f"{where}: {row['of_bandwidth']:.2f} times a bare copy"
    for size in sorted({row["size"] for row in rows}):
        median = statistics.median(row["ratio"] for row in rows if row["size"] == size)
        if median < LEAST_MEDIAN_RATIO:
            yield f"median ratio {median:.2f} at {size}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("worker")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--sizes", default="512x512,1920x1080")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", help="the rows as JSON")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    rows = []
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        bench = Bench(arguments, folder)
        for size in arguments.sizes.split(","):
            rows += bench.size(*map(int, size.split("x")))
    if arguments.out:
        with open(arguments.out, "w", encoding="utf-8") as stream:
            json.dump(rows, stream, indent=1)
    failed = list(failures(rows))
    for line in failed:
        print("MISSED", line)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
