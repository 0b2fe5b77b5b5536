// Words, numbers and elements that all parts of the page use.

const COLOURS = ['#56b4e9', '#e69f00', '#009e73', '#d55e00', '#cc79a7', '#0072b2', '#b8a800'];

// An element; texts become text, never markup.
function el(name, given = {}, ...inside) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(given)) {
    if (key.startsWith('on')) made.addEventListener(key.slice(2), value);
    else if (key === 'style') for (const [what, how] of Object.entries(value)) made.style.setProperty(what, how);
    else if (value === true) made.setAttribute(key, '');
    else if (value !== false && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...inside.filter((part) => part !== undefined && part !== ''));
  return made;
}

// An element of a drawing.
function svg(name, given = {}, ...inside) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(given)) made.setAttribute(key, value);
  made.append(...inside);
  return made;
}

const count = (value) => value.toLocaleString('en');

const counted = (value, one, several = `${one}s`) => `${count(value)} ${value === 1 ? one : several}`;

// Seconds as 1:02:03.4.
function clock(seconds) {
  const tenths = Math.round(seconds * 10), minutes = Math.floor(tenths / 600), hours = Math.floor(minutes / 60);
  const rest = ((tenths % 600) / 10).toFixed(1).padStart(4, '0');
  return hours ? `${hours}:${String(minutes % 60).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`;
}

// The last part of a path, where no other name ends so.
const lastPart = (name) => name.split('/').filter(Boolean).pop() ?? name;
const endings = new Map();

const note = (name) => endings.set(lastPart(name), (endings.get(lastPart(name)) ?? new Set()).add(name));

const shortName = (name) => (endings.get(lastPart(name))?.size > 1 ? name : lastPart(name));

const named = (name) => el('bdi', { title: name }, shortName(name));

function colourOf(key) {
  if (Number.isInteger(key)) return COLOURS[(((key - 1) % 7) + 7) % 7];
  const [, stem, number] = /^(.*?)(\d*)$/su.exec(key); // names that count up have unlike colours
  let sum = Number(number.slice(-9));
  for (const letter of stem) sum = (sum * 31 + letter.codePointAt(0)) >>> 0;
  return COLOURS[sum % 7];
}

function image(picture, words) {
  return el('img', { src: `data:image/jpeg;base64,${picture.file}`, width: picture.w, height: picture.h, alt: words,
    title: words, loading: 'lazy', decoding: 'async' });
}

// A list that shows its first items, and more when asked.
function inParts(host, items, most, make, what) {
  let shown = 0;
  const button = el('button', { type: 'button', onclick: () => more() });
  host.append(button);
  const more = () => {
    items.slice(shown, shown + most).forEach((item) => host.insertBefore(make(item), button));
    shown = Math.min(items.length, shown + most);
    button.textContent = `Show more: ${count(items.length - shown)} ${what} left`;
    button.hidden = shown === items.length;
  };
  more();
}

const say = (words) => { document.getElementById('said').textContent = words; };
