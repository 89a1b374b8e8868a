#!/usr/bin/env python3
"""Operations of assay beside other frameworks that compute the same, on the same random arrays.

    python3 validation/cross/check.py [--assay build/assay] [--backend cpu] [--op 'te.*'] [--cases 20] [--json]

Each comparison runs `assay run OP` on .npy files and the other framework in this process. What is exact has to be
equal; the rest is held to the operation's own bound plus what the other framework says of itself, with the source
beside it. Exit codes: 0 all as expected, 3 something differs, 6 nothing was compared, 7 a framework that --require
names is not installed.
"""
import argparse
import fnmatch
import json
import math
import sys

import gguf_blocks
import token_ids
from comparing import Assay, Differs, Missing, equal, need, np, within

U64 = 2.0**-53
U32 = 2.0**-24
# scipy.special.psi: peak error of Cephes' psi on (0, 30), relative, absolute where |psi| < 1 (psi.c, its own table).
SCIPY_PSI = 1.3e-15


def softmax(assay, random):
    special = need("scipy.special")
    rows, columns = int(random.integers(1, 9)), int(random.choice([1, 2, 15, 16, 17, 255, 256, 257, 1000, 4097]))
    x = (random.standard_normal((rows, columns)) * random.choice([0.1, 1, 10])).astype(np.float32)
    y = assay.run("dense.softmax", {"x": x}, ["y"])["y"].astype(np.float64)
    wide = x.astype(np.float64)
    expected = special.softmax(wide, axis=1)
    below = wide.max(axis=1, keepdims=True) - wide
    mean = (expected * below).sum(axis=1, keepdims=True)
    gamma = 32 * U32 / (1 - 32 * U32)
    # engine/dense/softmax.hpp; SciPy's own error in double is far below the 0.1 % that is added for second order.
    return within("y", y, expected, 1.001 * expected * ((below + mean + 10) * U32 + gamma) + 2.0**-147)


def digamma(assay, random):
    special = need("scipy.special")
    x = np.concatenate([random.uniform(0.01, 30, 500), np.arange(1, 31, dtype=np.float64)])
    psi = assay.run("te.digamma", {"x": x}, ["psi"])["psi"]
    expected = special.digamma(x)
    # engine/te/digamma.hpp: 8 u of what is added: at most 1/x + ... + 1/(x + 7), ln (x + 8) and psi itself.
    added = sum(1 / (x + m) for m in range(8)) + np.abs(np.log(x + 8)) + np.abs(expected)
    return within("psi", psi, expected, 8 * U64 * added + SCIPY_PSI * np.maximum(1, np.abs(expected)))


def cloud(random, n, d):
    """Points: random, or on a small grid, where distances tie and are exact."""
    points = random.standard_normal((n, d))
    return np.round(points * 4) / 4 if random.integers(2) else points


def knn(assay, random):
    spatial = need("scipy.spatial")
    n, d, k = int(random.integers(20, 400)), int(random.integers(1, 5)), int(random.integers(1, 9))
    points = cloud(random, n, d)
    distances = assay.run("te.knn", {"points": points}, ["distances"], {"k": k})["distances"]
    # The tree counts the point itself, at distance 0: one more neighbour, and the first 0 is dropped.
    expected, _ = spatial.cKDTree(points).query(points, k=k + 1, p=np.inf)
    return equal("distances", distances, expected[:, 1:])


def range_count(assay, random):
    spatial = need("scipy.spatial")
    n, d = int(random.integers(20, 400)), int(random.integers(1, 5))
    points = cloud(random, n, d)
    radii = np.round(np.abs(random.standard_normal(n)) * 4) / 4
    counts = assay.run("te.range_count", {"points": points, "radii": radii}, ["counts"], {"strict": "false"})["counts"]
    expected = spatial.cKDTree(points).query_ball_point(points, radii, p=np.inf, return_length=True) - 1
    return equal("counts", counts, expected.astype(np.int64))


def embed(assay, random):
    rows, columns = int(random.integers(40, 200)), 3
    series = random.standard_normal((rows, columns))
    history, tau, delay = int(random.integers(1, 4)), int(random.integers(1, 4)), int(random.integers(0, 3))
    got = assay.run("te.embed", {"series": series}, ["embedded", "times"],
                    {"columns": "1", "histories": history, "taus": tau, "delays": delay})
    times = got["times"]
    expected = np.stack([series[times - delay - m * tau, 1] for m in range(history)], axis=1)
    equal("times", times, np.arange(delay + (history - 1) * tau, rows))
    return equal("embedded", got["embedded"], expected)


def ksg(assay, random):
    """Frenzel, Pompe 2007, equation 7, by SciPy's tree and digamma."""
    spatial, special = need("scipy.spatial"), need("scipy.special")
    n, k = int(random.integers(60, 500)), int(random.integers(1, 7))
    x, y, z = (random.standard_normal((n, int(random.integers(1, 3)))) for _ in range(3))
    got = assay.run("te.ksg", {"x": x, "y": y, "z": z}, ["value", "counts"], {"k": k})
    joint = np.concatenate([x, y, z], axis=1)
    radius = spatial.cKDTree(joint).query(joint, k=k + 1, p=np.inf)[0][:, k]
    below = np.nextafter(radius, 0)  # nearer than the radius
    parts = [np.concatenate([x, z], axis=1), np.concatenate([y, z], axis=1), z]
    counts = np.stack([spatial.cKDTree(part).query_ball_point(part, below, p=np.inf, return_length=True) - 1
                       for part in parts], axis=1).astype(np.int64)
    equal("counts", got["counts"], counts)
    psi = special.digamma(counts + 1.0)
    expected = special.digamma(k) + (psi[:, 2] - psi[:, 0] - psi[:, 1]).mean()
    magnitude = abs(special.digamma(k)) + 3 * (1 + math.log(n))
    share = 32 * U64 + (2 + math.log2(n)) * U64
    # numpy's mean is pairwise: no more error than ours. Three psi a point, of at most ln n each.
    allowed = 2 * share * magnitude + 4 * SCIPY_PSI * max(1, math.log(n + 1))
    return within("value", got["value"], np.array([expected]), allowed)


def network(assay, random):
    """Every entry is te.ksg of its pair (ksg above says what that is)."""
    m, t, n, k = 3, 2, int(random.integers(60, 300)), int(random.integers(1, 7))
    sources, y, z = (random.standard_normal((count, n, 1)) for count in (m, t, t))
    got = assay.run("te.network", {"sources": sources, "y": y, "z": z}, ["values", "counts"],
                    {"k": k, "skip_diagonal": "false", "counts": "true"})
    used = 0.0
    for source in range(m):
        for target in range(t):
            one = assay.run("te.ksg", {"x": sources[source], "y": y[target], "z": z[target]}, ["value", "counts"], {"k": k})
            equal("counts", got["counts"][source, target], one["counts"])
            magnitude = abs(math.log(k) + 1) + 3 * (1 + math.log(n))
            used = max(used, within("values", got["values"][source, target:target + 1], one["value"],
                                    2 * (34 + math.log2(n)) * U64 * magnitude))
    return used


def softmax_torch(assay, random):
    torch = need("torch")
    x = (random.standard_normal((4, 1000)) * 5).astype(np.float32)
    y = assay.run("dense.softmax", {"x": x}, ["y"])["y"].astype(np.float64)
    expected = torch.softmax(torch.from_numpy(x.astype(np.float64)), dim=1).numpy()
    below = (x.max(axis=1, keepdims=True) - x).astype(np.float64)
    mean = (expected * below).sum(axis=1, keepdims=True)
    gamma = 32 * U32 / (1 - 32 * U32)
    return within("y", y, expected, 1.001 * expected * ((below + mean + 10) * U32 + gamma) + 2.0**-147)


# operation, framework, comparison: one line for another operation or another framework
COMPARISONS = [
    ("dense.softmax", "scipy", softmax),
    ("dense.softmax", "torch", softmax_torch),
    ("te.digamma", "scipy", digamma),
    ("te.embed", "numpy", embed),
    ("te.knn", "scipy", knn),
    ("te.range_count", "scipy", range_count),
    ("te.ksg", "scipy", ksg),
    ("te.network", "numpy", network),
    ("quant.dequantize", "gguf", gguf_blocks.decode),
    ("quant.quantize", "gguf", gguf_blocks.encode),
    ("quant.quantize", "gguf", gguf_blocks.files),
    ("tokenizer.encode", "tokenizers", token_ids.of_tokenizers),
    ("tokenizer.encode", "tiktoken", token_ids.of_tiktoken),
    ("tokenizer.train", "tokenizers", token_ids.merges),
]


def compare(arguments):
    assay = Assay(arguments.assay, arguments.backend)
    results = []
    for operation, framework, comparison in COMPARISONS:
        if not fnmatch.fnmatch(operation, arguments.op):
            continue
        result = {"operation": operation, "framework": framework, "verdict": "pass", "cases": 0, "utilisation": 0.0,
                  "message": ""}
        for case in range(arguments.cases):
            # the operation's name and the case's number: the same arrays whatever else is run
            random = np.random.default_rng([arguments.seed, case] + list(operation.encode()))
            try:
                result["utilisation"] = max(result["utilisation"], comparison(assay, random))
                result["cases"] += 1
            except Missing as missing:
                result.update(verdict="not_executed", message=f"{missing} is not installed")
                break
            except Differs as differs:
                result.update(verdict="fail", message=f"{differs} (--seed {arguments.seed}, case {case})")
                break
        results.append(result)
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--assay", default="build/assay")
    parser.add_argument("--backend", default="cpu", choices=["cpu", "cuda", "reference"])
    parser.add_argument("--op", default="*")
    parser.add_argument("--cases", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--require", action="append", default=[], metavar="FRAMEWORK",
                        help="a framework whose absence is a failure")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if np is None:
        print("cross-check: numpy is not installed: nothing was compared", file=sys.stderr)
        return 7 if arguments.require else 6
    results = compare(arguments)
    missing = [r["framework"] for r in results if r["verdict"] == "not_executed"]
    failed = [r for r in results if r["verdict"] == "fail"]
    compared = [r for r in results if r["cases"] > 0]
    if arguments.json:
        print(json.dumps({"schema": 1, "backend": arguments.backend, "seed": arguments.seed, "results": results}, indent=1))
    else:
        for r in results:
            line = f"{r['verdict']:<12} {r['operation']:<16} {r['framework']:<10} {r['cases']} cases"
            print(line + (f", {100 * r['utilisation']:.3g} % of the bound" if r["utilisation"] else "") +
                  (f"\n             {r['message']}" if r["message"] else ""))
        print(f"cross-check: {len(compared) - len(failed)} of {len(results)} as expected, {len(missing)} not executed")
    if any(framework in missing for framework in arguments.require):
        return 7
    if failed:
        return 3
    return 0 if compared else 6


if __name__ == "__main__":
    sys.exit(main())
