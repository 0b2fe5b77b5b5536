// The timeline of one source: what was there from when to when, drawn on a canvas that keys and pointers move over.

const LANE_ORDER = ['shots', 'scenes', 'tracks', 'texts', 'faces', 'species', 'copies'];
const BAR = 12, GAP = 2, HEAD = 16, AXIS = 20, CHART = 42, MOST_LINES = 16; // pixels, and lines of bars in a lane
const LEAST_BAR = 2; // pixels, so that what lasts a moment is seen

// Spans by source: row numbers.
function spansBySource(spans) {
  const found = new Map(), of = spans.rows ? spans.column('source').values : [];
  for (let row = 0; row < spans.rows; row += 1) {
    if (!found.has(of[row])) found.set(of[row], []);
    found.get(of[row]).push(row);
  }
  return found;
}

// Spans as bars in lanes, each lane in as many lines as it needs, up to MOST_LINES.
function lanesOf(spans, rows) {
  const lanes = new Map();
  for (const row of rows) {
    const name = spans.text('lane', row), start = spans.number('start', row);
    if (!lanes.has(name)) lanes.set(name, { name, bars: [], ends: [], hidden: 0 });
    lanes.get(name).bars.push({ lane: name, row, start, end: Math.max(start, spans.number('end', row)), label: spans.text('label', row),
      track: spans.number('track_id', row), score: spans.number('score', row) });
  }
  for (const lane of lanes.values()) {
    lane.bars.sort((one, other) => one.start - other.start || one.end - other.end);
    lane.bars = lane.bars.filter((bar) => {
      let line = lane.ends.findIndex((end) => end <= bar.start);
      if (line < 0) line = lane.ends.length;
      if (line >= MOST_LINES) {
        lane.hidden += 1;
        return false;
      }
      lane.ends[line] = bar.end;
      bar.line = line;
      return true;
    });
  }
  return LANE_ORDER.filter((name) => lanes.has(name)).map((name) => lanes.get(name));
}

// How many tracks there are over time, where no record of frames says it.
function densityOf(lanes, seconds) {
  const bars = lanes.find((lane) => lane.name === 'tracks')?.bars ?? [], width = seconds / 200;
  if (!bars.length || !(width > 0)) return undefined;
  const values = new Array(200).fill(0);
  for (const bar of bars) {
    const last = Math.min(199, Math.floor(bar.end / width));
    for (let place = Math.floor(bar.start / width); place <= last; place += 1) values[place] += 1;
  }
  return { bin: width, values };
}

class Timeline {
  constructor(host, source, spans, rows, identities) {
    Object.assign(this, { source, identities });
    this.lanes = lanesOf(spans, rows);
    this.seconds = Math.max(source.duration ?? 0, source.last, ...this.lanes.flatMap((lane) => lane.bars.map((bar) => bar.end)), 0.1);
    this.density = source.density ? { bin: source.bin, values: source.density } : densityOf(this.lanes, this.seconds);
    this.place();
    this.at = [-1, -1];
    this.canvas = el('canvas', { tabindex: 0, role: 'img', 'aria-label': this.words(),
      onpointermove: (event) => this.pointed(event), onclick: () => this.open(), onkeydown: (event) => this.keyed(event),
      onpointerleave: () => { this.at = [-1, -1]; this.draw(); } });
    this.info = el('p', { class: 'info', 'aria-live': 'polite' }, this.lanes.length ? 'Point at a bar, or press arrow keys here.' : '');
    host.append(this.canvas, this.info);
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.draw());
  }

  words() {
    const parts = this.lanes.map((lane) => `${count(lane.bars.length + lane.hidden)} ${lane.name}`);
    return `Timeline of ${shortName(this.source.name)}, ${clock(this.seconds)} long: ${parts.join(', ') || 'boxes alone'}`;
  }

  // Where lanes begin, from the top.
  place() {
    let top = this.density ? HEAD + CHART : 0;
    for (const lane of this.lanes) {
      lane.top = top + HEAD;
      top = lane.top + lane.ends.length * (BAR + GAP) + GAP;
    }
    this.height = top + AXIS;
  }

  draw() {
    const width = this.canvas.clientWidth, ratio = window.devicePixelRatio || 1;
    if (!width) return;
    this.canvas.style.height = `${this.height}px`;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(this.height * ratio);
    const pen = this.canvas.getContext('2d'), style = getComputedStyle(document.documentElement);
    const [ink, faint, line] = ['--ink', '--faint', '--line'].map((name) => style.getPropertyValue(name));
    pen.scale(ratio, ratio);
    pen.clearRect(0, 0, width, this.height);
    pen.font = `11px ${style.getPropertyValue('--font')}`;
    this.axis(pen, width, faint, line);
    if (this.density) this.chart(pen, width, faint, style.getPropertyValue('--accent'));
    this.lanes.forEach((lane, number) => this.lane(pen, lane, number, width, ink, faint));
  }

  axis(pen, width, faint, line) {
    const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400]
      .find((each) => (each / this.seconds) * width >= 64) ?? 604800;
    pen.textBaseline = 'bottom';
    for (let t = 0; t <= this.seconds; t += step) {
      const x = (t / this.seconds) * width;
      pen.fillStyle = line;
      pen.fillRect(Math.min(x, width - 1), 0, 1, this.height - AXIS + 4);
      pen.fillStyle = faint;
      const text = clock(t), wide = pen.measureText(text).width;
      if (x + wide < width || t === 0) pen.fillText(text, x, this.height - 2);
    }
  }

  chart(pen, width, faint, accent) {
    const { bin, values } = this.density, most = Math.max(1, ...values), base = HEAD + CHART;
    pen.fillStyle = accent;
    values.forEach((value, place) => {
      const x = ((place * bin) / this.seconds) * width, high = (value / most) * (CHART - 4);
      const end = Math.ceil((((place + 1) * bin) / this.seconds) * width);
      if (value) pen.fillRect(Math.floor(x), base - high, Math.max(1, end - Math.floor(x)), high);
    });
    pen.fillStyle = faint;
    pen.textBaseline = 'top';
    pen.fillText(`in sight, up to ${Number.isInteger(most) ? most : most.toFixed(1)}`, 2, 2);
  }

  lane(pen, lane, number, width, ink, faint) {
    pen.textBaseline = 'top';
    pen.fillStyle = faint;
    pen.fillText(lane.hidden ? `${lane.name}, ${count(lane.hidden)} more at the same time not drawn` : lane.name, 2, lane.top - HEAD + 2);
    lane.bars.forEach((bar, place) => {
      const x = (bar.start / this.seconds) * width, wide = Math.max(LEAST_BAR, ((bar.end - bar.start) / this.seconds) * width - 1);
      const y = lane.top + bar.line * (BAR + GAP), current = this.at[0] === number && this.at[1] === place;
      pen.fillStyle = this.colour(bar, lane);
      pen.fillRect(x, y, wide, BAR);
      if (current) {
        pen.strokeStyle = ink;
        pen.lineWidth = 2;
        pen.strokeRect(x, y, wide, BAR);
      }
      const text = wide > 24 ? this.name(bar) : '';
      if (text && pen.measureText(text).width < wide - 6) {
        pen.fillStyle = pen.fillStyle === '#0072b2' ? '#fff' : '#000';
        pen.fillText(text, x + 3, y + 1);
      }
    });
  }

  // Texts and faces have numbers of their own, which are no tracks'.
  who(bar) { return bar.lane === 'tracks' ? this.identities.get(`${this.source.number} ${bar.track}`) : undefined; }

  colour(bar, lane) {
    return colourOf(this.who(bar) ?? (lane.name === 'tracks' && !Number.isNaN(bar.track) ? bar.track : bar.label || bar.row));
  }

  name(bar) {
    const track = Number.isNaN(bar.track) ? '' : `#${bar.track}`;
    return [this.who(bar), track, bar.label && shortName(bar.label)].filter(Boolean).join(' ');
  }

  // The bar below the pointer becomes the current one.
  pointed(event) {
    const box = this.canvas.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
    const t = (x / box.width) * this.seconds, slack = (3 / box.width) * this.seconds;
    const number = this.lanes.findIndex((lane) => y >= lane.top && y < lane.top + lane.ends.length * (BAR + GAP));
    const line = number < 0 ? -1 : Math.floor((y - this.lanes[number].top) / (BAR + GAP));
    const place = number < 0 ? -1 : this.lanes[number].bars.findIndex((bar) => bar.line === line && t >= bar.start - slack && t <= bar.end + slack);
    this.choose(number, place);
  }

  keyed(event) {
    if (event.key === 'Enter') this.open();
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!step || !this.lanes.length) return;
    event.preventDefault();
    const number = Math.min(this.lanes.length - 1, Math.max(0, this.at[0] + step[0]));
    const place = step[0] ? 0 : Math.min(this.lanes[number].bars.length - 1, Math.max(0, this.at[1] + step[1]));
    this.choose(number, place);
  }

  choose(number, place) {
    if (number === this.at[0] && place === this.at[1]) return;
    this.at = [number, place];
    const bar = this.lanes[number]?.bars[place];
    this.canvas.classList.toggle('over', Boolean(bar));
    if (bar) {
      const score = Number.isNaN(bar.score) ? '' : `, score ${bar.score.toFixed(2)}`;
      this.info.textContent = `${this.lanes[number].name}: ${this.name(bar) || 'no name'}, ${clock(bar.start)} to ${clock(bar.end)}${score}`;
    }
    this.draw();
  }

  // Look the current bar up in the tables.
  open() {
    const lane = this.lanes[this.at[0]], bar = lane?.bars[this.at[1]];
    if (!bar) return;
    const type = { shots: 'shot', scenes: 'scene', tracks: 'tracklet', texts: 'text_track', faces: 'face_track', species: 'species', copies: 'copy' }[lane.name];
    const track = Number.isNaN(bar.track) ? `start=${bar.start}` : `track_id=${bar.track}`;
    const found = window.vtkReport.records.data.tables.has(type) ? type : type.replace('tracklet', 'track').replace('_track', '');
    location.hash = new URLSearchParams({ type: found, q: `source="${this.source.name}" ${track}` });
    document.getElementById('records').scrollIntoView();
  }
}
