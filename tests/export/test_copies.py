"""Files of VCSL, VSC22 and lists of pairs: read, written, read again; and what is wrong said in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vtk.errors import MediaError, RecordError
from vtk.export.copies import CopyRows, split_key, vcsl_lines, vsc_lines
from vtk.export.copy_files import read_copies, read_pairs, read_sets

HEADER = "query_id,ref_id,query_start,query_end,ref_start,ref_end,score\n"
UUIDS = ("0f8fad5b-d9cb-469f-a165-70867728950e", "7c9e6679-7425-40de-944b-e07fc1f90ae7")


def test_the_three_formats_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"q-r": [[0, 5, 9.5, 20], [30, 30, 31, 31]], "q-s": []}')
    spans = [{"query_start": 0, "query_end": 9.5, "ref_start": 5, "ref_end": 20},
             {"query_start": 30, "query_end": 31, "ref_start": 30, "ref_end": 31}]
    (tmp_path / "b.json").write_text(json.dumps({"note": "x", "pairs": [
        {"query": "q", "reference": "r", "segments": spans}, {"query": "q", "ref": "s", "segments": []}]}))
    (tmp_path / "c.csv").write_text("\ufeffref_id, query_id,ref_start,ref_end,query_start,query_end\r\n"
                                    "r,q,5,20,0,9.5\r\n\r\nr,q,30,31,30,31\r\n")
    first, second, third = (read_copies(tmp_path / name) for name in ("a.json", "b.json", "c.csv"))
    assert first.boxes == second.boxes == third.boxes == [[0, 5, 9.5, 20], [30, 30, 31, 31]]
    assert first.query == third.query == ["q", "q"] and first.ref == second.ref == third.ref == ["r", "r"]
    assert list(first.pairs) == list(second.pairs) == [("q", "r"), ("q", "s")]
    assert list(third.pairs) == [("q", "r")]
    assert not first.scored and not third.scored and first.score == [1, 1]


def test_the_shared_list_of_pairs(shared: Path) -> None:
    rows = read_copies(shared / "data" / "detect-copy" / "pairs_gt.json")
    assert len(rows.boxes) == len(rows.pairs) == 4
    assert ("mma_demo_spatiotemporal_det.mp4", "mma_demo.mp4") in rows.pairs
    assert [0, 1.04, 9.5, 8.25] in rows.boxes, "query and reference time by turns"


@pytest.mark.parametrize("pair", [("q", "r"), ("a-film", "r"), ("100%", "50%2D-x"), UUIDS, (UUIDS[0], "r"),
                                  ('a "b", c', "ä—λ.mp4"), ("two\nlines.mp4", "r")])
def test_names_come_back_from_both(pair: tuple[str, str], tmp_path: Path) -> None:
    rows = CopyRows("x")
    rows.add(pair, [0, 1 / 3, 2, 3.25], 0.123456)
    (tmp_path / "a.json").write_text("\n".join(vcsl_lines(rows)))
    (tmp_path / "a.csv").write_text("\n".join(vsc_lines(rows)))
    for name, score in (("a.json", 1.0), ("a.csv", 0.123456)):
        back = read_copies(tmp_path / name)
        assert list(back.pairs) == [pair]
        assert (back.boxes, back.score) == ([[0, 1 / 3, 2, 3.25]], [score])
    assert list(json.loads((tmp_path / "a.json").read_text()))[0].count("-") in (1, 9)


def test_scores_in_vcsls_json(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"q-r": [[0, 0, 1, 1, 0.5], [2, 2, 3, 3, 0.25]]}')
    rows = read_copies(tmp_path / "a.json")
    assert rows.scored and rows.score == [0.5, 0.25]
    (tmp_path / "a.json").write_text('{"q-r": [[0, 0, 1, 1, 0.5], [2, 2, 3, 3]]}')
    assert not read_copies(tmp_path / "a.json").scored


def test_keys() -> None:
    assert split_key("q-r", {}) == ("q", "r")
    assert split_key("-".join(UUIDS), {}) == UUIDS
    assert split_key("a-b-c", {"a-b-c": ("a", "b-c")}) == ("a", "b-c")
    for key, said in (("a-b-c", "has 2 hyphens, and nothing says which"), ("ab", "is no query-reference"),
                      ("-r", "is no query-reference"), ("q-", "is no query-reference")):
        with pytest.raises(ValueError, match=said):
            split_key(key, {})


def test_empty_files_of_each_format_are_written_and_read(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("\n".join(vcsl_lines(CopyRows("x"))))
    (tmp_path / "a.csv").write_text("\n".join(vsc_lines(CopyRows("x"))))
    for name in ("a.json", "a.csv"):
        assert read_copies(tmp_path / name).boxes == []
    rows = CopyRows("x", pairs={("q", "r"): None, ("q", "s"): None})
    assert json.loads("".join(vcsl_lines(rows))) == {"q-r": [], "q-s": []}


WRONG: list[tuple[str, bytes, str]] = [
    ("empty", b" \n", "the file is empty"),
    ("UTF-16", HEADER.encode("utf-16"), "it is no text of UTF-8"),
    ("Latin-1", HEADER.encode() + "é,r,0,1,0,1,1\n".encode("latin-1"), "it is no text of UTF-8"),
    ("no header", b"q,r,0,1,0,1,0.5\n", "its header is .* query_id, query_start, .* is missing"),
    ("column twice", b"query_id," + HEADER.encode(), "a name is there twice"),
    ("reversed", HEADER.encode() + b"q,r,0,1,0,1,1\nq,r,0,1,5,4,1\n",
     "line 3: the segment of the reference ends at 4, before its start, 5"),
    ("NaN", HEADER.encode() + b"q,r,0,nan,0,1,1\n", "line 2: nan is no finite number"),
    ("infinite", HEADER.encode() + b"q,r,0,1,0,1,inf\n", "line 2: inf is no finite number"),
    ("a word", HEADER.encode() + b"q,r,0,1,0,late,1\n", "line 2: 'late' is no number"),
    ("short row", HEADER.encode() + b"q,r,0,1\n", "line 2: 4 columns, the header has 7"),
    ("no id", HEADER.encode() + b"q,,0,1,0,1,1\n", "line 2: query_id or ref_id is empty"),
    ("open quote", HEADER.encode() + b'"q,r,0,1,0,1,1\n', "it is no csv"),
    ("no JSON", b'{"q-r": [[0, 0', "it is no JSON"),
    ("deep", b"[" * 100_000, "it is no JSON"),
    ("other JSON", b'{"a": 1}', "no copies in it"),
    ("a list", b"[1, 2]", "no copies in it"),
    ("key twice", b'{"q-r": [], "q-r": [[0, 0, 1, 1]]}', "'q-r' is there twice"),
    ("three numbers", b'{"q-r": [[0, 0, 1]]}', r"segment 1 of 'q-r': it is \[0, 0, 1\], \[q0, r0, q1, r1\] is needed"),
    ("no number", b'{"q-r": [[0, 0, 1, true]]}', "segment 1 of 'q-r': True is no finite number"),
    ("null", b'{"q-r": [[0, 0, 1, null]]}', "None is no finite number"),
    ("JSON's NaN", b'{"q-r": [[0, 0, 1, 1], [0, NaN, 1, 1]]}', "segment 2 of 'q-r': nan is no finite number"),
    ("huge", b'{"q-r": [[0, 0, 1, 1' + b"0" * 400 + b"]]}", "is no finite number"),
    ("JSON reversed", b'{"q-r": [[5, 0, 1, 1]]}', "the segment of the query ends at 1, before its start, 5"),
    ("hyphens", b'{"a-b-c": []}', "the key 'a-b-c' has 2 hyphens"),
    ("no query", b'{"pairs": [{"reference": "r", "segments": []}]}', "pair 1 has no 'query'"),
    ("no start", b'{"pairs": [{"query": "q", "ref": "r", "segments": [{"query_end": 1}]}]}',
     "pair 1 has no 'query_start'"),
    ("no object", b'{"pairs": [3]}', "pair 1: "),
]


@pytest.mark.parametrize(("content", "said"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_what_is_wrong_is_one_line(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(RecordError, match=said) as caught:
        read_copies(tmp_path / "x")
    assert str(caught.value).startswith(str(tmp_path / "x")) and "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_pairs_and_sets(tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_text("query_id,reference_id\na,b\na,c-d\n")
    pairs = read_pairs(tmp_path / "pairs.csv")
    assert pairs == [("a", "b"), ("a", "c-d")]
    (tmp_path / "sets.json").write_text('{"s": ["a-b"], "t": ["a-c-d"]}')
    assert read_sets(tmp_path / "sets.json", pairs) == {("a", "b"): "s", ("a", "c-d"): "t"}
    (tmp_path / "gt.json").write_text('{"a-c-d": [[0, 0, 1, 1]]}')
    assert list(read_copies(tmp_path / "gt.json", pairs).pairs) == [("a", "c-d")]
    for name, content, said in (("pairs.csv", "query_id,ref_id\na,b\na,b\n", "line 3: the pair a, b is there already"),
                                ("sets.json", '{"s": ["a-b"], "t": ["a-b"]}', "'a-b' is in the sets 's' and 't'"),
                                ("sets.json", '{"s": 3}', "no sets in it"), ("sets.json", '{"s": [3]}', "is no query")):
        (tmp_path / name).write_text(content)
        with pytest.raises(RecordError, match=said):
            read_pairs(tmp_path / name) if name == "pairs.csv" else read_sets(tmp_path / name)
    with pytest.raises(MediaError, match="cannot read .*gone: No such file"):
        read_pairs(tmp_path / "gone")
