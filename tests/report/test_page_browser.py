"""``vtk report`` in headless Chromium: it opens from a file without a complaint, and does what is asked of it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from clips import make_clip
from pages import ended, failure, report, track, write_lines

from vtk.report.browser import Browser, chromium
from vtk.report.page_bench import write_page

EVIL = "films/</script><script>window.hurt=1</script>\"'&\u202egpj.mp4"
ROWS = "[...document.querySelectorAll('#records .body .row')]"
VISIBLE = "[...document.querySelectorAll('main > section')].filter((each) => !each.hidden).map((each) => each.querySelector('h2').textContent)"
# Contrast of a text with what is behind it, of all that has text, by WCAG 2.2: the worst, and what it is.
CONTRAST = """(() => {
  const pen = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => { pen.clearRect(0, 0, 1, 1); pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1); return pen.getImageData(0, 0, 1, 1).data; };
  const light = (colour) => [...rgba(colour)].slice(0, 3).map((part) => part / 255).map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, n) => sum + part * [0.2126, 0.7152, 0.0722][n], 0);
  const behind = (element) => { for (let at = element; at; at = at.parentElement) { const found = getComputedStyle(at).backgroundColor; if (rgba(found)[3] === 255) return found; } return '#fff'; };
  let worst = [99, ''];
  for (const element of document.querySelectorAll('body *')) {
    if (![...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()) || !element.checkVisibility() || ['SCRIPT', 'STYLE', 'NOSCRIPT'].includes(element.tagName) || element.namespaceURI.endsWith('svg')) continue;
    const [one, other] = [light(getComputedStyle(element).color), light(behind(element))].sort((a, b) => b - a);
    const found = (one + 0.05) / (other + 0.05);
    if (found < worst[0]) worst = [found, element.textContent.slice(0, 40)];
  }
  return worst;
})()"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return a browser, or skip where the machine has none."""
    if chromium() is None:
        pytest.skip("no Chromium on this machine (Debian's package chromium)")
    with Browser() as found:
        yield found


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page of two films, one of them broken, with people, copies, shots, and names that could hurt."""
    folder = tmp_path_factory.mktemp("page")
    make_clip(folder / "a.mp4")
    shutil.copy(folder / "a.mp4", folder / "b.mp4")
    copied = {"v": 1, "type": "copy", "by": "detect-copy/x", "start": 0.0, "end": 1.5, "ref_start": 1.0, "ref_end": 2.5, "score": 0.5}
    records = [failure(EVIL, "<img src=x onerror=window.hurt=1>"), ended(EVIL, "failed")]
    for name in ("a.mp4", "b.mp4"):
        records += [track(name, frame, number, label=("person", "car")[number % 2], score=number / 4)
                    for frame in range(12) for number in (1, 2, 3)]
        records += [copied | {"source": name, "ref": "films/ref.mp4"}, ended(name)]
    records += [{"v": 1, "type": "identity", "by": "reid/x", "source": name, "track_id": number, "identity": f"p{number:06d}", "score": 0.75}
                for name in ("a.mp4", "b.mp4") for number in (1, 2)]
    found = folder / "page.html"
    assert report("-o", found, write_lines(folder / "r.jsonl", records), "--root", folder, "-q") == 1
    return found


def until(browser: Browser, script: str) -> object:
    """Return what ``script`` gives once that is true."""
    end = time.monotonic() + 20
    while not (found := browser.ask(script)):
        assert time.monotonic() < end, f"never true: {script}"
        time.sleep(0.02)
    return found


def test_it_opens_without_a_complaint_and_shows_all_of_it(browser: Browser, page: Path) -> None:
    browser.dress(1200, 1000)
    assert browser.open(page) > 0
    assert browser.ask(VISIBLE) == ["Problems", "Summary", "Sources", "Timelines", "Identities", "Copies", "Charts", "Records"]
    assert browser.ask("document.querySelector('.problems li').textContent").startswith("E_OPEN films/</script>")
    assert browser.ask("[...document.querySelectorAll('.card')].map((each) => each.textContent)")[:2] == ["3sources", "82records"]
    sources = "[...document.querySelectorAll('#source-table .body .row')].map((each) => each.children[1].textContent)"
    assert browser.ask(sources) == ["failed", "ok", "ok"]
    assert browser.ask("document.querySelectorAll('.person').length") == 2
    assert browser.ask("[...document.querySelectorAll('.matrix td')].map((each) => each.textContent)") == ["1.5", "1.5"]
    assert browser.ask("document.querySelector('#records .grid [role=table]').getAttribute('aria-rowcount')") == "73"
    assert browser.ask("window.hurt ?? 0") == 0
    assert browser.troubles == []


def test_texts_are_not_people_though_their_numbers_are_alike(browser: Browser, tmp_path: Path) -> None:
    """A number is a track's of one maker: text 1 is not who track 1 is."""
    make_clip(tmp_path / "a.mp4")
    text = {"type": "text", "by": "spot-text/x", "text": "TAXI", "label": "TAXI",
            "det_score": 0.9, "poly": [[10, 20], [40, 20], [40, 90], [10, 90]]}
    who = {"v": 1, "type": "identity", "by": "reid/x", "source": "a.mp4", "track_id": 1, "identity": 7, "score": 0.75}
    records = [*(track("a.mp4", frame, 1, **keys) for frame in range(12) for keys in ({}, text)), who, ended("a.mp4")]
    report("-o", tmp_path / "page.html", write_lines(tmp_path / "r.jsonl", records), "--root", tmp_path, "-q")
    browser.dress(1200, 900)
    browser.open(tmp_path / "page.html")
    captions = "[...document.querySelectorAll('.source figcaption')].map((each) => each.textContent).sort()"
    assert until(browser, f"{captions}.length && {captions}") == ["#1 TAXI", "ID 7 #1 person"]
    browser.ask("document.querySelector('.source canvas').focus()")
    told = set()
    for arrow in ("ArrowDown", "ArrowDown", "ArrowUp"):
        browser.ask(f"document.querySelector('.source canvas').dispatchEvent(new KeyboardEvent('keydown', {{ key: '{arrow}', bubbles: true }}))")
        told.add(browser.ask("document.querySelector('.source').textContent.match(/(tracks|texts): [^,]*/)?.[0]"))
    assert told - {None} == {"tracks: ID 7 #1 person", "texts: #1 TAXI"}


def test_the_network_is_shut(browser: Browser, page: Path) -> None:
    browser.open(page)
    assert browser.ask("fetch('https://example.org').then(() => 'open', () => 'shut')") == "shut"
    assert browser.ask("new Promise((done) => { const made = document.createElement('script'); made.textContent = 'window.hurt = 2';"
                       " document.body.append(made); setTimeout(() => done(window.hurt ?? 0), 50); })") == 0
    assert browser.troubles  # each was refused aloud
    browser.troubles.clear()


def test_timelines_have_pictures_and_answer_keys(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.ask("document.querySelector('.source[data-source=\"a.mp4\"]').scrollIntoView({ behavior: 'instant' })")
    until(browser, "document.querySelectorAll('.source[data-source=\"a.mp4\"] .strip img').length === 8")
    until(browser, "[...document.querySelectorAll('.source[data-source=\"a.mp4\"] .crops img')].filter((each) => each.complete && each.naturalWidth).length === 3")
    browser.ask("document.querySelector('.source[data-source=\"a.mp4\"] canvas').focus()")
    said = "document.querySelector('.source[data-source=\"a.mp4\"] .info').textContent"
    browser.press("ArrowRight")
    assert until(browser, said) == "tracks: p000001 #1 car, 0:00.0 to 0:01.1"
    browser.press("ArrowDown")
    assert until(browser, said) == "copies: ref.mp4, 0:00.0 to 0:01.5, score 0.50"
    browser.press("Enter")
    until(browser, f"location.hash.includes('type=copy') && {ROWS}.length === 1")
    drawn = "(() => { const it = document.querySelector('.source[data-source=\"a.mp4\"] canvas'); return new Set(it.getContext('2d').getImageData(0, 0, it.width, it.height).data).size })()"
    assert browser.ask(drawn) > 20
    assert browser.troubles == []


@pytest.mark.parametrize(("query", "rows"), [
    ("person", 24), ("CAR", 48), ("score>0.5", 24), ("score<=0.5 person", 24), ("track_id=3 frame<4", 8), ("label!=car", 24),
    ('source="a.mp4" car', 24), ("nobody", 0), ("label:erso", 24), ("t>=1.1", 6), ('"per son"', 0)])
def test_search_finds_what_it_says(browser: Browser, page: Path, query: str, rows: int) -> None:
    if "records" not in (browser.ask("Object.keys(window.vtkReport ?? {})") or []):
        browser.open(page)
    browser.ask(f"window.vtkReport.records.go({{ type: 'track', q: {query!r}, sort: '' }})")
    assert browser.ask("window.vtkReport.records.grid.rows.length") == rows
    assert browser.ask("document.querySelector('.found').textContent") == f"{rows} of 72 rows"


def test_the_address_says_what_is_shown(browser: Browser, page: Path) -> None:
    browser.open(page, "type=identity&q=p000002&sort=source:desc")
    assert browser.ask(f"{ROWS}.map((each) => each.firstChild.textContent)") == ["b.mp4", "a.mp4"]
    assert browser.ask("document.getElementById('search').value") == "p000002"
    head = "document.querySelector('#records .head [aria-sort=descending]').textContent"
    assert browser.ask(head).startswith("source")
    browser.ask("document.querySelector('#records .head button').click()")  # a third time: as they came
    assert browser.ask("location.hash") == "#type=identity&q=p000002"
    assert browser.ask(f"{ROWS}.map((each) => each.firstChild.textContent)") == ["a.mp4", "b.mp4"]


def test_rows_answer_keys_and_are_read_aloud(browser: Browser, page: Path) -> None:
    browser.open(page, "type=track")
    browser.ask("document.querySelector('#records .grid').focus()")
    browser.press("End")
    assert until(browser, "document.getElementById('said').textContent").startswith("Row 72: source b.mp4, frame 11, t 1.1")
    last = f"{ROWS}.find((each) => each.classList.contains('current')).getAttribute('aria-rowindex')"
    assert browser.ask(last) == "73"
    assert browser.ask("document.querySelector('.detail dd').textContent") == "b.mp4"


def test_it_can_be_used_by_keys_and_readers(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.press("Tab")
    assert browser.ask("document.activeElement.className") == "skip"
    nameless = ("[...document.querySelectorAll('button, input, canvas, img, svg, [role=table], [role=region], nav')].filter((each) => !each.hidden"
                " && !(each.getAttribute('aria-label') || each.alt || each.labels?.[0]?.textContent || each.textContent).trim()).length")
    assert browser.ask(nameless) == 0
    assert browser.ask("document.querySelectorAll('h1').length === 1 && !document.querySelector('h3:not(section h3)')")
    assert browser.ask("new Set([...document.querySelectorAll('[id]')].map((each) => each.id)).size === document.querySelectorAll('[id]').length")
    assert browser.ask("[...document.querySelectorAll('section')].every((each) => document.getElementById(each.getAttribute('aria-labelledby')))")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1200])
def test_it_fits_and_can_be_read(browser: Browser, page: Path, width: int, scheme: str, tmp_path: Path) -> None:
    browser.dress(width, 900, scheme)
    browser.open(page)
    assert browser.ask("document.documentElement.scrollWidth") == width
    worst, where = browser.ask(CONTRAST)
    assert worst >= 4.5, where  # WCAG 2.2, 1.4.3, level AA
    browser.picture(tmp_path / "page.png")
    ground = browser.ask("getComputedStyle(document.body).backgroundColor")
    browser.dress(width, 900, scheme, "print")
    assert browser.ask("document.documentElement.scrollWidth") == width
    assert browser.ask("getComputedStyle(document.getElementById('records')).display") == "none"
    assert (int(ground.split("(")[1].split(",")[0]) > 128) == (scheme == "light")


def test_browsers_without_decompression_read_it_too(browser: Browser, page: Path) -> None:
    browser.open(page)
    same = """(async () => {
      const packed = Uint8Array.from(atob(document.getElementById('columns').textContent), (letter) => letter.charCodeAt(0));
      const wanted = new Uint8Array(await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate-raw'))).arrayBuffer());
      const found = window.vtkReport.inflate(packed, window.vtkReport.data.size);
      return wanted.length > 500 && found.length === wanted.length && found.every((byte, place) => byte === wanted[place]);
    })()"""
    assert browser.ask(same) is True


def test_a_hundred_thousand_records_open_and_few_are_elements(browser: Browser, tmp_path: Path) -> None:
    browser.dress(1200, 900)
    write_page(tmp_path / "many.html", 100_000)
    assert browser.open(tmp_path / "many.html") > 0
    assert browser.ask("document.querySelector('#records .grid [role=table]').getAttribute('aria-rowcount')") == "100001"
    assert 10 < browser.ask(f"{ROWS}.length") < 60
    browser.ask("document.querySelector('#records .grid').scrollTop = 1e9")
    assert until(browser, f"{ROWS}.some((each) => each.getAttribute('aria-rowindex') === '100001')")
    assert 10 < browser.ask(f"{ROWS}.length") < 60
    browser.ask("window.vtkReport.records.go({ q: 'frame<10 dog', sort: 'x1' })")
    found = browser.ask("(() => { const { grid } = window.vtkReport.records; return [...grid.rows].map((row) => grid.table.number('x1', row)) })()")
    assert len(found) == 5 * 10 * 6 and found == sorted(found)
    assert browser.troubles == []


def test_of_many_sources_each_can_be_opened(browser: Browser, tmp_path: Path) -> None:
    lines = write_lines(tmp_path / "r.jsonl", [track(f"cam{number % 3}/{number // 3}.mp4", frame) for number in range(300) for frame in (0, 9)])
    assert report("-o", tmp_path / "page.html", lines, "--no-thumbs", "-q") == 0
    browser.dress(1200, 900)
    browser.open(tmp_path / "page.html")
    assert browser.ask("document.querySelectorAll('.source').length") == 20
    assert browser.ask("document.querySelector('.source h3').textContent") == "cam0/0.mp4 no end record"  # several end so
    browser.ask("window.vtkReport.openSource('cam2/99.mp4')")
    assert until(browser, "document.activeElement.closest('.source')?.dataset.source") == "cam2/99.mp4"
    until(browser, "document.querySelector('.source[data-source=\"cam2/99.mp4\"] canvas') !== null")
    browser.ask("[...document.querySelectorAll('#timelines > button')].at(-1).click()")
    assert browser.ask("document.querySelectorAll('.source').length") == 41
