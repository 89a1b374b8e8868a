#!/usr/bin/env python3
"""Draws mutations of the CPU bodies by a seed, builds each in a copy of the tree and runs the properties of its operations.

The second score beside the catalogue of planted faults: nobody chose what is drawn. README.md says how to read it."""

import argparse
import difflib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
TE_SHARED = ["te.knn", "te.range_count", "te.ksg"]
# Sources of the CPU bodies, and the operations whose properties look at them.
SOURCES = {
    "kernels/dense/softmax.cpp": ["dense.softmax"],
    "kernels/te/digamma.hpp": ["te.digamma", "te.ksg"],
    "kernels/te/digamma.cpp": ["te.digamma"],
    "kernels/te/embed.cpp": ["te.embed"],
    "kernels/te/knn.cpp": ["te.knn"],
    "kernels/te/range_count.cpp": ["te.range_count"],
    "kernels/te/ksg.cpp": ["te.ksg"],
    "kernels/te/network.cpp": ["te.network"],
    "kernels/spatial/columns.cpp": TE_SHARED,
    "kernels/spatial/counting.hpp": ["te.range_count", "te.ksg"],
    "kernels/spatial/descent_inl.hpp": TE_SHARED,
    "kernels/spatial/distance_inl.hpp": TE_SHARED,
    "kernels/spatial/exclusion.hpp": TE_SHARED,
    "kernels/spatial/kd_tree.cpp": TE_SHARED,
    "kernels/spatial/kd_tree.hpp": TE_SHARED,
    "kernels/spatial/kd_tree_build.cpp": TE_SHARED,
    "kernels/spatial/nearest.hpp": TE_SHARED,
    "kernels/spatial/nearest_box.hpp": ["te.ksg"],
    "kernels/spatial/sorted_points.cpp": TE_SHARED,
    "kernels/spatial/sorted_points.hpp": ["te.ksg"],
    "kernels/networks/lane_block.cpp": ["te.network"],
    "kernels/networks/shared_network.cpp": ["te.network"],
    "kernels/networks/sorted_column.cpp": ["te.network"],
    "kernels/networks/sorted_column.hpp": ["te.network"],
    "kernels/networks/surrogate_draws.hpp": ["te.network"],
    "kernels/networks/target_lists.cpp": ["te.network"],
}
# Where what only the CUDA bodies call begins, to the end of the source.
NOT_CPU = {"kernels/te/embed.cpp": "EmbeddingTables embedding_tables("}
# (operator, pattern, what stands in its place). Binary operators have a blank on either side, as clang-format sets them.
OPERATORS = [
    ("< to <=", r" < ", [" <= "]),
    ("<= to <", r" <= ", [" < "]),
    ("> to >=", r" > ", [" >= "]),
    (">= to >", r" >= ", [" > "]),
    ("== to !=", r" == ", [" != "]),
    ("+ to -", r" \+ ", [" - "]),
    ("- to +", r" - ", [" + "]),
    ("* to /", r" \* ", [" / "]),
    ("/ to *", r" / ", [" * "]),
    ("&& to ||", r" && ", [" || "]),
    ("|| to &&", r" \|\| ", [" && "]),
    ("constant", r"(?<![\w.'])0(?![\w.'])", ["1"]),
    ("constant", r"(?<![\w.'])1(?![\w.'])", ["0", "2"]),
    ("constant", r"(?<![\w.'])2(?![\w.'])", ["1", "3"]),
    ("bound", r"(?<=; )(\w+ <=? [^;]+)(?=; (?:\+\+|--|\w+ \+=))", [r"\1 + 1", r"\1 - 1"]),
]
STATEMENT = re.compile(
    r"\s+(?:[\w\[\]().>*-]+(?:<[^>]*>)?[\w\[\]().>-]* (?:[-+*/|&]|<<|>>)?= .*"  # an assignment
    r"|(?:\+\+|--)[\w.]+|[\w.]+(?:\+\+|--)"
    r"|[\w.>:-]+\(.*\));$")  # a call
DECLARATION = re.compile(r"\s+(?:return|throw|using|static_assert|break|continue|case|default|else|if|for|while)\b")
SKIPPED = re.compile(r"mutant|Faults|faults|^\s*#|^\s*template|static_assert|HWY_EXPORT|HWY_NAMESPACE|^\s*using ")


def fault_names(text):
    """Names that stand for a planted fault in this file: constants in the program that is tested."""
    return set(re.findall(r"(\w+) = [^;\n]*\n?[^;\n]*mutant\(", text)) - {""}


def planted(lines):
    """Numbers of the lines that only a planted fault runs: the body of an `if` that asks for one."""
    inside, numbers = None, set()
    for number, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        if inside is not None:
            numbers.add(number)
            if indent <= inside:
                inside = None
        elif re.match(r"\s*if \(.*mutant\(.*[{)]$", line):
            if line.endswith("{"):
                inside = indent
            else:
                numbers.add(number + 1)
    return numbers


def code_of(line):
    """The line with strings and comments blanked out, place for place."""
    blank = lambda match: " " * len(match.group())
    line = re.sub(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)\'', blank, line)
    return re.sub(r"/\*.*?\*/|//.*", blank, line)


def sites_of(name, text):
    """Every mutation of one source: (operator, line number, the line, the line in its place)."""
    faults = fault_names(text)
    named = re.compile(r"\b(?:%s)\b" % "|".join(map(re.escape, sorted(faults)))) if faults else None
    lines = text.split(NOT_CPU.get(name, "\0"))[0].splitlines()
    left_out = planted(lines)
    for number, line in enumerate(lines):
        code = code_of(line)
        if number in left_out or SKIPPED.search(line) or (named and named.search(code)):
            continue
        for operator, pattern, replacements in OPERATORS:
            for match in re.finditer(pattern, code):
                for replacement in replacements:
                    new = match.expand(replacement)
                    yield {"source": name, "operator": operator, "line": number + 1, "old": line,
                           "new": line[:match.start()] + new + line[match.end():]}
        if STATEMENT.fullmatch(code.rstrip()) and not DECLARATION.match(code) and code.count("(") == code.count(")"):
            yield {"source": name, "operator": "dropped statement", "line": number + 1, "old": line,
                   "new": re.match(r"\s*", line).group() + ";"}


def draw(count, seed, pattern):
    """`count` mutations: first the operator, then the place, so that no frequent operator crowds out the others."""
    by_operator = {}
    for name in SOURCES:
        if re.search(pattern, name):
            for site in sites_of(name, (ROOT / name).read_text(encoding="utf-8")):
                by_operator.setdefault(site["operator"], []).append(site)
    generator = random.Random(seed)
    drawn = []
    while by_operator and len(drawn) < count:
        operator = generator.choice(sorted(by_operator))
        sites = by_operator[operator]
        drawn.append(sites.pop(generator.randrange(len(sites))))
        if not sites:
            del by_operator[operator]
    return drawn


def run(command, limit, **options):
    """(exit status or None for a timeout, output, seconds)"""
    begin = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                               start_new_session=True, **options)
    try:
        output, _ = process.communicate(timeout=limit)
        return process.returncode, output, time.monotonic() - begin
    except subprocess.TimeoutExpired:
        return None, "", time.monotonic() - begin
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)  # its own session: nobody else's processes
            process.communicate()


class Tree:
    """The copy that is mutated, and its build."""

    def __init__(self, folder, jobs):
        self.root, self.jobs = folder / "tree", jobs
        listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                                capture_output=True, text=True, check=True).stdout.splitlines()
        for name in listed:
            if (ROOT / name).is_file():
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.root / name)
        # Paths below the copy count as relative to the compiler's cache, which then knows the tree's objects.
        self.environment = dict(os.environ, CCACHE_BASEDIR=str(folder), CCACHE_NOHASHDIR="1")
        generator = ["-G", "Ninja"] if shutil.which("ninja") else []
        status, output, _ = run(["cmake", "--preset", "cpu", *generator], 600, cwd=self.root, env=self.environment)
        if status != 0:
            sys.exit(f"sample: the copy cannot be configured:\n{output[-2000:]}")

    def build(self, limit):
        return run(["cmake", "--build", "build", "--parallel", str(self.jobs), "--target", "assay-tests"], limit,
                   cwd=self.root, env=self.environment)

    def test(self, operations, limit, scale):
        names = ":".join(f"properties.{operation}/*/cpu" for operation in operations)
        return run(["build/assay-tests", f"--gtest_filter={names}", "--gtest_fail_fast", "--gtest_brief=1",
                    f"--cases-scale={scale}"], limit, cwd=self.root, env=self.environment)


def judge(tree, mutation, limits, scale, build_limit):
    path = tree.root / mutation["source"]
    whole = path.read_text(encoding="utf-8")
    lines = whole.split("\n")
    lines[mutation["line"] - 1] = mutation["new"]
    result = dict(mutation, operations=SOURCES[mutation["source"]], seconds_build=0.0, seconds_test=0.0, caught_by="")
    try:
        path.write_text("\n".join(lines), encoding="utf-8")
        status, output, result["seconds_build"] = tree.build(build_limit)
        if status is None:
            return dict(result, status="invalid", why="the build came to its limit")
        if status != 0:
            error = re.search(r"error: (.*)", output)
            return dict(result, status="invalid", why=error.group(1) if error else "does not compile")
        for operation in result["operations"]:
            status, output, seconds = tree.test([operation], limits[operation], scale)
            result["seconds_test"] += seconds
            failed = re.search(r"\[  FAILED  \] (properties\.\S+)", output)
            if status is None:
                return dict(result, status="timeout", caught_by=operation)
            if status != 0:
                return dict(result, status="killed", caught_by=failed.group(1) if failed else f"{operation} ({status})")
        return dict(result, status="survived")
    finally:
        path.write_text(whole, encoding="utf-8")


def diff_of(mutation):
    text = (ROOT / mutation["source"]).read_text(encoding="utf-8").split("\n")
    new = list(text)
    new[mutation["line"] - 1] = mutation["new"]
    return "\n".join(difflib.unified_diff(text, new, "a/" + mutation["source"], "b/" + mutation["source"], n=2, lineterm=""))


def report(results, seed, seconds):
    counts = {status: sum(r["status"] == status for r in results) for status in ("killed", "survived", "timeout", "invalid")}
    judged = counts["killed"] + counts["survived"] + counts["timeout"]
    return {"seed": seed, **counts, "score": (counts["killed"] + counts["timeout"]) / judged if judged else None,
            "seconds": round(seconds, 1), "mutations": results,
            "survivors": [{"source": r["source"], "line": r["line"], "operator": r["operator"], "diff": diff_of(r)}
                          for r in results if r["status"] == "survived"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=20, help="mutations to draw [20]")
    parser.add_argument("--seed", type=int, default=1, help="what is drawn derives from it [1]")
    parser.add_argument("--source", default="", metavar="REGEX", help="only sources whose path matches")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("mechanical.json"), help="the result [mechanical.json]")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="compilers at a time [one a core]")
    parser.add_argument("--limit", type=float, default=10, help="times that the unchanged program takes, for a run of one operation [10]")
    parser.add_argument("--build-limit", type=float, default=900, help="seconds for one build [900]")
    parser.add_argument("--cases-scale", type=float, default=1, help="of the cases that each property asks for [1]")
    parser.add_argument("--budget", type=float, default=float("inf"), help="seconds after which no further mutation is begun")
    parser.add_argument("--folder", type=pathlib.Path, help="where the copy is made, and removed again [the system's]")
    parser.add_argument("--list", action="store_true", help="print what would be drawn, and end")
    options = parser.parse_args()
    drawn = draw(options.count, options.seed, options.source)
    if not drawn:
        sys.exit("sample: nothing to draw from")
    if options.list:
        print("\n".join(diff_of(mutation) for mutation in drawn))
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("sample: ended"))  # by way of what removes the copy
    begin = time.monotonic()
    results = []
    made = report(results, options.seed, 0.0)
    with tempfile.TemporaryDirectory(prefix="mechanical-", dir=options.folder) as folder:
        tree = Tree(pathlib.Path(folder).resolve(), options.jobs)
        status, output, seconds = tree.build(None)
        if status != 0:
            sys.exit(f"sample: the unchanged tree does not build:\n{output[-2000:]}")
        print(f"sample: built in {seconds:.0f} s", file=sys.stderr)
        limits = {}
        for operation in sorted({name for mutation in drawn for name in SOURCES[mutation["source"]]}):
            status, output, seconds = tree.test([operation], None, options.cases_scale)
            if status != 0:
                sys.exit(f"sample: {operation} fails unchanged:\n{output[-2000:]}")
            limits[operation] = max(30.0, options.limit * seconds)
            print(f"sample: {operation} takes {seconds:.1f} s unchanged", file=sys.stderr)
        for number, mutation in enumerate(drawn, 1):
            if time.monotonic() - begin > options.budget:
                break
            result = judge(tree, mutation, limits, options.cases_scale, options.build_limit)
            results.append(result)
            print(f"sample: {number}/{len(drawn)} {result['status']:8} {result['source']}:{result['line']} {result['operator']} "
                  f"{result['caught_by']} ({result['seconds_build']:.0f} s + {result['seconds_test']:.0f} s)", file=sys.stderr)
            made = report(results, options.seed, time.monotonic() - begin)  # kept up to date: a run may be cut off
            options.out.write_text(json.dumps(dict(made, drawn=len(drawn)), indent=1) + "\n", encoding="utf-8")
    print(json.dumps({key: made[key] for key in ("seed", "killed", "survived", "timeout", "invalid", "score", "seconds")}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
