# SPDX-License-Identifier: Apache-2.0
"""README.md's tables of options against what they describe, both ways, defaults included.

Usage: readme_options.py REPOSITORY FRAMELOCKD. The options are those that framelockd --help prints,
the parameters those of StreamParams in api/openapi.yaml (which is JSON).
"""
import json
import os
import re
import subprocess
import sys


def table(readme, heading):
    """{name: default} of the rows below a heading; one row may name several."""
    part = readme.split("\n### " + heading + "\n", 1)[1].split("\n#", 1)[0]
    rows = re.findall(r"^\| (`[^|]+) \| ([^|]*)\|", part, re.MULTILINE)
    return {name: default.strip() for names, default in rows
            for name in re.findall(r"`([^`]+)`", names)}


def options(program):
    """{--name: default}; CLI11 prints "  --name TYPE:CHECK in [1 - 9]=default   text", a list in []."""
    text = subprocess.run([program, "--help"], check=True, capture_output=True, text=True,
                          timeout=10).stdout
    found = {}
    for name, rest in re.findall(r"^  (?:-\w,)?(--[\w-]+)(.*)$", text, re.MULTILINE):
        found[name] = rest.split("  ")[0].partition("=")[2].strip(" []")
    found.pop("--help")
    return found


def parameters(openapi):
    with open(openapi) as file:
        properties = json.load(file)["components"]["schemas"]["StreamParams"]["properties"]
    return {name: str(value.get("default", "")).replace("True", "true").replace("False", "false")
            for name, value in properties.items()}


def main(repository, framelockd):
    with open(os.path.join(repository, "README.md")) as file:
        readme = file.read()
    wrong = []
    for heading, real in (("Options of `framelockd`", options(framelockd)),
                          ("`params` of `POST /stream/start`",
                           {**parameters(os.path.join(repository, "api/openapi.yaml")),
                            "prompt": "inverts"})):
        said = table(readme, heading)
        assert said and real, heading
        for name in sorted(said.keys() | real.keys()):
            if said.get(name) != real.get(name):
                wrong.append("%s: README says %s, it is %s"
                             % (name, said.get(name, "nothing"), real.get(name, "not there")))
    print("\n".join(wrong) or "README's tables are true")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
