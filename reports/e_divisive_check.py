#!/usr/bin/env python3
"""E-divisive means by others, for change_points_test.cpp to compare with: Q of Matteson and James (2014) written down term by
term with NumPy, and Apache Otava's implementation where it is installed (python3 -m pip install --no-deps apache-otava).

Reads {"series": [[..], ..], "significance": x, "permutations": n} on stdin and prints for each series the best split of
both and the change points that Otava keeps. Exits 6 where NumPy is missing."""

import json
import sys

try:
    import numpy
except ImportError:
    sys.exit(6)

try:
    from otava.change_point_divisive.calculator import PairDistanceCalculator
    from otava.change_point_divisive.detector import ChangePointDetector
    from otava.change_point_divisive.significance_test import PermutationsSignificanceTester
except ImportError:
    PairDistanceCalculator = None


def q(x, y):
    """Eq. 4 and 5 with exponent 1: the mean distance between, twice, less the mean distances of pairs within."""
    n, m = len(x), len(y)
    between = numpy.mean([[abs(a - b) for b in y] for a in x])
    within_x = numpy.mean([abs(x[i] - x[k]) for i in range(n) for k in range(i)]) if n > 1 else 0.0
    within_y = numpy.mean([abs(y[i] - y[k]) for i in range(m) for k in range(i)]) if m > 1 else 0.0
    return n * m / (n + m) * (2 * between - within_x - within_y)


def best_split(z):
    """Eq. 7: over every end of the left side and every end of the right one."""
    value, at = max((q(z[:at], z[at:end]), at) for at in range(1, len(z)) for end in range(at + 1, len(z) + 1))
    return {"at": at, "statistic": value}


def otava_best_split(z):
    candidate = PairDistanceCalculator(numpy.array(z)).get_candidate_change_point(slice(0, len(z)))
    return {"at": int(candidate.index), "statistic": float(candidate.qhat)}


def otava_points(z, significance, permutations):
    tester = PermutationsSignificanceTester(significance, permutations, PairDistanceCalculator, 1)
    found = ChangePointDetector(tester, PairDistanceCalculator).get_change_points(numpy.array(z))
    return [int(point.index) for point in found]


def main():
    asked = json.load(sys.stdin)
    out = {"otava": PairDistanceCalculator is not None, "literal": [best_split(z) for z in asked["series"]]}
    if PairDistanceCalculator is not None:
        out["otava_best"] = [otava_best_split(z) for z in asked["series"]]
        out["otava_points"] = [otava_points(z, asked["significance"], asked["permutations"]) for z in asked["series"]]
    print(json.dumps(out))


if __name__ == "__main__":
    main()
