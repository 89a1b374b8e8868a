#include "reports/html/sections.hpp"

namespace assay::reports::html {

std::string_view style() {
  return R"css(
:root {
  color-scheme: light dark;
  --bg: #ffffff; --panel: #f5f6f8; --ink: #1b2330; --soft: #566173; --line: #dde2e8; --accent: #2a5f96;
  --good: #19683f; --good-bg: #e3f3ea; --bad: #a6231b; --bad-bg: #fbe7e5; --warn: #7a4f00; --warn-bg: #fbf0d9;
  --quiet: #566173; --quiet-bg: #eceff3; --band: #e4eaf1;
  --s0: #2b69b0; --s1: #bf5326; --s2: #23845a; --s3: #8453b3; --s4: #947000; --s5: #ba3c76; --s6: #2f859e;
  --s7: #667080;
}
@media (prefers-color-scheme: dark) {
  :root {
    --bg: #13161b; --panel: #1b2027; --ink: #e3e8ef; --soft: #a0abba; --line: #2d3540; --accent: #8fbcf0;
    --good: #79d6a4; --good-bg: #16301f; --bad: #ff9c94; --bad-bg: #3a1a19; --warn: #ecbf66;
    --warn-bg: #33280f;
    --quiet: #a0abba; --quiet-bg: #262d36; --band: #27303b;
    --s0: #74acef; --s1: #f09468; --s2: #66cc9b; --s3: #bf97ea; --s4: #d9b64a; --s5: #ee8ab6;
    --s6: #72c6dd; --s7: #a5afbd;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 4rem; }
body {
  margin: 0; background: var(--bg); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main, .banner, nav > div { max-width: 1180px; margin: 0 auto; padding: 0 20px; }
a { color: var(--accent); }
code, pre {
  font: 0.87em/1.45 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  overflow-wrap: anywhere;
}
pre { white-space: pre-wrap; background: var(--panel); padding: 8px 10px; border-radius: 6px; margin: 6px 0; }
small { color: var(--soft); font-size: 0.85em; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0; font-weight: 650; letter-spacing: -0.01em; }
h2 { font-size: 1.22rem; margin: 0 0 8px; font-weight: 650; }
h3 { font-size: 1.06rem; margin: 20px 0 6px; font-weight: 650; }
h4 { font-size: 0.95rem; margin: 18px 0 4px; font-weight: 650; color: var(--soft); }
p { margin: 6px 0 10px; max-width: 78ch; }
p.none, p.small { color: var(--soft); }
p.small { font-size: 0.87rem; margin: 2px 0; }
p.note { border-left: 3px solid var(--line); padding-left: 10px; color: var(--soft); }
section { padding: 26px 0 20px; border-top: 1px solid var(--line); }
main > section:first-of-type { border-top: 0; }
#filter-count:empty { display: none; }

.banner { padding-top: 26px; padding-bottom: 20px; }
.banner .name { margin: 0 0 12px; font-weight: 650; color: var(--soft); letter-spacing: 0.02em; }
.banner h1 { padding-left: 14px; border-left: 6px solid var(--quiet); }
.banner.good h1 { border-color: var(--good); color: var(--good); }
.banner.bad h1 { border-color: var(--bad); color: var(--bad); }
.banner.warn h1, .banner.unsure h1 { border-color: var(--warn); }
.banner.warn h1 { color: var(--warn); }
.banner .note { border: 0; padding-left: 20px; color: var(--ink); }
.tiles { list-style: none; display: flex; flex-wrap: wrap; gap: 8px; margin: 16px 0; padding: 0; }
.tile {
  padding: 8px 13px 7px; border-radius: 8px; background: var(--quiet-bg); color: var(--quiet);
  min-width: 84px;
}
.tile b {
  display: block; font-size: 1.3rem; line-height: 1.15; font-variant-numeric: tabular-nums;
  font-weight: 650;
}
.tile span { font-size: 0.82rem; white-space: nowrap; }
.tile.good { background: var(--good-bg); color: var(--good); }
.tile.bad { background: var(--bad-bg); color: var(--bad); }
.tile.warn { background: var(--warn-bg); color: var(--warn); }
.tile.plain { color: var(--ink); }
.facts {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(210px, 1fr)); gap: 8px 22px; margin: 0;
}
.facts div { min-width: 0; }
.facts dt { color: var(--soft); font-size: 0.8rem; }
.facts dd { margin: 0; overflow-wrap: anywhere; font-size: 0.92rem; }

nav {
  position: sticky; top: 0; z-index: 2; background: var(--bg); border-top: 1px solid var(--line);
  border-bottom: 1px solid var(--line);
}
nav > div { display: flex; align-items: center; gap: 14px; padding-top: 7px; padding-bottom: 7px; }
nav ul {
  list-style: none; display: flex; gap: 4px 15px; margin: 0; padding: 0; overflow-x: auto; flex: 1;
  font-size: 0.88rem;
}
nav a { text-decoration: none; white-space: nowrap; }
nav a:hover { text-decoration: underline; }
nav input {
  font: inherit; font-size: 0.9rem; width: 190px; padding: 5px 10px;
  color: var(--ink); background: var(--panel);
  border: 1px solid var(--line); border-radius: 6px;
}
nav input::placeholder { color: var(--soft); opacity: 1; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }

.scroll { overflow-x: auto; margin: 8px 0 14px; }
table { border-collapse: collapse; width: 100%; font-size: 0.875rem; }
table.wide { white-space: nowrap; }
caption { text-align: left; color: var(--soft); font-size: 0.84rem; padding: 2px 0 5px; }
th, td {
  text-align: left; vertical-align: top; padding: 6px 14px 6px 0; border-bottom: 1px solid var(--line);
}
th { color: var(--soft); font-weight: 600; font-size: 0.82rem; vertical-align: bottom; white-space: nowrap; }
th.n, td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
th button { all: unset; cursor: pointer; font: inherit; color: inherit; }
th button:hover { color: var(--ink); }
th button:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
th[aria-sort="ascending"] button::after { content: " ▲"; font-size: 0.7em; }
th[aria-sort="descending"] button::after { content: " ▼"; font-size: 0.7em; }
td:first-child, th:first-child { padding-left: 2px; }
tr[hidden], tbody[hidden], figure[hidden] { display: none; }
table.groups tr.title th {
  color: var(--ink); font-size: 0.9rem; font-weight: 400; white-space: normal; text-align: left;
  padding: 16px 0 4px 2px; border-bottom: 0;
}
table.groups tbody:first-of-type tr.title th { padding-top: 10px; }
table.groups tr.title span { margin-left: 6px; }
table.groups td { padding-top: 4px; padding-bottom: 4px; border-bottom: 0; }
table.groups tbody { border-bottom: 1px solid var(--line); }
table.groups tbody tr:last-child td { padding-bottom: 12px; }
table.groups td:first-child { padding-left: 16px; }
table.groups td:first-child, table.groups td:nth-child(6), table.groups td:nth-child(7) { white-space: nowrap; }
table.groups code { overflow-wrap: anywhere; }
.beside { display: grid; grid-template-columns: minmax(0, 2fr) minmax(0, 3fr); gap: 6px 30px; align-items: start; }
.beside th { white-space: normal; }
.beside .gallery, .beside .scroll { margin-top: 4px; }
.points { margin: 12px 0 16px; padding-left: 20px; }
.points li { margin: 3px 0; max-width: 100ch; }
.empty { color: var(--soft); }

.badge {
  display: inline-block; padding: 0 8px; border-radius: 10px; font-size: 0.8rem; line-height: 1.55;
  white-space: nowrap; font-weight: 550; background: var(--quiet-bg); color: var(--quiet);
}
.badge.good { background: var(--good-bg); color: var(--good); }
.badge.bad { background: var(--bad-bg); color: var(--bad); }
.badge.warn { background: var(--warn-bg); color: var(--warn); }
.meter {
  display: inline-block; width: 76px; height: 8px; border-radius: 4px; background: var(--quiet-bg);
  overflow: hidden; vertical-align: middle; margin-right: 8px;
}
.meter .bar { display: block; height: 100%; background: var(--accent); }
.meter.bad .bar { background: var(--bad); }
.share { white-space: nowrap; font-variant-numeric: tabular-nums; }
code.key { overflow-wrap: normal; }

details { margin: 8px 0; }
summary { cursor: pointer; color: var(--accent); width: fit-content; }
.recorded {
  background: var(--panel); border: 1px solid var(--line); border-radius: 10px; padding: 4px 18px 12px;
  margin: 12px 0; --quiet-bg: var(--band);
}
.gallery {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 430px), 1fr)); gap: 18px 26px;
  margin: 12px 0;
}
figure { margin: 0; min-width: 0; }
figcaption { font-weight: 600; font-size: 0.9rem; overflow-wrap: anywhere; margin-bottom: 4px; }
figure svg { width: 100%; height: auto; display: block; }
figure details { font-size: 0.85rem; margin: 2px 0; }
svg text { font: 12.5px system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif; fill: var(--soft); }
svg .grid line { stroke: var(--line); stroke-width: 1; }
svg .grid .axis { stroke: var(--soft); }
svg .grid .label { fill: var(--soft); }
svg .level line { stroke: var(--ink); stroke-width: 1.2; stroke-dasharray: 6 4; }
svg .level text { fill: var(--ink); }
svg .marker line { stroke: var(--warn); stroke-width: 1.2; stroke-dasharray: 2 3; }
svg .marker text { fill: var(--warn); font-size: 11.5px; }
svg .marker.finding line { stroke: var(--ink); stroke-dasharray: none; opacity: 0.7; }
svg .marker.finding text { fill: var(--ink); font-weight: 600; }
svg path { fill: none; stroke: var(--s); stroke-width: 1.8; stroke-linejoin: round; }
svg .dashed path { stroke-dasharray: 5 4; }
svg circle { fill: var(--s, var(--accent)); }
svg [class^="s"] > line { stroke: var(--s); stroke-width: 1.2; opacity: 0.65; }
.s0 { --s: var(--s0); } .s1 { --s: var(--s1); } .s2 { --s: var(--s2); } .s3 { --s: var(--s3); }
.s4 { --s: var(--s4); } .s5 { --s: var(--s5); } .s6 { --s: var(--s6); } .s7 { --s: var(--s7); }
.legend {
  list-style: none; display: flex; flex-wrap: wrap; gap: 2px 16px; margin: 2px 0 4px; padding: 0;
  font-size: 0.84rem;
}
.legend .key {
  display: inline-block; width: 14px; height: 4px; border-radius: 2px; background: var(--s);
  margin-right: 6px; vertical-align: middle;
}
.forest ol { list-style: none; margin: 8px 0 14px; padding: 0; }
.forest li {
  display: grid; grid-template-columns: minmax(0, 5fr) 10.5rem minmax(0, 6fr); gap: 0 14px; align-items: center;
  padding: 3px 0; font-size: 0.875rem;
}
.forest .value { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.forest .lane { position: relative; height: 20px; --mark: var(--soft); }
.forest .bad .lane { --mark: var(--bad); }
.forest .good .lane { --mark: var(--good); }
.forest .warn .lane { --mark: var(--warn); }
.forest .lane i { position: absolute; display: block; }
.forest .band { top: -3px; bottom: -3px; background: var(--band); }
.forest .one { left: 50%; top: -3px; bottom: -3px; border-left: 1px dashed var(--soft); }
.forest .bar { top: 9px; height: 2px; min-width: 2px; background: var(--mark); }
.forest .dot { top: 5px; width: 10px; height: 10px; margin-left: -5px; border-radius: 5px; background: var(--mark); }
.forest .axis .lane { grid-column: 3; display: flex; justify-content: space-between; color: var(--soft); }
.forest .axis b { font-weight: 400; font-size: 0.8rem; }
.strip { width: 170px; height: 20px; display: block; }
.strip circle { fill: var(--accent); opacity: 0.45; }
.strip line { stroke: var(--bad); stroke-width: 1.5; }
figure.differences { margin: 8px 0; }
figure.differences figcaption { font-weight: 400; color: var(--soft); font-size: 0.84rem; }
svg.differences { margin: 2px 0 4px; }
svg.differences text { font-size: 10px; }
svg.differences .none { fill: var(--quiet-bg); }
svg.differences .some { fill: var(--bad); opacity: 0.3; }
svg.differences .half { fill: var(--bad); opacity: 0.65; }
svg.differences .all { fill: var(--bad); }
.differences-legend { font-size: 0.8rem; color: var(--soft); }
.differences-legend b {
  display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin: 0 2px 0 8px;
}
.differences-legend b.none { background: var(--quiet-bg); margin-left: 0; }
.differences-legend b.some { background: var(--bad); opacity: 0.3; }
.differences-legend b.half { background: var(--bad); opacity: 0.65; }
.differences-legend b.all { background: var(--bad); }
footer { color: var(--soft); font-size: 0.85rem; border-top: 1px solid var(--line); padding: 14px 0 40px; }

@media (max-width: 640px) {
  main, .banner, nav > div { padding-left: 14px; padding-right: 14px; }
  h1 { font-size: 1.35rem; }
  .tile { min-width: 74px; padding: 6px 10px; }
  .facts { grid-template-columns: 1fr 1fr; }
  nav > div { flex-direction: column; align-items: stretch; gap: 6px; }
  nav input { width: 100%; }
  table.stack thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table.stack tr { display: block; padding: 8px 0; border-bottom: 1px solid var(--line); }
  table.stack td { display: block; border: 0; padding: 1px 0; }
  table.stack td:first-child, table.stack td:nth-child(2) { display: inline-block; padding-right: 8px; }
  table.groups thead { display: none; }
  table.groups tbody, table.groups tr, table.groups td, table.groups th { display: block; }
  table.groups tbody { padding-bottom: 8px; }
  table.groups tr { padding: 3px 0; }
  table.groups td, table.groups tbody tr:last-child td { padding: 1px 0 1px 12px; }
  table.groups td:first-child { padding-left: 12px; font-weight: 600; }
  table.groups td:first-child, table.groups td:nth-child(2) { display: inline-block; }
  table.groups td:nth-child(n+3)::before { content: attr(data-name) ": "; color: var(--soft); }
  table.groups td.void { display: none; }
  table.groups td br { display: none; }
  table.groups td:nth-child(n) { white-space: normal; }
  .forest li { grid-template-columns: minmax(0, 1fr) auto; padding: 5px 0; }
  .forest .lane, .forest .axis .lane { grid-column: 1 / -1; }
  svg text { font-size: 15px; }
  svg .marker text { font-size: 14px; }
}
@media (max-width: 980px) { .beside { grid-template-columns: minmax(0, 1fr); } }
@media print { nav { display: none; } .scroll { overflow: visible; } table.wide { white-space: normal; } }
)css";
}

}  // namespace assay::reports::html
