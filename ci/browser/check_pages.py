#!/usr/bin/env python3
"""Opens reports in headless Chromium and holds them to what a reader needs: no console message, no network, tables that sort
by number and by text, a filter that hides and shows, everything within reach of the keyboard, no overflow on a narrow screen,
text that can be read in light and dark, and figures equal to report.json. Then plants one fault for each of these in a copy of
the page, which has to be found.   check_pages.py EXAMPLES [--screenshots DIR]
Exits 0, 1 where something is wrong, 77 where there is no browser: not executed."""

import argparse
import base64
import json
import pathlib
import sys
import tempfile

import devtools
import figures

SCRIPT = (pathlib.Path(__file__).parent / "page.js").read_text(encoding="utf-8")
NARROW, WIDE = 400, 1280
LEAST_CONTRAST = 4.5  # WCAG 2.1, 1.4.3, for text of any size


class Page:
    """One report in the browser, reloaded for each check so that none sees what another left."""

    def __init__(self, browser, path):
        self.browser, self.path = browser, path

    def open(self, **how):
        self.browser.open(self.path, **how)
        self.browser.evaluate(SCRIPT)

    def ask(self, expression):
        return self.browser.evaluate("assayTest." + expression)


def quiet(page):
    page.open()
    page.ask("overflow()")  # opens every fold
    problems = []
    for event in page.browser.events:
        method, parameters = event.get("method"), event.get("params", {})
        if method == "Runtime.consoleAPICalled":
            problems.append(f"console.{parameters['type']}: {[one.get('value') for one in parameters['args']]}")
        elif method == "Runtime.exceptionThrown":
            problems.append("exception: " + parameters["exceptionDetails"].get("exception", {}).get("description", "unknown"))
        elif method == "Log.entryAdded":
            problems.append(f"{parameters['entry']['level']}: {parameters['entry']['text']}")
        elif method == "Network.requestWillBeSent" and parameters["documentURL"] != parameters["request"]["url"]:
            problems.append("asked for " + parameters["request"]["url"])
    return problems, "no console message, no request"


def sorting(page):
    page.open()
    found = page.ask("sorting()")
    for kind, columns in found["unequal"].items():
        if columns and not found["moved"][kind]:
            found["problems"].append(f"no order of {kind} ever changed")
    return found["problems"], f"{found['tables']} tables, order changed {sum(found['moved'].values())} times"


def filtering(page):
    page.open()
    problems = []
    everything = page.ask("filtered()")
    first = everything[len(everything) // 2]["text"].split(" ")[0] if everything else "te.ksg"
    for words in ("cpu", first, "cpu " + first, "no row says this"):
        page.browser.evaluate("document.getElementById('filter').focus(); document.getElementById('filter').select()")
        page.browser.call("Input.insertText", text=words)
        rows = page.ask("filtered()")
        wrong = [row for row in rows if row["shown"] != all(word in row["text"] for word in words.split())]
        problems += [f"filter '{words}': {'shows' if row['shown'] else 'hides'} '{row['text'][:70]}'" for row in wrong[:3]]
    page.browser.evaluate("document.getElementById('filter').select()")
    page.browser.press("Delete", code=46)
    problems += [f"the emptied filter hides '{row['text'][:70]}'" for row in page.ask("filtered()") if not row["shown"]][:3]
    return problems, f"{len(everything)} rows and figures"


def keyboard(page):
    page.open()
    problems, stops = [], page.browser.evaluate("assayTest.stops().length")
    last = -1
    for _ in range(stops):
        page.browser.press("Tab", code=9)
        here = page.ask("focused()")
        if here["at"] != last + 1:
            problems.append(f"Tab goes from stop {last} to {here['at']}, {here['name']}, of {stops}")
            break
        if not here["outlined"]:
            problems.append(f"one does not see that the focus is on {here['name']}")
        last = here["at"]
    unreached = page.browser.evaluate(
        "assayTest.sortable().flatMap(assayTest.heads).filter((head) => head.checkVisibility() && "
        "!assayTest.stops().includes(head.querySelector('button'))).length")
    if unreached:
        problems.append(f"{unreached} columns cannot be reached")
    if page.browser.evaluate("assayTest.sortable().some((table) => table.checkVisibility())"):
        page.browser.evaluate("window.head = assayTest.heads(assayTest.sortable().find((table) => table.checkVisibility()))[1];"
                              "head.querySelector('button')?.focus()")
        for key, text, code, expected in (("Enter", "\r", 13, "ascending"), (" ", " ", 32, "descending"),
                                          ("Enter", "\r", 13, "ascending")):
            page.browser.press(key, text, code)
            found = page.browser.evaluate("head.getAttribute('aria-sort')")
            if found != expected:
                problems.append(f"{'Space' if key == ' ' else key} on a column: aria-sort is {found}, expected {expected}")
    return problems, f"{stops} stops"


def narrow(page):
    problems = []
    for width in (NARROW, 420, WIDE):
        page.open(width=width)
        found = page.ask("overflow()")
        if found["page"] > width:
            problems.append(f"at {width} px the page is {found['page']} px wide")
        problems += [f"at {width} px beyond the edge: {one}" for one in found["out"]]
    return problems, f"no overflow at {NARROW}, 420 and {WIDE} px"


def contrast(page):
    problems, lowest, texts = [], [], 0
    for dark in (False, True):
        page.open(dark=dark)
        found = page.ask("contrast()")
        texts += found["texts"]
        lowest.append(found["worst"][0]["ratio"])
        problems += [f"{'dark' if dark else 'light'}: {one['ratio']:.2f} of <{one['name']}> \"{one['shown']}\""
                     for one in found["worst"] if one["ratio"] < LEAST_CONTRAST]
    return problems, f"{texts} texts, lowest {lowest[0]:.2f} in light, {lowest[1]:.2f} in dark"


def equal_figures(page):
    page.open()
    report = json.loads((page.path.parent / "report.json").read_text(encoding="utf-8"))
    tables = {name: page.ask(f"tables('{name}')") for name in ("performance", "operations", "comparison")}
    problems, compared = figures.differences(report, tables, page.ask("tiles()"))
    return problems, f"{compared} rows"


CHECKS = {check.__name__: check for check in (quiet, sorting, filtering, keyboard, narrow, contrast, equal_figures)}

# (the check that must find it, what is replaced in the page, by what)
FAULTS = [
    ("quiet", "'use strict';", "'use strict'; console.warn('planted');"),
    ("quiet", "<main>", "<main><img alt=\"\" src=\"https://example.invalid/a.png\">"),
    ("sorting", "return sign * order", "return order"),
    ("sorting", "const number = Number(text);", "const number = NaN;"),
    ("sorting", "heads.forEach((other) => other.removeAttribute('aria-sort'));", ""),
    ("filtering", "row.hidden = !words.every(", "row.hidden = !words.some("),
    ("filtering", "tr[hidden], tbody[hidden], figure[hidden] { display: none; }", "tr[hidden] { display: table-row; }"),
    ("keyboard", "document.createElement('button')", "document.createElement('span')"),
    ("keyboard", ":focus-visible { outline: 2px solid", ":focus-visible { outline: 0 solid"),
    ("narrow", "<main>", "<main><p style=\"width:900px\">planted</p>"),
    ("contrast", "--soft: #566173", "--soft: #8a93a3"),
    ("contrast", "--soft: #a0abba", "--soft: #5a6472"),
    ("equal_figures", "<td class=\"n\">61</td>", "<td class=\"n\">62</td>"),
    ("equal_figures", "<b>1</b> <span>regressed</span>", "<b>0</b> <span>regressed</span>"),
]


def planted(browser, page, folder):
    """One line for each fault that was not found."""
    text = page.read_text(encoding="utf-8")
    (folder / "report.json").write_bytes((page.parent / "report.json").read_bytes())
    missed = []
    for number, (check, what, instead) in enumerate(FAULTS):
        if what not in text:
            missed.append(f"{check}: nothing to replace: {what}")
            continue
        copy = folder / f"{number}.html"
        copy.write_text(text.replace(what, instead), encoding="utf-8")
        if not CHECKS[check](Page(browser, copy))[0]:
            missed.append(f"{check} did not see '{instead}' for '{what}'")
    return missed


def screenshot(browser, page, folder):
    for width in (420, WIDE):
        for dark in (False, True):
            browser.open(page, width=width, dark=dark)
            picture = browser.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
            name = f"{page.parent.name}-{width}-{'dark' if dark else 'light'}.png"
            (folder / name).write_bytes(base64.b64decode(picture))


def main():
    options = argparse.ArgumentParser(description="Reports in a real browser.")
    options.add_argument("examples", type=pathlib.Path, help="a folder of reports, as assay-report-examples writes it")
    options.add_argument("--screenshots", type=pathlib.Path, help="write pictures of the pages here as well")
    given = options.parse_args()
    pages = sorted(given.examples.glob("*/index.html"))
    if not pages:
        print(f"browser: no */index.html under {given.examples}", file=sys.stderr)
        return 1
    program = devtools.find()
    if program is None:
        print("browser: not executed: no Chromium here")
        return 77
    failed = 0
    with devtools.Browser(program) as browser:
        for path in pages:
            for name, check in CHECKS.items():
                problems, what = check(Page(browser, path))
                failed += bool(problems)
                print(f"{'FAIL' if problems else 'ok'}    {path.parent.name}: {name}: {what}")
                for problem in problems[:8]:
                    print(f"error: {path.parent.name}: {name}: {problem}")
        with tempfile.TemporaryDirectory() as folder:
            missed = planted(browser, given.examples / "red" / "index.html", pathlib.Path(folder))
        for line in missed:
            print("error: planted: " + line)
        if given.screenshots:
            given.screenshots.mkdir(parents=True, exist_ok=True)
            for path in pages:
                screenshot(browser, path, given.screenshots)
    print(f"browser: {len(pages)} pages, {len(pages) * len(CHECKS)} checks: {failed} failed; "
          f"{len(FAULTS) - len(missed)} of {len(FAULTS)} planted faults found")
    return 1 if failed or missed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except devtools.BrowserError as error:
        print(f"error: browser: {error}", file=sys.stderr)
        sys.exit(1)
