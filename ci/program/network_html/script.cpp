#include "ci/program/network_html/sections.hpp"

namespace assay::program::network_html {

// Without it the page lacks what hovering shows, and the matrices that are too large for SVG.
std::string_view script() {
  return R"js(
'use strict';
const tip = document.getElementById('tip');
function showTip(lines, x, y) {
  tip.replaceChildren(...lines.map((line, i) => {
    const part = document.createElement(i === 0 ? 'b' : 'div');
    part.textContent = line;
    return part;
  }));
  tip.hidden = false;
  const room = tip.getBoundingClientRect();
  const left = x + 16 + room.width > innerWidth ? x - 16 - room.width : x + 16;
  tip.style.left = Math.max(4, left) + 'px';
  tip.style.top = Math.max(4, y + 18 + room.height > innerHeight ? y - 14 - room.height : y + 18) + 'px';
}

const holder = document.getElementById('matrix-data');
if (holder) matrix(JSON.parse(holder.textContent));
function matrix(data) {
  const place = document.querySelector('.matrix');
  const cursor = place.querySelector('.cursor');
  const canvas = place.querySelector('canvas');
  const box = place.dataset.box.split(' ').map(Number);
  const decoded = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const codes = data.codes && decoded(data.codes), marks = data.marks && decoded(data.marks);
  const value = (code) => { const r = (code - 127) / 127; return r * Math.abs(r) * data.largest; };
  const marked = (i) => (marks[i >> 3] >> (i & 7) & 1) === 1;
  const number = (v) => v === null ? 'no value' : Number(v.toPrecision(3)) + ' nats';
  let rows = data.count;  // of cells as shown
  let merged = 1;         // columns of the network a cell stands for

  function group(i) {
    const first = i * merged, last = Math.min(data.count, first + merged) - 1;
    if (first === last) return data.names[first];
    return data.names[first] + ' … ' + data.names[last] + ' (' + (last - first + 1) + ')';
  }
  let shown = null;  // of each cell as shown: its code, and whether one of its cells survives
  function describe(row, column) {
    const lines = [group(row) + ' → ' + group(column)];
    if (codes) {
      const code = shown.codes[row * rows + column];
      const survives = shown.marks[row * rows + column] === 1;
      if (code === 255) lines.push('no value');
      else lines.push((merged > 1 ? 'largest TE' : 'TE') + ' ≈ ' + number(value(code)));
      if (data.tested && code !== 255)
        lines.push(survives ? (merged > 1 ? 'holds an edge that survives' : 'survives')
                            : (merged > 1 ? 'none survives' : 'does not survive'));
      return lines;
    }
    const i = row * data.count + column;
    if (row === column || data.te[i] === null) return [...lines, 'no value'];
    lines.push('TE ' + number(data.te[i]));
    if (data.tested) {
      lines.push('effective ' + number(data.effective[i]));
      lines.push('p = ' + data.p[i] + (data.significant[i] ? ', survives' : ', does not survive'));
    }
    if (data.delay) lines.push('delay ' + data.delay[i]);
    return lines;
  }
  let at = [0, 0];
  function point(row, column, x, y) {
    at = [row, column];
    const width = box[2] / rows, height = box[3] / rows;
    cursor.hidden = false;
    cursor.style.left = (box[0] + column * width) * 100 + '%';
    cursor.style.top = (box[1] + row * height) * 100 + '%';
    cursor.style.width = Math.max(width * 100, 0.3) + '%';
    cursor.style.height = Math.max(height * 100, 0.3) + '%';
    for (const text of place.querySelectorAll('.names text'))
      text.classList.toggle('on', Number(text.dataset.row) === row && 'row' in text.dataset ||
                                  Number(text.dataset.column) === column && 'column' in text.dataset);
    const room = place.getBoundingClientRect();
    showTip(describe(row, column), x ?? room.left + (box[0] + (column + 0.5) * width) * room.width,
            y ?? room.top + (box[1] + (row + 0.5) * height) * room.height);
  }
  function leave() {
    cursor.hidden = tip.hidden = true;
    for (const text of place.querySelectorAll('.on')) text.classList.remove('on');
  }
  place.addEventListener('pointermove', (event) => {
    const room = place.getBoundingClientRect();
    const column = Math.floor(((event.clientX - room.left) / room.width - box[0]) / box[2] * rows);
    const row = Math.floor(((event.clientY - room.top) / room.height - box[1]) / box[3] * rows);
    if (row < 0 || column < 0 || row >= rows || column >= rows) leave();
    else point(row, column, event.clientX, event.clientY);
  });
  place.addEventListener('pointerleave', leave);
  place.addEventListener('blur', leave);
  place.addEventListener('keydown', (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (event.key === 'Escape') leave();
    if (!step) return;
    event.preventDefault();
    const within = (i) => Math.min(rows - 1, Math.max(0, i));
    if (cursor.hidden) point(within(at[0]), within(at[1]));
    else point(within(at[0] + step[0]), within(at[1] + step[1]));
  });
  if (!canvas) return;

  const fade = document.getElementById('fade');
  const dark = matchMedia('(prefers-color-scheme: dark)');
  function paint() {
    const ratio = devicePixelRatio || 1;
    const pixels = Math.floor(place.parentElement.clientWidth * ratio);
    const by = Math.max(1, Math.ceil(data.rows / pixels));
    rows = Math.ceil(data.rows / by);
    merged = data.block * by;
    shown = { codes: new Uint8Array(rows * rows).fill(255), marks: new Uint8Array(rows * rows) };
    for (let i = 0; i < data.rows; ++i) {
      for (let j = 0; j < data.rows; ++j) {
        const from = i * data.rows + j, to = Math.floor(i / by) * rows + Math.floor(j / by);
        if (codes[from] !== 255 && (shown.codes[to] === 255 || codes[from] > shown.codes[to]))
          shown.codes[to] = codes[from];
        if (marked(from)) shown.marks[to] = 1;
      }
    }
    const style = getComputedStyle(document.documentElement);
    const rgb = (name) => {
      const text = style.getPropertyValue(name).trim().slice(1);
      return [0, 2, 4].map((i) => parseInt(text.slice(i, i + 2), 16));
    };
    const ground = rgb('--bg');
    const colours = Array.from({ length: 256 }, (_, code) => {
      if (code === 255) return ground;
      const share = Math.max(-1, Math.min(1, value(code) / data.end));
      return rgb('--u' + (Math.round(share * data.levels) + data.levels));
    });
    const zero = rgb('--u' + data.levels);
    const pale = colours.map((colour) => colour.map((c, i) => Math.round(0.3 * c + 0.7 * zero[i])));
    pale[255] = ground;
    const image = new ImageData(rows, rows);
    for (let i = 0; i < rows * rows; ++i) {
      const colour = (fade && fade.checked && !shown.marks[i] ? pale : colours)[shown.codes[i]];
      image.data.set([colour[0], colour[1], colour[2], 255], 4 * i);
    }
    const small = document.createElement('canvas');
    small.width = small.height = rows;
    small.getContext('2d').putImageData(image, 0, 0);
    const size = Math.max(1, Math.floor(pixels / rows)) * rows;
    canvas.width = canvas.height = size;
    canvas.style.width = canvas.style.height = size / ratio + 'px';
    const context = canvas.getContext('2d');
    context.imageSmoothingEnabled = false;
    context.drawImage(small, 0, 0, size, size);
  }
  paint();
  let waiting = 0;
  addEventListener('resize', () => { clearTimeout(waiting); waiting = setTimeout(paint, 120); });
  dark.addEventListener('change', paint);
  if (fade) fade.addEventListener('change', paint);
}

const network = document.getElementById('graph-plot');
if (network) {
  const edges = [...network.querySelectorAll('.edge')], nodes = [...network.querySelectorAll('.node')];
  const show = (id) => {
    network.classList.add('one');
    const near = new Set([id]);
    for (const edge of edges) {
      const out = edge.dataset.from === id, into = edge.dataset.to === id;
      edge.classList.toggle('out', out);
      edge.classList.toggle('in', into);
      if (out) near.add(edge.dataset.to);
      if (into) near.add(edge.dataset.from);
    }
    for (const node of nodes) node.classList.toggle('on', near.has(node.dataset.node));
  };
  const rest = () => {
    network.classList.remove('one');
    for (const part of [...edges, ...nodes]) part.classList.remove('out', 'in', 'on');
  };
  for (const node of nodes) {
    node.addEventListener('pointerenter', () => show(node.dataset.node));
    node.addEventListener('pointerleave', rest);
    node.addEventListener('focus', () => show(node.dataset.node));
    node.addEventListener('blur', rest);
  }
}
)js";
}

}  // namespace assay::program::network_html
