"""What the tables of the page have to show, worked out from report.json alone."""

import collections
import math

DASH = "–"


def number(value):
    """As a person reads it: three digits, an exponent below 0.001 and from a million on, a dash for no value."""
    if value is None or value == "nan":
        return DASH
    value = float(value)
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value == 0:
        return "0"
    size = abs(value)
    if size < 1e-3 or size >= 1e6:
        return f"{value:.2e}"
    return f"{value:.0f}" if size >= 999.5 else f"{value:.3g}"


def time(nanoseconds):
    value = math.nan if nanoseconds is None else float(nanoseconds)
    if not math.isfinite(value) or value <= 0:
        return DASH
    for unit in ("ns", "us", "ms"):
        if value < 999.5:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} s" if value < 999.5 else f"{value:.0f} s"


def tidy(text):
    return " ".join(text.split())


def exact(cell, value, shown=None):
    """A cell as (text, value it is sorted by): equal texts of two different numbers do not hide a wrong one."""
    return (cell["text"] if shown is None else shown, None if value in (None, "nan", "") else float(value))


def benchmarks(report):
    rows = []
    for b in report["benchmarks"]:
        median = float(b["median_ns"])
        rate = lambda work: float(work) / median if float(work) > 0 and median > 0 else None
        backend = f"{b['peer']} ({b['backend']})" if b.get("peer") else b["backend"]
        share = b.get("roofline_share")
        rows.append((tidy(b["operation"]), tidy(b["label"]), tidy(backend), (time(median), median if median > 0 else None),
                     f"{time(b['low_ns'])} – {time(b['high_ns'])}", f"{time(b['p05_ns'])} – {time(b['p95_ns'])}",
                     (number(rate(b["bytes"])), rate(b["bytes"])), (number(rate(b["flops"])), rate(b["flops"])),
                     DASH if share is None else f"{float(share) * 100:.1f} %"))
    return rows


def shown_benchmarks(rows):
    number_of = lambda cell: exact(cell, cell["sort"])
    return [(r["operation"]["text"], r["case"]["text"], r["backend"]["text"], number_of(r["median"]), r["95 % interval"]["text"],
             r["5–95 %"]["text"], number_of(r["GB/s"]), number_of(r["GFLOP/s"]),
             " ".join(r["of the roofline"]["text"].split(" ")[:2])) for r in rows]


def checks(report):
    rows = []
    for c in report["checks"]:
        elapsed = float(c["elapsed_ms"]) * 1e6
        share = c.get("utilisation")
        rows.append((c["verdict"].replace("_", " "), tidy(c["operation"]), tidy(c["name"]), c["kind"], tidy(c["backend"]),
                     tidy(c.get("against") or DASH), str(c["cases"]),
                     (number(share), None if share in (None, "nan") else float(share)),
                     (time(elapsed), elapsed if elapsed > 0 else None)))
    return rows


def shown_checks(rows):
    return [tuple(r[name]["text"] for name in ("verdict", "operation", "check", "kind", "backend", "against", "cases")) +
            (exact(r["of the bound"], r["of the bound"]["sort"]), exact(r["time"], r["time"]["sort"])) for r in rows]


def comparison(report):
    rows = []
    for item in report["gate"]["items"]:
        if "ratio" not in item:
            continue
        ratio, before, now = item["ratio"], item.get("baseline_median_ns"), item.get("median_ns")
        rows.append((item["verdict"].replace("_", " "), tidy(item["key"]), (time(before), before), (time(now), now),
                     (f"{ratio['value']:.3f}", ratio["value"]), f"{ratio['low']:.3f} – {ratio['high']:.3f}"))
    return rows


def shown_comparison(rows):
    number_of = lambda cell: exact(cell, cell["sort"])
    return [(r["verdict"]["text"], r["benchmark"]["text"], number_of(r["baseline"]), number_of(r["now"]), number_of(r["ratio"]),
             r["interval"]["text"]) for r in rows]


def tiles(report):
    verdicts, counts = report["gate"]["checks"], report["gate"]["counts"]
    shown = {name: verdicts[name.replace(" ", "_")] for name in ("pass", "vacuous", "not executed")}
    shown["fail"] = sum(verdicts[name] for name in ("fail", "xpass", "crashed", "timeout"))
    for name in ("regressed", "waived", "inconclusive", "vanished", "invalid", "improved", "same"):
        shown[name] = counts.get(name, 0)
    return shown


def differences(report, tables, shown_tiles):
    """Problems, and how many rows were compared."""
    problems, compared = [], 0
    for section, caption, expected, read in (("performance", "All benchmarks", benchmarks(report), shown_benchmarks),
                                             ("operations", "All checks, worst first", checks(report), shown_checks),
                                             ("comparison", "Ratio of the medians, this run over the baseline, worst first",
                                              comparison(report), shown_comparison)):
        found = [row for table in tables[section] if table["caption"] == caption for row in read(table["rows"])]
        compared += len(found)
        missing = collections.Counter(expected) - collections.Counter(found)
        extra = collections.Counter(found) - collections.Counter(expected)
        for name, rows in (("not on the page", missing), ("not in report.json", extra)):
            problems += [f"{caption}: {name}: {row}" for row in list(rows)[:3]]
    if shown_tiles != tiles(report):
        problems.append(f"banner: shows {shown_tiles}, expected {tiles(report)}")
    return problems, compared
