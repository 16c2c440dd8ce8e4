# SPDX-License-Identifier: Apache-2.0
"""Makes tables and plots of what framelock-bench wrote.

Usage: render_results.py DIR [--update-readme README --readme-plots DIR]

Reads DIR/results.json, writes DIR/results.md and DIR/*.svg. With --update-readme, the rows that have a
goal or a peer go between README's markers as well, and the plots into --readme-plots.
"""
import argparse
import json
import os
import re
import shutil
import sys

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"


def number(value):
    """Three digits that count."""
    if value == 0 or 0.001 <= abs(value) < 100000:
        digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
        text = "%.*f" % (digits, value)
        return text.rstrip("0").rstrip(".") if "." in text else text
    return "%.3g" % value


def figure(row):
    unit = "" if row["unit"] in ("", "count", "ratio") else " " + row["unit"]
    return number(row["median"]) + unit + (" ±%.0f %%" % (100 * row["spread"]) if row["spread"] else "")


def goal(row):
    """("≤ 0.7", "yes"), or two empty texts."""
    if not row or "goal" not in row:
        return "", ""
    (kind, limit), = row["goal"].items()
    return ("≤ " if kind == "at_most" else "≥ ") + number(limit), "yes" if row["met"] else "**no**"


def lines_of(rows, every):
    """Table lines of one suite: a line each case, metric and peer."""
    groups = {}
    for row in rows:
        groups.setdefault((row["case"], row["metric"]), []).append(row)
    for (case, metric), group in groups.items():
        ours = next((row for row in group if row["who"] == "framelock" and "against" not in row), None)
        ratios = {row["against"]: row for row in group if "against" in row}
        peers = [row for row in group if row["who"] != "framelock"] or [None]
        if not every and peers == [None] and not any("goal" in row for row in group):
            continue
        for peer in peers:
            ratio = peer and ratios.get(peer["who"])
            own, own_met = goal(ours if peer is peers[0] else None)
            paired, paired_met = goal(ratio)
            yield "| %s |" % " | ".join((
                case, metric, figure(ours) if ours else "–",
                "%s: %s" % (peer["who"], figure(peer)) if peer else "–",
                figure(ratio) if ratio else "–",
                "; ".join(filter(None, (own, paired and "ratio " + paired))) or "–",
                ", ".join(filter(None, (own_met, paired_met))) or "–"))


def tables(results, every):
    suites = {}
    for row in results["rows"]:
        suites.setdefault(row["suite"], []).append(row)
    for suite, rows in suites.items():
        lines = list(lines_of(rows, every))
        if lines:
            yield "**%s**\n\n| case | metric | Framelock | peer | ratio | goal | met |\n%s\n%s\n" % (
                suite, "|---|---|---|---|---|---|---|", "\n".join(lines))


def heading(results):
    machine, options = results["machine"], results["options"]
    return ("Measured on %s, %d cores, %s; commit %s, %s build, %s; medians of %s runs%s, ± half of what "
            "lies between the least and the most.\n" % (
                machine["cpu"], machine["cores"], machine["kernel"], results["commit"],
                results["build"] or "plain", results["date"][:10], options["pairs"],
                "" if options["depth"] == "full" else " (%s run)" % options["depth"]))


def plot(results, folder):
    """One SVG each suite, metric and kind; their names. None where matplotlib is not installed."""
    try:
        import matplotlib
    except ImportError:
        print("no plots: install python3-matplotlib")
        return []
    matplotlib.use("svg")
    # The same figures make the same file.
    matplotlib.rcParams["svg.hashsalt"] = "framelock"
    from matplotlib import pyplot
    figures = {}
    for series in results["series"]:
        figures.setdefault((series["suite"], series["metric"], series["kind"]), []).append(series)
    names = []
    for (suite, metric, kind), all_series in figures.items():
        shape, axes = pyplot.subplots(figsize=(7, 3.6))
        for series in all_series:
            axes.plot(series["x"], series["y"], linewidth=1,
                      linestyle="-" if series["who"] == "framelock" else "--",
                      label=", ".join(filter(None, (series["case"], series["who"]))))
        value = "%s (%s)" % (metric, all_series[0]["unit"])
        if kind == "cdf":
            axes.set(xlabel=value, ylabel="share at or below", ylim=(0, 1))
            if min(min(series["x"], default=0) for series in all_series) > 0:
                axes.set_xscale("log")
        else:
            axes.set(xlabel="seconds", ylabel=value)
        axes.set_title(suite)
        axes.grid(True, linewidth=0.3)
        axes.legend(fontsize="x-small")
        name = re.sub(r"[^a-z0-9]+", "-", ("%s-%s-%s" % (suite, metric, kind)).lower()).strip("-") + ".svg"
        shape.savefig(os.path.join(folder, name), bbox_inches="tight", metadata={"Date": None})
        pyplot.close(shape)
        # matplotlib leaves blanks at line ends.
        with open(os.path.join(folder, name)) as file:
            text = re.sub(r"[ \t]+$", "", file.read(), flags=re.MULTILINE)
        with open(os.path.join(folder, name), "w") as file:
            file.write(text)
        names.append(name)
    return names


def images(names, folder):
    return "".join("![%s](%s)\n" % (name[:-4], os.path.join(folder, name)) for name in names)


def update_readme(results, names, source, readme, plots):
    with open(readme) as file:
        text = file.read()
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        sys.exit("%s: wants one line %s and one line %s" % (readme, BEGIN, END))
    os.makedirs(plots, exist_ok=True)
    for old in os.listdir(plots):
        if old.endswith(".svg"):
            os.unlink(os.path.join(plots, old))
    for name in names:
        shutil.copy(os.path.join(source, name), plots)
    part = "\n".join([heading(results), *tables(results, every=False),
                      images(names, os.path.relpath(plots, os.path.dirname(readme) or "."))])
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    with open(readme, "w") as file:
        file.write(before + BEGIN + "\n" + part + END + after)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", metavar="DIR")
    parser.add_argument("--update-readme", metavar="README")
    parser.add_argument("--readme-plots", metavar="DIR")
    arguments = parser.parse_args()
    with open(os.path.join(arguments.folder, "results.json")) as file:
        results = json.load(file)
    names = plot(results, arguments.folder)
    with open(os.path.join(arguments.folder, "results.md"), "w") as file:
        file.write("\n".join(["# Benchmark results\n", heading(results), *tables(results, every=True),
                              images(names, "")]))
    if arguments.update_readme:
        if not arguments.readme_plots:
            parser.error("--update-readme wants --readme-plots")
        update_readme(results, names, arguments.folder, arguments.update_readme, arguments.readme_plots)
    print("results.md: %d rows of %d suites" % (len(results["rows"]),
                                                len({row["suite"] for row in results["rows"]})))


if __name__ == "__main__":
    main()
