// Sheets of the whole run: sources, people, copies, and pictures that are sources themselves.

const MOST_SIDE = 40; // sources and references in the matrix of copies
const RANK = { failed: 0, partial: 1, unknown: 2, ok: 3 };

// The table of sources, those in trouble first.
function sourceTable(sources) {
  const sorted = [...sources].sort((one, other) => RANK[one.status] - RANK[other.status] || one.number - other.number);
  const total = (source) => Object.values(source.counts).reduce((sum, value) => sum + value, 0);
  const table = new Table('source', sorted.length, sorted.length, [
    Column.words('source', sorted.map((each) => each.name)),
    Column.words('status', sorted.map((each) => each.status)),
    Column.words('kind', sorted.map((each) => each.kind ?? '')),
    Column.words('size', sorted.map((each) => (each.width ? `${each.width} × ${each.height}` : ''))),
    Column.numbers('seconds', sorted.map((each) => each.duration ?? each.last), 1),
    Column.numbers('fps', sorted.map((each) => each.fps ?? NaN), 2),
    Column.numbers('records', sorted.map(total)),
    Column.numbers('errors', sorted.map((each) => each.counts.error ?? 0)),
    Column.words('of', sorted.map((each) => Object.entries(each.counts).filter(([type]) => type !== 'end').sort()
      .map(([type, value]) => `${count(value)} ${type}`).join(', '))),
  ], { leftOut: [], cut: 0 });
  return table;
}

function drawSources(host, data) {
  const table = sourceTable(data.sources);
  const grid = new Grid(host, 'Sources', (of, row) => window.vtkReport.openSource(of.text('source', row)));
  grid.scroll.classList.add('low');
  let sort = '';
  const show = () => {
    const rows = allRows(table), [name, way] = sort.split(':');
    if (sort) sortRows(rows, table.column(name), way === 'desc');
    grid.sort = sort ? { name, down: way === 'desc' } : null;
    grid.show(table, rows, (by) => {
      sort = sort === by ? `${by}:desc` : sort === `${by}:desc` ? '' : by;
      show();
    });
  };
  show();
  host.closest('section').hidden = !table.rows;
}

// A number alone would pass for a track's.
const whoOf = (identity) => (/^\d+$/.test(identity) ? `ID ${identity}` : identity);

// Who each track is: by number of its source and its own.
function identitiesOf(data) {
  const found = new Map(), table = data.tables.get('identity');
  const numbers = new Map(data.sources.map((each) => [each.name, each.number]));
  for (let row = 0; row < (table?.rows ?? 0); row += 1) {
    found.set(`${numbers.get(table.text('source', row))} ${table.number('track_id', row)}`, whoOf(table.text('identity', row)));
  }
  return found;
}

function drawIdentities(host, data, identities) {
  const groups = new Map();
  for (const [key, who] of identities) {
    if (!groups.has(who)) groups.set(who, { who, tracks: [], crops: [] });
    groups.get(who).tracks.push(key);
  }
  for (const picture of data.pictures) {
    const who = picture.of === 'track' ? identities.get(`${picture.source} ${picture.track}`) : undefined;
    if (who !== undefined) groups.get(who).crops.push(picture);
  }
  const { compare } = new Intl.Collator(undefined, { numeric: true });
  const sorted = [...groups.values()].sort((one, other) => compare(one.who, other.who));
  host.closest('section').hidden = !sorted.length;
  inParts(host, sorted, 60, ({ who, tracks, crops }) => {
    const sources = new Set(tracks.map((key) => key.split(' ')[0])).size;
    return el('article', { class: 'person', style: { '--own': colourOf(who) } },
      el('h3', { dir: 'auto' }, who), el('p', {}, `${counted(tracks.length, 'track')} in ${counted(sources, 'source')}`),
      el('div', { class: 'crops' }, ...crops.slice(0, 12).map((crop) => image(crop,
        `${who}: track ${crop.track} of ${shortName(data.sources[crop.source].name)} at ${clock(crop.t)}`))),
      crops.length ? '' : el('p', { class: 'note' }, 'no picture'));
  }, 'identities');
}

// Seconds that each source has of each reference.
function drawCopies(host, data) {
  const table = data.tables.get('copy');
  host.closest('section').hidden = !table?.rows;
  if (!table?.rows) return;
  const seconds = new Map(), rows = new Map(), columns = new Map();
  for (let row = 0; row < table.rows; row += 1) {
    const source = table.text('source', row), ref = table.text('ref', row);
    const long = table.number('end', row) - table.number('start', row);
    const key = `${source}\n${ref}`;
    seconds.set(key, (seconds.get(key) ?? 0) + long);
    rows.set(source, (rows.get(source) ?? 0) + long);
    columns.set(ref, (columns.get(ref) ?? 0) + long);
  }
  const first = (sums) => [...sums].sort((one, other) => other[1] - one[1]).slice(0, MOST_SIDE).map(([name]) => name);
  const down = first(rows), across = first(columns), most = Math.max(...seconds.values());
  const head = el('tr', {}, el('th', { scope: 'col' }, 'source'), ...across.map((ref) => el('th', { scope: 'col' }, named(ref))));
  host.append(
    el('p', {}, `Seconds of each source (rows) that are seconds of a reference (columns)${rows.size > down.length || columns.size > across.length
      ? `: the ${down.length} of ${count(rows.size)} and ${across.length} of ${count(columns.size)} with most` : ''}.`),
    el('div', { class: 'wide', tabindex: 0, role: 'region', 'aria-label': 'Matrix of copies' }, el('table', { class: 'matrix' }, el('thead', {}, head),
      el('tbody', {}, ...down.map((source) => el('tr', {}, el('th', { scope: 'row' }, named(source)), ...across.map((ref) => {
        const long = seconds.get(`${source}\n${ref}`);
        return el('td', long ? { style: { '--share': `${Math.round(15 + (75 * long) / most)}%` }, class: 'has' } : {}, long ? long.toFixed(1) : '');
      })))))));
}

// Sources that are pictures: each with what it shows.
function drawGallery(host, data, sources) {
  const labels = new Map();
  for (const table of data.tables.values()) {
    const source = table.column('source'), what = table.column('label') ?? table.column('text') ?? table.column('verdict');
    if (!source || !what || what.numeric || ['embedding', 'error', 'end'].includes(table.type)) continue;
    for (let row = 0; row < table.rows; row += 1) {
      const name = source.text(row), text = what.text(row) || table.text('note', row);
      if (!labels.has(name)) labels.set(name, new Set());
      if (text && labels.get(name).size < 4) labels.get(name).add(text);
    }
  }
  inParts(host, sources, 24, (source) => {
    const picture = data.pictures.find((each) => each.source === source.number && !each.of);
    return el('figure', { class: 'still', 'data-source': source.name }, picture ? image(picture, shortName(source.name)) : '',
      el('figcaption', {}, named(source.name), source.status === 'ok' || source.status === 'unknown' ? '' : el('span', { class: `status ${source.status}` }, ` ${source.status}`),
        el('span', { class: 'labels', dir: 'auto' }, [...labels.get(source.name) ?? []].join(', '))));
  }, 'pictures');
}
