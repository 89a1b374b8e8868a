#!/usr/bin/env python3
"""Draws mutations of the CPU bodies by a seed, builds each in a copy of the tree and runs the properties of its operations.

The second score beside the catalogue of planted faults: nobody chose what is drawn. README.md says how to read it."""

import argparse
import difflib
import hashlib
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import time

from copied_tree import CopiedTree, ROOT

EQUIVALENTS = pathlib.Path(__file__).with_name("equivalents.json")
TE_SHARED = ["te.range_count", "te.knn", "te.ksg"]
# Operations on rows of logits that draw or weigh, and all of them with what only reads.
WEIGHING = ["sampling.chain", "sampling.softmax", "sampling.categorical", "sampling.log_probs", "sampling.speculative_verify"]
ON_ROWS = ["sampling.chain", "sampling.argmax", "sampling.softmax", "sampling.categorical", "sampling.log_probs"]
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
    "kernels/resampling/surrogate_rows.hpp": ["te.ksg", "te.network"],
    "kernels/spatial/columns.cpp": TE_SHARED,
    "kernels/spatial/columns.hpp": TE_SHARED,
    "kernels/spatial/counting.hpp": ["te.range_count", "te.ksg"],
    "kernels/spatial/descent_inl.hpp": TE_SHARED,
    "kernels/spatial/distance_inl.hpp": TE_SHARED,
    "kernels/spatial/exclusion.hpp": TE_SHARED,
    "kernels/spatial/kd_tree.cpp": TE_SHARED,
    "kernels/spatial/kd_tree.hpp": TE_SHARED,
    "kernels/spatial/kd_tree_build.cpp": TE_SHARED,
    "kernels/spatial/nearest.hpp": TE_SHARED,
    "kernels/spatial/nearest_box.hpp": ["te.ksg"],
    "kernels/spatial/results.hpp": TE_SHARED,
    "kernels/spatial/search.cpp": TE_SHARED,
    "kernels/spatial/sorted_points.cpp": TE_SHARED,
    "kernels/spatial/sorted_points.hpp": ["te.ksg"],
    "kernels/networks/lane_block.cpp": ["te.network"],
    "kernels/networks/pairwise_sum.hpp": ["te.ksg", "te.network"],
    "kernels/networks/shared_network.cpp": ["te.network"],
    "kernels/networks/sorted_column.cpp": ["te.network"],
    "kernels/networks/sorted_column.hpp": ["te.network"],
    "kernels/networks/surrogate_draws.hpp": ["te.network"],
    "kernels/networks/target_lists.cpp": ["te.network"],
    "kernels/distribution/draw.hpp": ["sampling.chain", "sampling.categorical", "sampling.log_probs"],
    "kernels/distribution/exact_math.hpp": WEIGHING,
    "kernels/distribution/share.hpp": ["sampling.softmax"],
    "kernels/distribution/transforms.hpp": ["sampling.chain"],
    "kernels/distribution/verification.hpp": ["sampling.speculative_verify"],
    "kernels/distribution/weight.hpp": WEIGHING,
    "kernels/filters/cut.hpp": ["sampling.chain", "sampling.log_probs"],
    "kernels/filters/filters.cpp": ON_ROWS,
    "kernels/filters/left.cpp": ON_ROWS,
    "kernels/filters/left.hpp": ON_ROWS,
    "kernels/filters/passes.cpp": ON_ROWS + ["sampling.speculative_verify"],
    "kernels/filters/row_loop.hpp": ON_ROWS,
    "kernels/filters/shares.cpp": ["sampling.softmax"],
    "kernels/blocks/long_blocks_inl.hpp": ["quant.dequantize"],
    "kernels/blocks/short_blocks_inl.hpp": ["quant.dequantize"],
    "kernels/blocks/unpack_inl.hpp": ["quant.dequantize"],
    "kernels/quant/dequantize.cpp": ["quant.dequantize"],
    "kernels/quant/dequantize.hpp": ["quant.dequantize"],
    "kernels/sampling/argmax.cpp": ["sampling.argmax"],
    "kernels/sampling/categorical.cpp": ["sampling.categorical"],
    "kernels/sampling/chain.cpp": ["sampling.chain"],
    "kernels/sampling/log_probs.cpp": ["sampling.log_probs"],
    "kernels/sampling/softmax.cpp": ["sampling.softmax"],
    "kernels/sampling/speculative_verify.cpp": ["sampling.speculative_verify"],
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


def draws(seed, pattern):
    """Mutations in the order in which the seed draws them, without end but that of the places: first the operator, then the
    place, so that no frequent operator crowds out the others. The order of an operator's places is that of a hash of each, so
    that a change of one source leaves the draws of the others as they are."""
    by_operator, seen = {}, {}
    for name in SOURCES:
        if re.search(pattern, name):
            for site in sites_of(name, (ROOT / name).read_text(encoding="utf-8")):
                same = (name, site["old"], site["new"])
                site["occurrence"] = seen[same] = seen.get(same, -1) + 1
                rank = hashlib.sha256(repr((seed, *key_of(site))).encode()).digest()
                by_operator.setdefault(site["operator"], []).append((rank, site))
    for sites in by_operator.values():
        sites.sort(key=lambda entry: entry[0], reverse=True)
    generator, operators = random.Random(seed), sorted(by_operator)
    while any(by_operator.values()):
        operator = generator.choice(operators)
        if by_operator[operator]:
            yield by_operator[operator].pop()[1]


def key_of(mutation):
    return mutation["source"], mutation["old"], mutation["new"], mutation["occurrence"]


def judge(tree, mutation):
    """The mutation with its status, by what and why, the seconds that it took."""
    begin = time.monotonic()
    result = dict(mutation, status="survived", caught_by="", reason="")
    with tree.mutated(mutation["source"], mutation["line"], mutation["new"]):
        error = tree.compile(mutation["source"])
        if error is not None:
            result.update(status="invalid", reason=error)
        elif tree.same_objects(mutation["source"]):
            result.update(status="equivalent", reason="identical object files")
        else:
            status, caught_by = tree.test(SOURCES[mutation["source"]])
            result.update(status=status, caught_by=caught_by)
    return dict(result, seconds=round(time.monotonic() - begin, 1))


def diff_of(mutation):
    text = (ROOT / mutation["source"]).read_text(encoding="utf-8").split("\n")
    new = list(text)
    new[mutation["line"] - 1] = mutation["new"]
    return "\n".join(difflib.unified_diff(text, new, "a/" + mutation["source"], "b/" + mutation["source"], n=2, lineterm=""))


def read_equivalents():
    """What was read and shown to change no result: reason by (source, line, the line in its place)."""
    return {(entry["source"], entry["old"], entry["new"]): entry["reason"]
            for entry in json.loads(EQUIVALENTS.read_text(encoding="utf-8"))}


def with_equivalents(outcome, equivalents):
    reason = equivalents.get((outcome["source"], outcome["old"].strip(), outcome["new"].strip()))
    if outcome["status"] in ("survived", "timeout") and reason is not None:  # slower is not wrong
        return dict(outcome, status="equivalent", reason=reason)
    return outcome


def summary(outcomes, seed, commit):
    """The published result; README.md says what each key means."""
    count = lambda chosen, *statuses: sum(outcome["status"] in statuses for outcome in chosen)
    tally = lambda chosen: {"killed": count(chosen, "killed", "timeout"), "survived": count(chosen, "survived"),
                            "equivalent": count(chosen, "equivalent"), "invalid": count(chosen, "invalid")}
    whole = tally(outcomes)
    judged = whole["killed"] + whole["survived"]
    return {"seed": seed, "commit": commit, "drawn": len(outcomes), **whole,
            "score": whole["killed"] / judged if judged else None,
            "by_file": {name: tally([o for o in outcomes if o["source"] == name])
                        for name in sorted({o["source"] for o in outcomes})},
            "outcomes": outcomes}


def read_outcomes(path):
    """What was judged before, the last word on each; a line that was cut off is judged again."""
    known = {}
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                outcome = json.loads(line)
            except ValueError:
                continue
            known[key_of(outcome)] = outcome
    return known


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=20, help="mutations to kill or not, those of earlier runs included [20]")
    parser.add_argument("--seed", type=int, default=1, help="what is drawn derives from it [1]")
    parser.add_argument("--source", default="", metavar="REGEX", help="only sources whose path matches")
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "build" / "mechanical",
                        help="the copy, its build and the outcomes, kept for the next run [build/mechanical]")
    parser.add_argument("--json", type=pathlib.Path, help="write the score and all outcomes there")
    parser.add_argument("--from", type=pathlib.Path, dest="published", metavar="JSON",
                        help="go on from the outcomes of a score that --json wrote, on another machine for instance")
    parser.add_argument("--budget", type=float, default=float("inf"), help="seconds after which no further mutation is begun")
    parser.add_argument("--again", action="store_true", help="judge what survived in earlier runs once more")
    parser.add_argument("--no-judging", action="store_true", help="only sum up what earlier runs found")
    parser.add_argument("--list", action="store_true", help="print what would be drawn, as diffs, and end")
    options = parser.parse_args()
    if options.list:
        for mutation, _ in zip(draws(options.seed, options.source), range(options.count)):
            print(diff_of(mutation))
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("sample: ended"))  # by way of what restores the source
    os.nice(10)
    begin = time.monotonic()
    options.folder.mkdir(parents=True, exist_ok=True)
    path = options.folder / f"outcomes-{options.seed}.jsonl"
    published = json.loads(options.published.read_text(encoding="utf-8"))["outcomes"] if options.published else []
    known = {**{key_of(outcome): outcome for outcome in published}, **read_outcomes(path)}
    equivalents = read_equivalents()
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    tree, outcomes, judged = None, [], 0
    for mutation in draws(options.seed, options.source):
        if judged >= options.count:
            break
        before = known.get(key_of(mutation))
        if before is not None and options.again and with_equivalents(before, equivalents)["status"] in ("survived", "timeout"):
            before = None
        if before is None:
            if options.no_judging or time.monotonic() - begin > options.budget:
                break
            tree = tree or CopiedTree(options.folder.resolve(), SOURCES)
            before = dict(judge(tree, mutation), commit=commit)
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(before) + "\n")
            print(f"sample: {judged + 1}/{options.count} {before['status']:10} {before['source']}:{before['line']} "
                  f"{before['operator']} {before['caught_by']} ({before['seconds']:.0f} s)", file=sys.stderr)
        outcome = with_equivalents(dict(before, line=mutation["line"]), equivalents)
        outcomes.append(outcome)
        judged += outcome["status"] in ("killed", "timeout", "survived")
    if not outcomes:
        sys.exit("sample: nothing was judged")
    made = summary(outcomes, options.seed, commit)
    if options.json:
        options.json.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    for outcome in outcomes:
        if outcome["status"] == "survived":
            print(diff_of(outcome))
    print(json.dumps({key: made[key] for key in ("seed", "drawn", "invalid", "equivalent", "killed", "survived", "score")}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
