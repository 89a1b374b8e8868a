'use strict';
// What the browser test asks of a page. Runs in the page, after it has loaded; returns plain values.
(() => {
  const tidy = (text) => text.replace(/\s+/g, ' ').trim();
  const heads = (table) => [...table.tHead.rows[0].cells];
  const sortable = () => [...document.querySelectorAll('main table:not(.groups)')];
  const key = (cell) => cell.dataset.sort ?? cell.textContent.trim();
  const open = () => document.querySelectorAll('details').forEach((fold) => { fold.open = true; });

  // One step from the last: numbers, then texts, then what has no value, each part in its direction.
  const outOfOrder = (keys, direction) => {
    const group = (text) => text === 'nan' || text === '' || text === '–' ? 2
        : text === 'inf' || !Number.isNaN(Number(text)) ? 0 : 1;
    const value = (text) => text === 'inf' ? Infinity : Number(text);
    for (let i = 1; i < keys.length; ++i) {
      const [before, after] = [keys[i - 1], keys[i]];
      if (group(before) > group(after)) return `${before} stands before ${after}`;
      if (group(before) < group(after) || group(before) === 2) continue;
      const step = group(before) === 0 ? value(before) - value(after) : before.localeCompare(after);
      if (direction === 'ascending' ? step > 0 : step < 0) return `${before} stands before ${after}, ${direction}`;
    }
    return '';
  };

  // Every column of every table in both directions.
  const sorting = () => {
    const problems = [];
    const moved = { numbers: 0, texts: 0 };
    const unequal = { numbers: 0, texts: 0 };  // columns that have an order
    for (const table of sortable()) {
      const rows = () => [...table.tBodies[0].rows];
      const whole = new Set(rows());
      heads(table).forEach((head, column) => {
        const name = `${tidy(table.caption.textContent)}, ${tidy(head.textContent)}`;
        for (const direction of ['ascending', 'descending']) {
          const before = rows();
          head.querySelector('button')?.click();
          const after = rows();
          const keys = after.map((row) => key(row.cells[column]));
          const wrong = outOfOrder(keys, direction);
          if (wrong) problems.push(`${name}: ${wrong}`);
          if (head.getAttribute('aria-sort') !== direction) problems.push(`${name}: aria-sort is not ${direction}`);
          if (heads(table).filter((one) => one.hasAttribute('aria-sort')).length !== 1)
            problems.push(`${name}: another column still says that it is sorted`);
          if (after.length !== whole.size || after.some((row) => !whole.has(row))) problems.push(`${name}: rows were lost`);
          const kind = keys.some((text) => Number.isNaN(Number(text)) && text !== 'nan') ? 'texts' : 'numbers';
          if (new Set(keys).size > 1) unequal[kind] += 1;
          if (after.some((row, i) => row !== before[i])) moved[kind] += 1;
        }
      });
    }
    return { problems, moved, unequal, tables: sortable().length };
  };

  // What the filter box is for: rows of tables that stand by themselves, operations, and figures.
  const filterable = () => [...document.querySelectorAll(
      'main table:not(.groups) tbody tr, main table.groups tbody, main figure')]
      .filter((one) => one.tagName === 'FIGURE' ? one.hasAttribute('data-filter') : !one.closest('figure, table table'));
  const filtered = () => filterable().map((one) => ({
    text: tidy((one.tagName === 'FIGURE' ? one.querySelector('figcaption') : one).textContent).toLowerCase(),
    shown: getComputedStyle(one).display !== 'none',
  }));

  const scrolls = (element) => {
    for (let e = element; e && e !== document.body; e = e.parentElement)
      if (['auto', 'scroll', 'hidden', 'clip'].includes(getComputedStyle(e).overflowX)) return true;
    return false;
  };
  const overflow = () => {
    open();
    const width = document.documentElement.clientWidth;
    const out = [...document.body.querySelectorAll('*')]
        .filter((e) => e.getBoundingClientRect().right > width + 1 && !scrolls(e) && !e.closest('thead'))
        .map((e) => `<${e.localName} class="${e.getAttribute('class') ?? ''}"> "${tidy(e.textContent).slice(0, 60)}"`);
    const page = document.documentElement.scrollWidth;
    return { width, page, out: out.slice(0, 8) };
  };

  // Contrast as WCAG 2.1 has it, of each text against what is painted under it.
  const parse = (colour) => {
    const parts = (colour.match(/[\d.]+/g) ?? []).map(Number);
    if (colour.startsWith('color(srgb')) return [parts[0] * 255, parts[1] * 255, parts[2] * 255, parts[3] ?? 1];
    return [parts[0], parts[1], parts[2], parts[3] ?? 1];
  };
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
  const background = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour[3] > 0) layers.push(colour);
      if (colour[3] === 1) break;
    }
    return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255, 1]);
  };
  const luminance = (colour) => {
    const part = colour.slice(0, 3).map((c) => c / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * part[0] + 0.7152 * part[1] + 0.0722 * part[2];
  };
  const ratio = (a, b) => {
    const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
  };
  const contrast = () => {
    open();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const worst = new Map();
    let texts = 0;
    const meet = (element, colour, shown) => {
      const under = background(element);
      let ink = parse(colour);
      for (let e = element; e; e = e.parentElement) ink = [ink[0], ink[1], ink[2], ink[3] * Number(getComputedStyle(e).opacity)];
      const found = ratio(over(ink, under), under);
      const name = `${element.tagName.toLowerCase()}.${element.getAttribute('class') ?? ''}`;
      texts += 1;
      if (!worst.has(name) || worst.get(name).ratio > found) worst.set(name, { name, ratio: found, shown });
    };
    while (walker.nextNode()) {
      const element = walker.currentNode.parentElement;
      const shown = tidy(walker.currentNode.data);
      if (!shown || ['SCRIPT', 'STYLE', 'TITLE', 'DESC'].includes(element.tagName) || !element.checkVisibility()) continue;
      const style = getComputedStyle(element);
      meet(element, element instanceof SVGElement ? style.fill : style.color, shown.slice(0, 40));
    }
    const box = document.getElementById('filter');
    meet(box, getComputedStyle(box, '::placeholder').color, 'placeholder');
    return { texts, worst: [...worst.values()].sort((a, b) => a.ratio - b.ratio).slice(0, 6) };
  };

  // The tables of a section as texts and sort keys, by the names of their columns. Those of other machines stand apart.
  const tables = (section) => [...document.querySelectorAll(`section#${section} table:not(.groups)`)]
      .filter((table) => !table.closest('.recorded, figure')).map((table) => ({
    caption: tidy(table.caption.textContent),
    rows: [...table.tBodies[0].rows].map((row) => Object.fromEntries(heads(table).map((head, i) =>
        [tidy(head.textContent), { text: tidy(row.cells[i].textContent), sort: row.cells[i].dataset.sort ?? '' }]))),
  }));
  const tiles = () => Object.fromEntries([...document.querySelectorAll('.tile')].map((tile) =>
      [tidy(tile.querySelector('span').textContent), Number(tile.querySelector('b').textContent)]));

  // Where the focus is: its place among all that can have it, and whether one sees it there.
  const stops = () => [...document.querySelectorAll('a[href], button, input, summary, [tabindex="0"]')]
      .filter((e) => e.checkVisibility());
  const focused = () => {
    const e = document.activeElement;
    return { at: stops().indexOf(e), name: `${e.tagName.toLowerCase()} "${tidy(e.textContent).slice(0, 40)}"`,
             outlined: getComputedStyle(e).outlineStyle !== 'none' && parseFloat(getComputedStyle(e).outlineWidth) >= 1 };
  };
  window.assayTest = { sorting, filtered, overflow, contrast, tables, tiles, stops, focused, sortable, heads };
})();
