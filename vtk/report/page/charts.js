// Charts of the whole run: how sure, and what of.

const WIDE = 320, TALL = 96; // units of a drawing

function histogram(type, bins) {
  const most = Math.max(...bins), total = bins.reduce((sum, value) => sum + value, 0), step = WIDE / bins.length;
  let seen = 0;
  const middle = (bins.findIndex((value) => (seen += value) * 2 >= total) + 0.5) / bins.length;
  const words = `Scores of ${counted(total, 'record')} of type ${type}; half are above ${middle.toFixed(2)}`;
  const drawing = svg('svg', { viewBox: `0 0 ${WIDE} ${TALL + 16}`, role: 'img', 'aria-label': words }, svg('title', {}, words),
    ...bins.map((value, place) => svg('rect', { x: place * step, y: TALL - (value / most) * TALL, width: step - 1,
      height: (value / most) * TALL })), svg('line', { x1: 0, x2: WIDE, y1: TALL, y2: TALL }),
    ...[0, 0.25, 0.5, 0.75, 1].map((at) => svg('text', { x: at * WIDE, y: TALL + 13,
      'text-anchor': at === 0 ? 'start' : at === 1 ? 'end' : 'middle' }, String(at))));
  const tenths = Array.from({ length: 10 }, (_, n) => bins.slice(n * bins.length / 10, (n + 1) * bins.length / 10)
    .reduce((sum, value) => sum + value, 0));
  return el('figure', {}, el('figcaption', {}, `${type.replaceAll('_', ' ')}: ${type.startsWith('face') ? 'how live' : 'scores'}`),
    drawing, el('details', {}, el('summary', {}, 'numbers'), el('table', {},
      el('tr', {}, el('th', { scope: 'col' }, 'score'), el('th', { scope: 'col' }, 'records')),
      ...tenths.map((value, n) => el('tr', {}, el('th', { scope: 'row' }, `${n / 10}–${(n + 1) / 10}`), el('td', {}, count(value)))))));
}

function labelBars(type, labels, different, onPick) {
  const shown = labels.filter(([name]) => name).slice(0, 12), most = Math.max(...shown.map(([, value]) => value));
  return el('figure', {}, el('figcaption', {}, `${type.replaceAll('_', ' ')}: ${different > shown.length
    ? `the ${shown.length} commonest of ${counted(different, 'label')}` : counted(different, 'label')}`),
  el('ol', { class: 'bars' }, ...shown.map(([name, value]) => el('li', {},
    el('button', { type: 'button', dir: 'auto', onclick: () => onPick(type, name) }, name),
    el('span', { class: 'bar', 'aria-hidden': 'true', style: { '--share': `${(100 * value) / most}%` } }),
    el('span', { class: 'number' }, count(value))))));
}

function drawCharts(host, data) {
  const show = (type, label) => {
    location.hash = new URLSearchParams({ type, q: `label="${label}"` });
    document.getElementById('records').scrollIntoView();
  };
  const charts = [
    ...Object.entries(data.labels).filter(([, labels]) => labels.some(([name]) => name))
      .map(([type, labels]) => labelBars(type, labels, data.different[type], show)),
    ...Object.entries(data.scores).filter(([, bins]) => bins.some(Boolean)).map(([type, bins]) => histogram(type, bins)),
  ];
  host.closest('section').hidden = !charts.length;
  host.append(...charts);
}
