// The tables of all records: one type at a time, searched, sorted; what they show stands in the page's address.

const TOKEN = /(?:([A-Za-z_][\w]*)(!=|<=|>=|=|<|>|:))?(?:"([^"]*)"|(\S+))/g;
const COMPARE = { '=': (a, b) => a === b, '!=': (a, b) => a !== b, '<': (a, b) => a < b, '>': (a, b) => a > b,
  '<=': (a, b) => a <= b, '>=': (a, b) => a >= b };

// A test of one row for each word of a query.
function testsOf(table, query) {
  return [...query.matchAll(TOKEN)].map(([whole, name, sign, quoted, plain]) => {
    const column = name && table.column(name), wanted = quoted ?? plain;
    if (!column) return textTest(table.columns.filter((each) => !each.numeric), (quoted !== undefined && !name ? quoted : whole));
    if (sign === ':') return column.numeric ? (row) => column.text(row).includes(wanted) : textTest([column], wanted);
    if (column.numeric) {
      const { values } = column, value = Number(wanted), compare = COMPARE[sign];
      return (row) => compare(values[row], value);
    }
    const { codes } = column, fits = COMPARE[sign];
    const known = column.texts.map((text) => fits(text, wanted));
    return (row) => (codes[row] < 0 ? sign === '!=' : known[codes[row]]);
  });
}

// Whether a text of a row has `wanted` in it; each different text is looked at once.
function textTest(columns, wanted) {
  const low = wanted.toLowerCase();
  const known = columns.map((column) => [column.codes, column.texts.map((text) => text.toLowerCase().includes(low))]);
  return (row) => known.some(([codes, has]) => codes[row] >= 0 && has[codes[row]]);
}

function chosenRows(table, query) {
  const tests = testsOf(table, query), rows = new Uint32Array(table.rows);
  let found = 0;
  for (let row = 0; row < table.rows; row += 1) {
    if (tests.every((test) => test(row))) rows[found++] = row;
  }
  return rows.slice(0, found);
}

class Records {
  constructor(host, data) {
    this.data = data;
    this.state = { type: '', q: '', sort: '' };
    this.tabs = el('div', { class: 'tabs', role: 'group', 'aria-label': 'Type of records' });
    for (const table of data.tables.values()) {
      this.tabs.append(el('button', { type: 'button', 'data-type': table.type, onclick: () => this.go({ type: table.type, sort: '' }) },
        table.type.replaceAll('_', ' '), ' ', el('small', {}, count(table.total))));
    }
    this.search = el('input', { type: 'search', id: 'search', spellcheck: 'false', autocomplete: 'off',
      placeholder: 'person   score>0.5   track_id=3', oninput: () => this.later() });
    this.found = el('p', { class: 'found', role: 'status' });
    this.note = el('p', { class: 'note' });
    this.detail = el('div', { class: 'detail', hidden: true });
    host.append(this.tabs, el('div', { class: 'search' }, el('label', { for: 'search' }, 'Search'), this.search), this.found);
    this.grid = new Grid(host, 'Records', (table, row, place) => this.tell(table, row, place));
    host.append(this.detail, this.note);
    window.addEventListener('hashchange', () => this.read());
    this.read();
  }

  // What the address asks for.
  read() {
    const asked = new URLSearchParams(location.hash.slice(1));
    const types = [...this.data.tables.keys()];
    const type = types.includes(asked.get('type')) ? asked.get('type') : this.state.type || this.first(types);
    if (type === undefined) {
      this.found.textContent = 'No records came in.';
      return;
    }
    const next = { type, q: asked.get('q') ?? '', sort: asked.get('sort') ?? '' };
    if (Object.keys(next).every((key) => next[key] === this.state[key])) return;
    this.state = next;
    this.search.value = next.q;
    this.render();
  }

  first(types) { return types.find((type) => !['media', 'end', 'error', 'embedding'].includes(type)) ?? types[0]; }

  // Show something else, and let the address say so.
  go(change) {
    Object.assign(this.state, change);
    const words = new URLSearchParams(Object.entries(this.state).filter(([, value]) => value));
    history.replaceState(null, '', `#${words}`);
    this.search.value = this.state.q;
    this.render();
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.go({ q: this.search.value }), 120);
  }

  render() {
    const { type, q, sort } = this.state, table = this.data.tables.get(type);
    for (const tab of this.tabs.children) tab.setAttribute('aria-pressed', String(tab.dataset.type === type));
    const rows = q.trim() ? chosenRows(table, q) : allRows(table);
    const [name, way] = sort.split(':'), column = table.column(name);
    if (column) sortRows(rows, column, way === 'desc');
    this.grid.sort = column ? { name, down: way === 'desc' } : null;
    this.grid.show(table, rows, (by) => this.go({
      sort: sort === by ? `${by}:desc` : sort === `${by}:desc` ? '' : by }));
    this.detail.hidden = true;
    this.found.textContent = q.trim() ? `${count(rows.length)} of ${counted(table.rows, 'row')}` : counted(rows.length, 'row');
    this.note.textContent = this.notes(table);
    this.note.hidden = !this.note.textContent;
  }

  // What of the records the table does not show.
  notes(table) {
    const parts = [];
    if (table.rows < table.total) {
      parts.push(`The table holds the first ${count(table.rows)} of ${counted(table.total, 'record')}: vtk report --rows holds more. `
        + 'Counts and charts are of all.');
    }
    if (table.leftOut.length) parts.push(`Not shown: ${table.leftOut.join(', ')}.`);
    if (table.cut) parts.push(`${counted(table.cut, 'long text')} cut short.`);
    return parts.join(' ');
  }

  // Show all of one row below the table.
  tell(table, row, place) {
    const shown = table.columns.map((column) => [column.name, column.text(row)]).filter(([, text]) => text);
    const source = table.text('source', row), track = table.number('track_id', row);
    const at = this.data.sources.findIndex((each) => each.name === source);
    const picture = this.data.pictures.find((each) => each.source === at && each.track === track && each.of)
      ?? this.data.pictures.find((each) => each.source === at && each.frame === table.number('frame', row));
    this.detail.hidden = false;
    this.detail.replaceChildren(
      ...(picture ? [image(picture, `at ${clock(picture.t)}`)] : []),
      el('dl', {}, ...shown.map(([name, text]) => el('div', {}, el('dt', {}, name.replaceAll('_', ' ')), el('dd', { dir: 'auto' }, text)))));
    say(`Row ${place + 1}: ${shown.map(([name, text]) => `${name} ${text}`).join(', ')}`);
  }
}
