#include "reports/html/sections.hpp"

namespace assay::reports::html {

// The page is whole without it: it only sorts tables and hides rows.
std::string_view script() {
  return R"js(
'use strict';
for (const table of document.querySelectorAll('main table:not(.groups)')) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener('click', () => {
      const rising = head.getAttribute('aria-sort') !== 'ascending';
      heads.forEach((other) => other.removeAttribute('aria-sort'));
      head.setAttribute('aria-sort', rising ? 'ascending' : 'descending');
      const key = (row) => {
        const cell = row.cells[column];
        const text = cell.dataset.sort ?? cell.textContent.trim();
        const number = Number(text);
        if (text === 'nan' || text === '' || text === '–') return [2, 0, ''];
        if (text === 'inf') return [0, Infinity, ''];
        return Number.isNaN(number) ? [1, 0, text] : [0, number, ''];
      };
      const rows = [...body.rows].map((row, index) => ({ row, index, key: key(row) }));
      const sign = rising ? 1 : -1;
      rows.sort((a, b) => {
        if (a.key[0] !== b.key[0]) return a.key[0] - b.key[0];
        const order = a.key[1] < b.key[1] ? -1 : a.key[1] > b.key[1] ? 1 : a.key[2].localeCompare(b.key[2]);
        return sign * order || a.index - b.index;
      });
      body.append(...rows.map((entry) => entry.row));
    });
  });
}
const box = document.getElementById('filter');
const places = ['main section', 'main section > details', '.recorded', '.recorded > details', '.beside'];
const rows = [...document.querySelectorAll(
  places.map((place) => place + ' > .scroll table:not(.groups) tbody tr').join(', ') +
  ', table.groups tbody, figure[data-filter]')];
const texts = rows.map((row) => (row.querySelector(':scope > figcaption') ?? row).textContent.toLowerCase());
box.addEventListener('input', () => {
  const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  rows.forEach((row, i) => {
    row.hidden = !words.every((word) => texts[i].includes(word));
    if (!row.hidden) shown += 1;
    if (!row.hidden && words.length > 0) {
      const fold = row.parentElement.closest('details');
      if (fold) fold.open = true;
    }
  });
  document.getElementById('filter-count').textContent =
    words.length === 0 ? '' : shown + ' of ' + rows.length + ' rows and plots shown';
});
box.closest('label').hidden = false;
)js";
}

}  // namespace assay::reports::html
