// The page's data: tables of packed columns, read when they are looked at.

const ARRAYS = { i1: Int8Array, i2: Int16Array, i4: Int32Array, f8: Float64Array };
const LEAST = { i1: -128, i2: -32768, i4: -2147483648 };

const textOf = (id) => document.getElementById(id).textContent.trim();

function bytesOf(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const letters = atob(text), bytes = new Uint8Array(letters.length);
  for (let n = 0; n < letters.length; n += 1) bytes[n] = letters.charCodeAt(n);
  return bytes;
}

async function unpacked(bytes, size) {
  let plain;
  try {
    plain = new DecompressionStream('deflate-raw');
  } catch {
    return inflate(bytes, size);
  }
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(plain)).arrayBuffer());
}

// A column of numbers, absent ones NaN, or of texts, absent ones ''.
class Column {
  constructor(name) { this.name = name; }

  static packed(meta, rows, buffer) {
    const column = new Column(meta.name);
    column.texts = meta.texts;
    column.digits = meta.kind === 'f8' ? -1 : Math.round(Math.log10(meta.scale ?? 1));
    column.raw = () => new ARRAYS[meta.kind](buffer, meta.at, rows);
    column.meta = meta;
    return column;
  }

  static numbers(name, values, digits = 0) {
    const column = new Column(name);
    column.kept = Float64Array.from(values);
    column.digits = digits;
    return column;
  }

  static words(name, values) {
    const column = new Column(name), known = new Map();
    column.known = Int32Array.from(values, (value) => {
      if (!value) return -1;
      if (!known.has(value)) known.set(value, known.size);
      return known.get(value);
    });
    column.texts = [...known.keys()];
    return column;
  }

  get numeric() { return this.texts === undefined; }

  // Numbers of each row.
  get values() {
    if (this.kept) return this.kept;
    const raw = this.raw(), { kind, scale = 1, delta } = this.meta;
    if (kind === 'f8') return (this.kept = raw);
    const values = new Float64Array(raw.length), least = LEAST[kind];
    let sum = 0;
    for (let n = 0; n < raw.length; n += 1) {
      if (delta) values[n] = (sum += raw[n]) / scale;
      else values[n] = raw[n] === least ? NaN : raw[n] / scale;
    }
    return (this.kept = values);
  }

  // Places in `texts` of each row, -1 where absent.
  get codes() { return (this.known ??= this.raw()); }

  text(row) {
    if (!this.numeric) return this.codes[row] < 0 ? '' : this.texts[this.codes[row]];
    const value = this.values[row];
    return Number.isNaN(value) ? '' : this.digits < 0 ? String(value) : this.digits > 4 ? String(value) : value.toFixed(this.digits);
  }

  // Place of each text among all in order, as people count them.
  get ranks() {
    if (this.order) return this.order;
    const { compare } = new Intl.Collator(undefined, { numeric: true });
    const sorted = this.texts.map((_, place) => place).sort((one, other) => compare(this.texts[one], this.texts[other]));
    this.order = new Int32Array(sorted.length);
    sorted.forEach((place, rank) => { this.order[place] = rank; });
    return this.order;
  }

  // What a row is sorted by; absent is last.
  key(row) {
    if (this.numeric) return Number.isNaN(this.values[row]) ? Infinity : this.values[row];
    return this.codes[row] < 0 ? Infinity : this.ranks[this.codes[row]];
  }
}

class Table {
  constructor(type, rows, total, columns, more = {}) {
    Object.assign(this, { type, rows, total, columns }, more);
    this.byName = new Map(columns.map((column) => [column.name, column]));
  }

  static packed(meta, buffer) {
    return new Table(meta.type, meta.rows, meta.total, meta.columns.map((each) => Column.packed(each, meta.rows, buffer)),
      { leftOut: meta.left_out ?? [], cut: meta.cut ?? 0 });
  }

  column(name) { return this.byName.get(name); }

  text(name, row) { return this.byName.get(name)?.text(row) ?? ''; }

  number(name, row) { return this.byName.get(name)?.values[row] ?? NaN; }
}

// Everything that the page shows.
async function readData() {
  const meta = JSON.parse(textOf('meta'));
  const { buffer } = await unpacked(bytesOf(textOf('columns')), meta.size);
  const tables = new Map(meta.tables.map((each) => [each.type, Table.packed(each, buffer)]));
  const shown = textOf('pictures');
  const files = shown ? shown.split('\n') : [];
  meta.pictures.forEach((picture, place) => { picture.file = files[place]; });
  return { ...meta, tables, spans: Table.packed(meta.spans, buffer) };
}
