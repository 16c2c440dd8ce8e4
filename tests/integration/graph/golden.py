#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs golden cases through framelock-worker's offline commands.

Usage: golden.py WORKER FOLDER {graphs|errors|verdicts|specs}

FOLDER holds index.json, errors.json, validation.json, specs.json and the raw frames that they name.
Every case runs: a node class that the worker lacks is a failure, and so is a run without any case.
Exit status 77: FOLDER is not there.
"""
import array
import json
import os
import subprocess
import sys
import tempfile

SKIPPED = 77


def load(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as stream:
        return json.load(stream)


class Batch:
    """One worker process that runs command after command."""

    def __init__(self, worker):
        self.process = subprocess.Popen([worker, "batch", "--log-level", "error"], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def run(self, *words):
        """(exit status, the last object that the command printed or {})."""
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()
        printed = {}
        for line in self.process.stdout:
            report = json.loads(line)
            if "exit" in report:
                return report["exit"], printed
            printed = report
        raise RuntimeError(f"the worker ended with status {self.process.wait()}")

    def close(self):
        self.process.stdin.close()
        return self.process.wait(timeout=60)


def shape_text(shape):
    return ",".join(map(str, shape))


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
        self.folder = folder
        self.scratch = scratch
        self.batch = Batch(worker)
        nodes = subprocess.run([worker, "nodes"], capture_output=True, text=True, check=True)
        self.classes = json.loads(nodes.stdout)

    def path(self, name):
        return os.path.join(self.folder, name)

    def prompt_file(self, case):
        path = os.path.join(self.scratch, "prompt.json")
        with open(path, "w", encoding="utf-8") as stream:
            json.dump(case["prompt"], stream)
        return path

    def run_case(self, case, sink, source, kind):
        """Runs to raw bytes: ((bytes, report), "") or (None, what went wrong)."""
        output = os.path.join(self.scratch, "output." + kind)
        status, report = self.batch.run(
            "run", "--prompt", self.prompt_file(case), "--sink", sink,
            "--input" if source["dtype"] == "float32" else "--input-u8",
            self.path(source["file"]), "--shape", shape_text(source["shape"]),
            "--output" if kind == "f32" else "--output-u8", output)
        if status != 0:
            return None, f"exit {status}: {report}"
        with open(output, "rb") as stream:
            return (stream.read(), report), ""

    def compare_floats(self, case, sink, expected, source):
        got, problem = self.run_case(case, sink, source, "f32")
        if got is None:
            return problem
        if got[1]["shape"] != expected["shape"]:
            return f"shape {got[1]['shape']}, not {expected['shape']}"
        executed = set(got[1]["executed"])
        if executed != set(case.get("executed_nodes", executed)):
            return f"ran {sorted(executed)}, not {case['executed_nodes']}"
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

    def find_graph(self, case):
        """The graph case with the same prompt and input."""
        return next((graph for graph in load(self.folder, "index.json")
                     if (graph["prompt"], graph["input"]) == (case["prompt"], case["input"])), None)

    def check_error(self, case):
        # A defect of one source tree that the graph cases correct.
        corrected = self.find_graph(case) if case.get("tree_specific") else None
        if corrected:
            return self.check_graph(corrected)
        status, report = self.batch.run("run", "--prompt", self.prompt_file(case), "--input",
                                        self.path(case["input"]["file"]), "--shape",
                                        shape_text(case["input"]["shape"]))
        if case["exception_type"] is None:
            return "" if report.get("shape") == case["empty_output_shape"] else str(report)
        failed = report.get("failed", {})
        expected = (case["failing_node"], case["failing_class"])
        if status != 1 or (failed.get("node_id"), failed.get("class_type")) != expected:
            return f"exit {status}, {report}"
        return "" if failed["message"] else "no message"

    def check_verdict(self, case):
        words = ["validate", "--prompt", self.prompt_file(case)]
        if "partial_execution_list" in case:
            words += ["--outputs", ",".join(case["partial_execution_list"])]
        status, verdict = self.batch.run(*words)
        if "raises" in case:
            refused = status == 1 and verdict["error"]["type"] == "invalid_prompt"
            return "" if refused else f"exit {status}, {verdict}"
        if status != (0 if case["result"]["valid"] else 1):
            return f"exit {status}, {verdict}"
        got, wanted = plain(verdict), plain(case["result"])
        return "" if got == wanted else f"{json.dumps(got)}\n    not {json.dumps(wanted)}"

    def check_spec(self, case):
        got = self.classes.get(case["name"])
        return "" if got == case["spec"] else f"{got}\n    not {case['spec']}"


def cases_of(golden, what):
    if what == "graphs":
        return load(golden.folder, "index.json"), golden.check_graph
    if what == "errors":
        return load(golden.folder, "errors.json"), golden.check_error
    if what == "verdicts":
        return load(golden.folder, "validation.json"), golden.check_verdict
    specs = load(golden.folder, "specs.json")
    return [{"name": name, "spec": specs[name]} for name in specs], golden.check_spec


def main():
    worker, folder, what = sys.argv[1:]
    if not os.path.isdir(folder):
        print(f"{folder} is not there")
        return SKIPPED
    with tempfile.TemporaryDirectory() as scratch:
        golden = Golden(worker, folder, scratch)
        cases, check = cases_of(golden, what)
        failed = 0
        for case in cases:
            problem = check(case)
            if problem:
                failed += 1
                print(f"FAILED {case['name']}: {problem}")
        if golden.batch.close() != 0:
            failed += 1
            print("FAILED: the worker's exit status")
    print(f"{what}: {len(cases) - failed} of {len(cases)} passed")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
