// A table of many rows, of which only those in sight are elements.

const ROW = 28; // pixels
const SCROLLBAR = 20; // pixels
const SAMPLE = 60; // rows by which columns are measured

// Columns whose texts are paths: the last part is shown.
const isName = (column) => column.name === 'source' || column.name === 'ref';

class Grid {
  constructor(host, words, onPick = () => {}) {
    this.onPick = onPick;
    this.head = el('div', { role: 'row', class: 'row head', 'aria-rowindex': 1 });
    this.body = el('div', { role: 'rowgroup', class: 'body' });
    this.inner = el('div', { role: 'table', 'aria-label': words }, el('div', { role: 'rowgroup', class: 'top' }, this.head),
      this.body);
    this.scroll = el('div', { class: 'grid', tabindex: 0, role: 'region', 'aria-label': `${words}: arrow keys move`,
      onscroll: () => this.draw(), onkeydown: (event) => this.keyed(event) }, this.inner);
    host.append(this.scroll);
    this.made = new Map();
    this.sort = null;
    new ResizeObserver(() => this.draw()).observe(this.scroll);
  }

  // Show `rows`, numbers of rows of `table`, in order.
  show(table, rows, onSort) {
    Object.assign(this, { table, rows, onSort, current: -1 });
    if (this.of !== table) {
      this.of = table;
      this.scroll.scrollTop = 0;
      this.measure();
    }
    this.heading();
    this.inner.setAttribute('aria-rowcount', rows.length + 1);
    this.inner.setAttribute('aria-colcount', table.columns.length);
    this.body.style.height = `${rows.length * ROW}px`;
    this.scroll.style.height = table.rows < 8 ? `${(table.rows + 1) * ROW + SCROLLBAR}px` : '';
    this.made.forEach((row) => row.remove());
    this.made.clear();
    this.draw();
  }

  measure() {
    const widths = this.table.columns.map((column) => {
      let longest = column.name.length + 3;
      const looked = Math.min(SAMPLE, this.table.rows);
      for (let n = 0; n < looked; n += 1) {
        const text = column.text(Math.floor((n * this.table.rows) / looked));
        longest = Math.max(longest, (isName(column) ? shortName(text) : text).length);
      }
      return `${Math.min(longest, 44) + 2}ch`;
    });
    this.inner.style.setProperty('--columns', widths.join(' '));
  }

  heading() {
    this.head.replaceChildren(...this.table.columns.map((column, place) => {
      const by = this.sort?.name === column.name ? (this.sort.down ? 'descending' : 'ascending') : 'none';
      const mark = { ascending: ' ▲', descending: ' ▼', none: '' }[by];
      return el('div', { role: 'columnheader', 'aria-sort': by, 'aria-colindex': place + 1,
        class: column.numeric ? 'number' : '' },
      el('button', { type: 'button', onclick: () => this.onSort?.(column.name) }, column.name.replaceAll('_', ' '),
        el('span', { 'aria-hidden': 'true' }, mark)));
    }));
  }

  draw() {
    if (!this.rows) return;
    const first = Math.max(0, Math.floor(this.scroll.scrollTop / ROW) - 8);
    const last = Math.min(this.rows.length, Math.ceil((this.scroll.scrollTop + this.scroll.clientHeight) / ROW) + 8);
    for (const [place, row] of this.made) {
      if (place < first || place >= last) {
        row.remove();
        this.made.delete(place);
      }
    }
    const fresh = document.createDocumentFragment();
    for (let place = first; place < last; place += 1) {
      if (!this.made.has(place)) {
        const row = this.row(place);
        this.made.set(place, row);
        fresh.append(row);
      }
    }
    this.body.append(fresh);
  }

  row(place) {
    const of = this.rows[place];
    return el('div', { role: 'row', class: place === this.current ? 'row current' : 'row', 'aria-rowindex': place + 2,
      style: { transform: `translateY(${place * ROW}px)` }, onclick: () => this.pick(place) },
    ...this.table.columns.map((column) => {
      const text = column.text(of);
      return el('div', { role: 'cell', class: column.numeric ? 'number' : column.name === 'status' ? `status ${text}` : '',
        dir: column.numeric ? undefined : 'auto', title: isName(column) || text.length > 30 ? text : undefined },
      isName(column) ? shortName(text) : text);
    }));
  }

  pick(place) {
    const before = this.made.get(this.current);
    before?.classList.remove('current');
    this.current = place;
    this.made.get(place)?.classList.add('current');
    this.onPick(this.table, this.rows[place], place);
  }

  keyed(event) {
    const page = Math.max(1, Math.floor(this.scroll.clientHeight / ROW) - 2);
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity }[event.key];
    if (step === undefined || event.target !== this.scroll || !this.rows?.length) return;
    event.preventDefault();
    const place = Math.min(this.rows.length - 1, Math.max(0, this.current + step));
    const top = place * ROW, room = this.scroll.clientHeight - 2 * ROW;
    if (top < this.scroll.scrollTop) this.scroll.scrollTop = top;
    else if (top > this.scroll.scrollTop + room) this.scroll.scrollTop = top - room;
    this.draw();
    this.pick(place);
  }
}

// Row numbers of a table, all of them.
const allRows = (table) => Uint32Array.from({ length: table.rows }, (_, row) => row);

// Sort row numbers in place by a column; where it says the same, as they came.
function sortRows(rows, column, down) {
  const keys = new Float64Array(column.numeric ? column.values.length : column.codes.length);
  for (const row of rows) keys[row] = column.key(row);
  const sign = down ? -1 : 1;
  return rows.sort((one, other) => {
    const a = keys[one], b = keys[other];
    if (a === b) return one - other;
    if (a === Infinity || b === Infinity) return a === Infinity ? 1 : -1;
    return a < b ? -sign : sign;
  });
}
