"""The HTML file: a template, its script and style, and the data, in one piece that needs nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import html
import zlib
from collections.abc import Iterator
from pathlib import Path

import orjson

from vtk import __version__
from vtk.records import Record
from vtk.report.page.columns import plain
from vtk.report.page.gathering import Gathered
from vtk.report.page.pictures import Pictures, told

HERE = Path(__file__).parent
SCRIPTS = ("inflate.js", "data.js", "words.js", "grid.js", "records.js", "timeline.js", "charts.js", "sheets.js", "main.js")
LISTED = 50  # errors that the page tells of even where scripts do not run


def chunks(title: str, gathered: Gathered, pictures: Pictures) -> Iterator[str]:
    """Yield the page in pieces; the same records and media give the same page.

    Args:
        title: of the page.
        gathered: what came in, settled.
        pictures: of it.
    """
    meta, blob = gathered.packed()
    chosen = pictures.chosen()
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)  # raw deflate, as DecompressionStream and inflate.js read it
    packed = packer.compress(blob) + packer.flush()
    meta |= {"title": plain(title), "version": __version__, "size": len(blob), "made": pictures.made,
             "pictures": [told(picture) for picture in chosen]}
    script = "(() => {\n'use strict';\n" + "\n".join(_part(name) for name in SCRIPTS) + "\n})();"
    style = _part("page.css")
    parts = {"POLICY": _policy(script, style), "TITLE": _shown(title), "STYLE": style, "SCRIPT": script,
             "HEADLINE": _shown(_headline(gathered)), "PROBLEMS": _problems(gathered), "VERSION": __version__}
    for piece in _part("page.html").split("@@"):
        if piece == "META":
            yield _inert(orjson.dumps(meta))
        elif piece == "COLUMNS":
            yield base64.b64encode(packed).decode()
        elif piece == "PICTURES":
            yield from pictures.texts_of(chosen)
        else:
            yield parts.get(piece, piece)


def _part(name: str) -> str:
    return (HERE / name).read_text("utf-8")


def _shown(text: str) -> str:
    return html.escape(plain(text))


def _inert(data: bytes) -> str:
    """Return JSON in which nothing can end the element that it stands in."""
    return data.decode().replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _policy(script: str, style: str) -> str:
    """Return a content security policy: this script, this style, pictures inside the page, and no network."""
    mark = {kind: base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            for kind, text in (("script", script), ("style", style))}
    return (f"default-src 'none'; script-src 'sha256-{mark['script']}'; style-src 'sha256-{mark['style']}'; "
            "img-src data:; base-uri 'none'; form-action 'none'")


def _headline(gathered: Gathered) -> str:
    """Return in a sentence what came in and how it ended."""
    said = [notes.status for notes in gathered.sources.values()]
    parts = [_counted(len(said), "source"), _counted(gathered.total, "record"),
             _counted(gathered.count("error"), "error")]
    parts += [f"{said.count(status):,} {status}" for status in ("failed", "partial") if status in said]
    return ", ".join(parts)


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _problems(gathered: Gathered) -> str:
    """Return the first errors as items of a list, and what became of sources that are not whole."""
    items = [_item(record) for record in gathered.troubles[:LISTED]]
    telling = {record.get("source") for record in gathered.troubles[:LISTED]}
    silent = [notes for notes in gathered.sources.values()
              if notes.status in ("failed", "partial") and notes.name not in telling]
    items += [f"<li class={notes.status}><strong>{notes.status}</strong> <bdi>{_shown(notes.name)}</bdi></li>"
              for notes in silent[:LISTED]]
    rest = gathered.count("error") - len(gathered.troubles[:LISTED]) + len(silent[LISTED:])
    if rest > 0:
        items.append(f"<li>and {rest:,} more: see the tables of errors and of sources</li>")
    return "<ul class=problems>" + "".join(items) + "</ul>" if items else "<p class=fine>Nothing went wrong.</p>"


def _item(record: Record) -> str:
    error = record["error"]
    where = f"<bdi>{_shown(record['source'])}</bdi> " if isinstance(record.get("source"), str) else ""
    line = f"line {record['line']} " if "line" in record else ""
    kind = "failed" if error["fatal"] else "partial"
    return (f"<li class={kind}><strong>{_shown(error['code'])}</strong> {where}{line}"
            f"<span>{_shown(error['message'])}</span> <small>{_shown(error.get('stage', ''))}</small></li>")
