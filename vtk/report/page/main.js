// The page comes up: tables first, then what is below them.

function drawSummary(host, data) {
  const seconds = data.sources.reduce((sum, each) => sum + (each.kind === 'image' ? 0 : each.duration ?? each.last), 0);
  const cards = [[count(data.sources.length), data.sources.length === 1 ? 'source' : 'sources'], [count(data.total), 'records'],
    ...(seconds ? [[clock(seconds), 'of time']] : []),
    ...[...data.tables.values()].filter((table) => !['end', 'media', 'error'].includes(table.type))
      .map((table) => [count(table.total), table.type.replaceAll('_', ' ')])];
  host.append(...cards.map(([value, name]) => el('div', { class: 'card' }, el('strong', {}, value), el('span', {}, name))));
}

function sourceSection(data, source, rows, identities) {
  const facts = [source.kind, source.width && `${source.width} × ${source.height}`, source.fps && `${+source.fps.toFixed(2)} frames/s`,
    clock(source.duration ?? source.last), source.unnoted && `${count(source.unnoted)} boxes of further tracks not drawn`].filter(Boolean);
  const section = el('article', { class: 'source', 'data-source': source.name },
    el('h3', { tabindex: -1 }, named(source.name), ' ', el('span', { class: `status ${source.status}` },
      source.status === 'unknown' ? 'no end record' : source.status)),
    el('p', { class: 'facts' }, facts.join(' · ')));
  const build = () => {
    const own = data.pictures.filter((each) => each.source === source.number);
    const frames = own.filter((each) => !each.of).sort((one, other) => one.t - other.t), crops = own.filter((each) => each.of);
    if (frames.length) section.append(el('div', { class: 'strip' }, ...frames.map((each) => image(each, `frame at ${clock(each.t)}`))));
    new Timeline(section, source, data.spans, rows, identities);
    if (crops.length) {
      section.append(el('div', { class: 'crops' }, ...crops.map((each) => {
        const who = each.of === 'track' ? identities.get(`${each.source} ${each.track}`) : undefined, name = [who, each.track >= 0 ? `#${each.track}` : '', each.label];
        return el('figure', {}, image(each, `${name.filter(Boolean).join(' ')} at ${clock(each.t)}`),
          el('figcaption', { dir: 'auto' }, name.filter(Boolean).join(' ')));
      })));
    }
  };
  const seen = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    seen.disconnect();
    build();
  }, { rootMargin: '400px' });
  seen.observe(section);
  window.addEventListener('beforeprint', () => { if (section.childElementCount < 3) { seen.disconnect(); build(); } });
  return section;
}

function drawTimelines(host, data, identities) {
  const bySource = spansBySource(data.spans);
  const films = data.sources.filter((each) => each.kind !== 'image' && !(each.kind === undefined && each.last === 0 && !bySource.has(each.number)))
    .sort((one, other) => RANK[one.status] - RANK[other.status] || one.number - other.number);
  host.closest('section').hidden = !films.length;
  if (data.spans.rows < data.spans.total) {
    host.append(el('p', { class: 'note' }, `The first ${count(data.spans.rows)} of ${counted(data.spans.total, 'span')} are drawn.`));
  }
  const make = (source) => sourceSection(data, source, bySource.get(source.number) ?? [], identities);
  inParts(host, films, 20, make, 'sources');
  const stills = data.sources.filter((each) => !films.includes(each) && data.pictures.some((one) => one.source === each.number));
  const gallery = document.getElementById('stills');
  gallery.closest('section').hidden = !stills.length;
  drawGallery(gallery, data, stills);
  return { host, make, films };
}

// What the page says at its foot of what it leaves out.
function drawFoot(data) {
  const parts = [];
  if (data.made > data.pictures.length) parts.push(`${count(data.pictures.length)} of ${counted(data.made, 'picture')} are shown: vtk report --thumbs shows more.`);
  const cut = [...data.tables.values()].filter((table) => table.rows < table.total);
  if (cut.length) parts.push(`Tables of ${cut.map((table) => table.type).join(', ')} hold the first rows alone; counts and charts are of all.`);
  document.getElementById('left-out').textContent = parts.join(' ');
}

// Go to a source's timeline or picture; a timeline that is not there yet comes first.
function openSource(name, { host, make, films }) {
  let found = [...document.querySelectorAll('[data-source]')].find((each) => each.dataset.source === name);
  const film = films.find((each) => each.name === name);
  if (!found && film) {
    found = make(film);
    host.prepend(found);
  }
  found?.scrollIntoView({ block: 'center' });
  found?.querySelector('h3')?.focus({ preventScroll: true });
}

// Links of the head for what is there.
function drawLinks() {
  const links = [...document.querySelectorAll('main > section')].filter((section) => !section.hidden).map((section) =>
    el('button', { type: 'button', onclick: () => { section.scrollIntoView(); section.querySelector('h2').focus({ preventScroll: true }); } },
      section.querySelector('h2').textContent));
  document.getElementById('links').replaceChildren(...links);
}

async function begin() {
  const data = await readData();
  data.sources.forEach((source, number) => { source.number = number; });
  for (const name of [...data.sources.map((each) => each.name), ...data.tables.get('copy')?.column('ref')?.texts ?? []]) note(name);
  drawSummary(document.getElementById('cards'), data);
  const records = new Records(document.getElementById('tables'), data);
  window.vtkReport = { records, data, inflate };
  const identities = identitiesOf(data);
  const timelines = drawTimelines(document.getElementById('timelines'), data, identities);
  window.vtkReport.openSource = (name) => openSource(name, timelines);
  drawSources(document.getElementById('source-table'), data);
  drawCharts(document.getElementById('charts'), data);
  drawIdentities(document.getElementById('people'), data, identities);
  drawCopies(document.getElementById('copies'), data);
  drawFoot(data);
  drawLinks();
  if (location.hash.includes('type=')) document.getElementById('records').scrollIntoView();
  // Twice: the second comes when the first has been painted.
  requestAnimationFrame(() => requestAnimationFrame(() => { document.documentElement.dataset.ready = String(Math.round(performance.now())); }));
}

begin().catch((error) => {
  document.documentElement.dataset.ready = 'failed';
  const trouble = document.getElementById('trouble');
  trouble.hidden = false;
  trouble.textContent = `This page cannot be shown here: ${error.message}. A recent browser is needed.`;
  throw error;
});
