#include "ci/program/network_html/sections.hpp"

namespace assay::program::network_html {

std::string_view style() {
  return R"css(
.banner.plain h1 { border-color: var(--accent); }
.warning { border-left: 3px solid var(--warn); padding-left: 10px; }
.matrix { position: relative; max-width: 100%; margin: 0 0 4px; touch-action: pan-x pan-y; cursor: crosshair; }
.matrix svg, .matrix canvas { display: block; }
.matrix svg { width: 100%; height: auto; }
.matrix.whole { width: fit-content; max-width: 100%; }
.matrix svg .names text, svg.network text { font-size: inherit; }
.matrix svg text.on { fill: var(--ink); font-weight: 650; }
.matrix svg .void { fill: var(--panel); }
.matrix svg .cell { stroke: none; shape-rendering: crispEdges; }
.matrix svg .mark { stroke-width: 0.26; stroke-linecap: round; fill: none; }
.matrix svg .low { stroke: var(--ink); }
.matrix svg .high { stroke: var(--bg); }
.matrix svg .tree { stroke: var(--soft); stroke-width: 1; }
.cursor { position: absolute; border: 1.5px solid var(--ink); outline: 1.5px solid var(--bg); pointer-events: none; }
.scale { max-width: 420px; margin: 10px 0 14px; }
.scale .bar { display: flex; height: 12px; border: 1px solid var(--line); border-radius: 3px; overflow: hidden; }
.scale .bar i { flex: 1; }
.scale .ticks { position: relative; height: 20px; font-size: 0.8rem; color: var(--soft); }
.scale .ticks span { position: absolute; transform: translateX(-50%); white-space: nowrap; }
.scale .ticks .first { left: 0; transform: none; }
.scale .ticks .last { right: 0; transform: none; }
#tip {
  position: fixed; z-index: 5; max-width: min(340px, 80vw); padding: 6px 10px; border-radius: 6px;
  background: var(--ink); color: var(--bg); font-size: 0.84rem; line-height: 1.4; pointer-events: none;
  overflow-wrap: anywhere;
}
#tip b { display: block; font-weight: 650; }
svg.network { display: block; height: auto; max-width: 100%; }
svg.network text { font-size: 12.5px; fill: var(--ink); paint-order: stroke; stroke: var(--bg); stroke-width: 3; }
svg.network .late { display: none; }
svg.network .line { stroke: var(--s, var(--soft)); opacity: 0.62; }
svg.network .head { fill: var(--s, var(--soft)); stroke: none; opacity: 0.9; }
svg.network circle { fill: var(--accent); stroke: var(--bg); stroke-width: 1.2; }
svg.network .node { cursor: pointer; outline: none; }
svg.network .node:focus-visible circle { stroke: var(--ink); stroke-width: 2.5; }
svg.network.one .edge { opacity: 0.07; }
svg.network.one .node { opacity: 0.2; }
svg.network.one .out, svg.network.one .in, svg.network.one .node.on { opacity: 1; }
svg.network .edge:hover { --s: var(--ink); }
svg.network .out { --s: var(--s0); }
svg.network .in { --s: var(--s1); }
svg.network .node.on .late { display: inline; }
.bars { max-width: 760px; }
.bars .bar rect { fill: var(--s0); }
svg .expected { stroke: var(--s1); stroke-width: 2; fill: none; }
svg .floor { stroke: var(--soft); }
@media (max-width: 640px) {
  .bars svg text { font-size: 17px; }
  .bars svg .marker text { font-size: 17px; }
}
)css";
}

}  // namespace assay::program::network_html
