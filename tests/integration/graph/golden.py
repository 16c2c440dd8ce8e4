#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs golden cases through framelock-worker's offline commands.

Usage: golden.py WORKER FOLDER {graphs|errors|verdicts|specs}

FOLDER holds index.json, errors.json, validation.json, specs.json and the raw frames that they name.
Cases with node classes that the worker lacks are left out; a run without any case fails, and so does
one without the file. Exit status 77: FOLDER is not there.
"""
import array
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile

SKIPPED = 77


def load(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as stream:
        return json.load(stream)


def run(worker, *arguments, text=None):
    return subprocess.run([worker, *arguments], input=text, capture_output=True, text=True,
                          timeout=60, check=False)


def shape_text(shape):
    return ",".join(map(str, shape))


def is_known(case, classes):
    return all(node["class_type"] in classes for node in case["prompt"].values())


def plain(value):
    """Inner tracebacks are a Python matter, and lists in random order there are sets."""
    if isinstance(value, dict):
        value = {key: plain(item) for key, item in value.items() if key != "traceback"}
        for key in ("errors", "dependent_outputs", "good_outputs"):
            if key in value:
                value[key] = sorted(value[key], key=lambda item: json.dumps(item, sort_keys=True))
        if "details" in value and "exception_type" in value.get("extra_info", {}):
            value["details"] = sorted(value["details"].split("\n"))
        return value
    return [plain(item) for item in value] if isinstance(value, list) else value


class Golden:
    def __init__(self, worker, folder, scratch):
        self.worker = worker
        self.folder = folder
        self.scratch = scratch
        self.classes = json.loads(run(worker, "nodes").stdout)

    def path(self, name):
        return os.path.join(self.folder, name)

    def prompt_file(self, case):
        path = os.path.join(self.scratch, case["name"] + ".json")
        with open(path, "w", encoding="utf-8") as stream:
            json.dump(case["prompt"], stream)
        return path

    def run_case(self, case, sink, source, kind):
        """Runs to raw bytes: (bytes, "") or (None, what went wrong)."""
        output = os.path.join(self.scratch, f"{case['name']}.{sink}.{kind}")
        result = run(self.worker, "run", "--prompt", self.prompt_file(case), "--sink", sink,
                     "--input" if source["dtype"] == "float32" else "--input-u8",
                     self.path(source["file"]), "--shape", shape_text(source["shape"]),
                     "--output" if kind == "f32" else "--output-u8", output)
        if result.returncode != 0:
            return None, f"exit {result.returncode}: {result.stderr.strip()} {result.stdout.strip()}"
        with open(output, "rb") as stream:
            return (stream.read(), json.loads(result.stdout)["shape"]), ""

    def compare_floats(self, case, sink, expected, source):
        got, problem = self.run_case(case, sink, source, "f32")
        if got is None:
            return problem
        if got[1] != expected["shape"]:
            return f"shape {got[1]}, not {expected['shape']}"
        with open(self.path(expected["file"]), "rb") as stream:
            wanted = array.array("f", stream.read())
        actual = array.array("f", got[0])
        if len(wanted) != len(actual):
            return f"{len(actual)} floats, not {len(wanted)}"
        # Written so that not a number is an outlier.
        tight = case.get("atol_typical", case["atol"])
        outliers = [abs(a - b) for a, b in zip(actual, wanted) if not abs(a - b) <= tight]
        if len(outliers) > case.get("max_outlier_fraction", 0) * len(wanted):
            return f"{len(outliers)} of {len(wanted)} beyond {tight}, worst {max(outliers)}"
        if any(not value <= case["atol"] for value in outliers):
            return f"worst {max(outliers)} beyond {case['atol']}"
        return ""

    def compare_bytes(self, case):
        got, problem = self.run_case(case, case["sink"], case["input_u8"], "u8")
        if got is None:
            return problem
        with open(self.path(case["output_u8"]["file"]), "rb") as stream:
            wanted = stream.read()
        differences = [abs(a - b) for a, b in zip(got[0], wanted) if a != b]
        if len(wanted) != len(got[0]) or max(differences, default=0) > case["atol_u8"]:
            return f"bytes differ by up to {max(differences, default='their number')}"
        if len(differences) > case["max_u8_mismatch_fraction"] * len(wanted):
            return f"{len(differences)} of {len(wanted)} bytes differ"
        return ""

    def check_graph(self, case):
        problem = self.compare_floats(case, case["sink"], case["output"], case["input"])
        for sink, expected in case.get("extra_outputs", {}).items():
            problem = problem or self.compare_floats(case, sink, expected, case["input"])
        if "input_u8" in case:
            problem = problem or self.compare_floats(case, case["sink"], case["output"],
                                                     case["input_u8"])
        if "output_u8" in case:
            problem = problem or self.compare_bytes(case)
        return problem

    def check_error(self, case):
        result = run(self.worker, "run", "--prompt", self.prompt_file(case), "--input",
                     self.path(case["input"]["file"]), "--shape", shape_text(case["input"]["shape"]))
        report = json.loads(result.stdout or "{}")
        if case["exception_type"] is None:
            return "" if report.get("shape") == case["empty_output_shape"] else str(report)
        failed = report.get("failed", {})
        expected = (case["failing_node"], case["failing_class"])
        if result.returncode != 1 or (failed.get("node_id"), failed.get("class_type")) != expected:
            return f"exit {result.returncode}, {report}"
        return "" if failed["message"] else "no message"

    def check_verdict(self, case):
        result = run(self.worker, "validate", "--prompt", "-", text=json.dumps(case["prompt"]))
        verdict = json.loads(result.stdout)
        if "raises" in case:
            refused = result.returncode == 1 and verdict["error"]["type"] == "invalid_prompt"
            return "" if refused else f"exit {result.returncode}, {verdict}"
        if result.returncode != (0 if case["result"]["valid"] else 1):
            return f"exit {result.returncode}"
        got, wanted = plain(verdict), plain(case["result"])
        return "" if got == wanted else f"{json.dumps(got)}\n    not {json.dumps(wanted)}"


def verdict_is_known(case, classes):
    """Unknown classes are the point of some cases: only those that ComfyUI knows are missing."""
    specs = set(case["known_classes"])
    used = {node.get("class_type") for node in case["prompt"].values() if isinstance(node, dict)}
    return "partial_execution_list" not in case and not (used & specs) - set(classes)


def cases_of(golden, what):
    if what == "graphs":
        cases = [c for c in load(golden.folder, "index.json") if is_known(c, golden.classes)]
        return cases, golden.check_graph
    if what == "errors":
        # Two defects that only one source tree has, and values that this worker types strictly.
        cases = [c for c in load(golden.folder, "errors.json") if is_known(c, golden.classes)]
        return cases, golden.check_error
    specs = load(golden.folder, "specs.json")
    if what == "verdicts":
        cases = load(golden.folder, "validation.json")
        for case in cases:
            case["known_classes"] = list(specs)
        return [c for c in cases if verdict_is_known(c, golden.classes)], golden.check_verdict
    cases = [{"name": name, "spec": specs[name]} for name in specs if name in golden.classes]
    return cases, lambda case: ("" if golden.classes[case["name"]] == case["spec"] else
                                f"{golden.classes[case['name']]}\n    not {case['spec']}")


def main():
    worker, folder, what = sys.argv[1:]
    if not os.path.isdir(folder):
        print(f"{folder} is not there")
        return SKIPPED
    with tempfile.TemporaryDirectory() as scratch:
        golden = Golden(worker, folder, scratch)
        cases, check = cases_of(golden, what)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            problems = list(pool.map(check, cases))
    failed = [(case["name"], problem) for case, problem in zip(cases, problems) if problem]
    for name, problem in failed:
        print(f"FAILED {name}: {problem}")
    print(f"{what}: {len(cases) - len(failed)} of {len(cases)} passed")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
