// Raw deflate (RFC 1951), for browsers without DecompressionStream.

const LENGTH_BASE = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163,
  195, 227, 258];
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCE_BASE = [1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049,
  3073, 4097, 6145, 8193, 12289, 16385, 24577];
const DISTANCE_BITS = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];
const CODE_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

// A prefix code as how many symbols have each length, and the symbols in order.
function codeOf(lengths) {
  const counts = new Uint16Array(16), symbols = new Uint16Array(lengths.length), places = new Uint16Array(16);
  for (const length of lengths) counts[length] += 1;
  counts[0] = 0;
  for (let length = 1; length < 15; length += 1) places[length + 1] = places[length] + counts[length];
  lengths.forEach((length, symbol) => { if (length) symbols[places[length]++] = symbol; });
  return { counts, symbols };
}

// Return `size` bytes that `data` was made of.
function inflate(data, size) {
  const out = new Uint8Array(size);
  let at = 0, end = 0, hold = 0, held = 0;
  const bits = (count) => {
    while (held < count) {
      if (at >= data.length) throw new Error('the page\'s data is cut short');
      hold |= data[at++] << held;
      held += 8;
    }
    const value = hold & ((1 << count) - 1);
    hold >>>= count;
    held -= count;
    return value;
  };
  const symbol = ({ counts, symbols }) => {
    let code = 0, first = 0, place = 0;
    for (let length = 1; length < 16; length += 1) {
      code |= bits(1);
      const count = counts[length];
      if (code - count < first) return symbols[place + code - first];
      place += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    throw new Error('the page\'s data is damaged');
  };
  const fixed = [codeOf(Uint8Array.from({ length: 288 }, (_, n) => (n < 144 ? 8 : n < 256 ? 9 : n < 280 ? 7 : 8))),
    codeOf(new Uint8Array(30).fill(5))];
  const told = () => {
    const literals = bits(5) + 257, distances = bits(5) + 1, given = bits(4) + 4, lengths = new Uint8Array(19);
    for (let n = 0; n < given; n += 1) lengths[CODE_ORDER[n]] = bits(3);
    const code = codeOf(lengths), all = new Uint8Array(literals + distances);
    for (let n = 0; n < all.length;) {
      const found = symbol(code);
      if (found < 16) { all[n++] = found; continue; }
      const repeated = found === 16 ? all[n - 1] : 0;
      const times = found === 16 ? 3 + bits(2) : found === 17 ? 3 + bits(3) : 11 + bits(7);
      all.fill(repeated, n, n + times);
      n += times;
    }
    return [codeOf(all.subarray(0, literals)), codeOf(all.subarray(literals))];
  };
  for (let last = 0; !last;) {
    last = bits(1);
    const kind = bits(2);
    if (kind === 0) {
      hold = held = 0;
      const length = data[at] | (data[at + 1] << 8);
      out.set(data.subarray(at + 4, at + 4 + length), end);
      at += 4 + length;
      end += length;
      continue;
    }
    const [literal, distance] = kind === 1 ? fixed : told();
    for (let found = symbol(literal); found !== 256; found = symbol(literal)) {
      if (found < 256) { out[end++] = found; continue; }
      const length = LENGTH_BASE[found - 257] + bits(LENGTH_BITS[found - 257]);
      const far = symbol(distance), back = DISTANCE_BASE[far] + bits(DISTANCE_BITS[far]);
      for (let n = 0; n < length; n += 1, end += 1) out[end] = out[end - back];
    }
  }
  return out;
}
