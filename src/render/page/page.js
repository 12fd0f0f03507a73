// Search and filter for gpup's HTML answers. The page is whole without it. Text is only ever read from the page or set
// as text.
'use strict';
(() => {
  const form = document.querySelector('.find');
  if (!form) {
    return;
  }
  const query = document.getElementById('query');
  const found = document.getElementById('found');
  const nothing = document.getElementById('nothing');
  const lower = (element) => element.textContent.toLowerCase();

  // What may be shown or hidden, with its words: read once, since reading the page is what costs.
  const hosts = Array.from(document.querySelectorAll('.host'), (element) => ({
    element,
    details: element.querySelector('details'),
    open: element.querySelector('details').open,
    name: lower(element.querySelector('h3')),
    rows: Array.from(element.querySelectorAll('.rows > li'), (row) => ({
      element: row, words: lower(row), kind: row.className, shown: true,
    })),
    chips: Array.from(element.querySelectorAll('.c'), (chip) => ({
      element: chip, words: lower(chip), kind: chip.getAttribute('class'), miss: false,
    })),
  }));
  const all = hosts.reduce((sum, host) => sum + host.rows.length, 0);
  const MOST_OPEN = 150;  // rows that a search unfolds
  let seeking = false;

  const number = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, ',');

  function look() {
    const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
    const kind = new FormData(form).get('kind') || '';
    const seeks = words.length > 0 || kind !== '';
    let shown = 0;
    let some = false;
    if (seeks && !seeking) {
      hosts.forEach((host) => { host.open = host.details.open; });
    }
    for (const host of hosts) {
      const rest = words.filter((word) => !host.name.includes(word));
      const fits = (item) => (kind === '' || item.kind.split(' ').includes(kind)) &&
        rest.every((word) => item.words.includes(word));
      const bare = kind === '' && rest.length === 0;
      const fitting = host.rows.filter(fits);
      const any = bare || fitting.length > 0 || host.chips.some(fits);
      host.element.hidden = !any;
      if (!any) {
        continue;  // what nobody sees stays as it is: changing the page is what costs
      }
      some = true;
      shown += fitting.length;
      for (const row of host.rows) {
        const now = fits(row);
        if (now !== row.shown) {
          row.element.hidden = !now;
          row.shown = now;
        }
      }
      for (const chip of host.chips) {
        const miss = seeks && !fits(chip);
        if (miss !== chip.miss) {
          chip.element.classList.toggle('miss', miss);
          chip.miss = miss;
        }
      }
      const open = seeks ? host.open || shown - fitting.length < MOST_OPEN : host.open;
      if (open !== host.details.open) {
        host.details.open = open;
      }
    }
    seeking = seeks;
    nothing.hidden = some;
    found.textContent = seeks ? `${number(shown)} of ${number(all)} shown` : `${number(all)} in all`;
  }

  const every = (open) => document.querySelectorAll('main details').forEach((details) => { details.open = open; });

  query.addEventListener('input', look);
  form.addEventListener('change', look);
  form.addEventListener('submit', (event) => event.preventDefault());
  document.getElementById('unfold').addEventListener('click', () => every(true));
  document.getElementById('fold').addEventListener('click', () => every(false));
  document.addEventListener('keydown', (event) => {
    if (event.key === '/' && document.activeElement !== query) {
      event.preventDefault();
      query.focus();
    } else if (event.key === 'Escape' && document.activeElement === query) {
      query.value = '';
      look();
    }
  });

  // A link to a machine shows all of it.
  function follow() {
    const row = document.getElementById(location.hash.slice(1));
    if (row && row.matches('.rows > li')) {
      row.closest('.host').querySelector('details').open = true;
      row.querySelector('details').open = true;
      row.scrollIntoView({block: 'center'});
    }
  }
  window.addEventListener('hashchange', follow);

  // Paper cannot be unfolded.
  let folded = [];
  window.addEventListener('beforeprint', () => {
    folded = Array.from(document.querySelectorAll('main details:not([open])'));
    every(true);
  });
  window.addEventListener('afterprint', () => folded.forEach((details) => { details.open = false; }));

  form.hidden = false;
  look();
  follow();
})();
