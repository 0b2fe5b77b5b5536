"""References in files: whose queries may search them, what normalises scores, and what damage looks like."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from copies.test_references import TOY, Toy, agree, made

from vtk.copies.background import Whitened
from vtk.copies.descriptors import DctDescriptor
from vtk.copies.normalising import fit_norm
from vtk.copies.reference_library import ReferenceLibrary
from vtk.copies.references import MemoryReferences
from vtk.copies.union import Union
from vtk.errors import UsageError
from vtk.library import Entry, Library, LibraryError, SpaceError, compaction

UNION = Union([TOY, Toy("net", 24)])
NETWORK = Toy("net", 24)


@pytest.fixture
def uri(tmp_path: Path) -> str:
    return str(tmp_path / "films.lance")


def cone(source: str, seed: int, count: int = 12) -> object:
    """Return a footprint of vectors that all have much in common, as those of networks do."""
    rng = np.random.default_rng([seed, *source.encode()])
    vectors = (3 + rng.normal(size=(count, 24)) * np.linspace(2, 0.2, 24)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return made(source, count, descriptor=NETWORK, vectors=vectors, weights=np.ones(count, np.float32))


def test_a_compatible_descriptor_searches_and_does_not_add(uri: str) -> None:
    later = Union([TOY, Toy("later", 24)])
    with ReferenceLibrary.open(uri, UNION) as references:
        references.add(made("a.mp4", descriptor=UNION))
        with pytest.raises(ValueError, match=r"got toy\+wide of \[16, 32\] dimensions, expected \[16, 24\]"):
            references.allow(Union([TOY, Toy("wide", 32)]))
        references.allow(later)
    references = ReferenceLibrary.open(uri, later)
    assert (references.held, references.compatible_with) == (UNION.space, (later.space,))
    assert references.stats().compatible_with == (later.space,) and references.stats().space == UNION.space
    query = made("a.mp4", descriptor=UNION)
    scores, rows = references.search(query.vectors, 1)
    assert rows[[0, 1, 3, 4], 0].tolist() == [0, 1, 3, 4] and scores[0, 0] > 0.99
    assert references.footprint("a.mp4").space == later.space
    with pytest.raises(SpaceError, match=r"may be searched by toy\+later@\w+, but not added to; vtk library upgrade \S+"):
        references.add(made("b.mp4", descriptor=later))
    with pytest.raises(SpaceError, match="they cannot be compared"):
        ReferenceLibrary.open(uri, Union([TOY, Toy("third", 24)]))
    assert [each.source for each in ReferenceLibrary.open(uri).list()] == ["a.mp4"]


def test_the_command_that_embeds_anew_is_named(uri: str) -> None:
    ReferenceLibrary.open(uri, UNION).add(made("a.mp4", descriptor=UNION))
    with pytest.raises(SpaceError) as error:
        ReferenceLibrary.open(uri, Union([Toy("pdq"), Toy("dct")]))
    assert f"; vtk library upgrade {uri} --descriptor pdq+dct describes its sources anew" in str(error.value)


def test_a_background_normalises_what_is_found(uri: str) -> None:
    """Searches of files and of memory find the rows that the descriptor itself scores best, with those scores."""
    union = Union([DctDescriptor(), NETWORK])
    backgrounds = fit_norm(NETWORK, [cone(f"{name}.mp4", 0) for name in range(40)], 12)
    films = [cone(f"film {name}.mp4", 1) for name in range(8)]
    rng = np.random.default_rng(2)
    noise = rng.normal(size=films[3].vectors.shape).astype(np.float32) * 0.02
    query = films[3].vectors + noise
    query /= np.linalg.norm(query, axis=1, keepdims=True)
    references = ReferenceLibrary.open(uri, NETWORK)
    for each in films:
        references.add(each)
    plain = references.search(query, 5)[0]
    references.normalise(backgrounds)
    white = Whitened(NETWORK, backgrounds[0])
    memory = MemoryReferences(white)
    for each in films:
        memory.add(each)
    expected = white.scores(query, np.concatenate([each.vectors for each in films]))
    for found in (references, ReferenceLibrary.open(uri, NETWORK), memory):
        assert isinstance(found.descriptor, Whitened) and found.space == NETWORK.space
        scores, rows = found.search(query, 5)
        np.testing.assert_allclose(scores, -np.sort(-expected, axis=1)[:, :5], atol=0.02)
        np.testing.assert_array_equal(rows[:, 0], 3 * 12 + np.arange(12))
        # A stranger is further from the copy than before.
        assert np.median(scores[:, 0] - scores[:, 1]) > 2 * np.median(plain[:, 0] - plain[:, 1])
    assert references.stats().normalised == {NETWORK.space: 480}
    assert references.scoring == memory.scoring == backgrounds[0].sha256[:12]
    references.normalise([])
    assert references.scoring == ""
    np.testing.assert_array_equal(references.search(query, 5)[0], plain)
    both = [made(f"{name}", 12, name, union) for name in range(40)]
    assert [each.space for each in fit_norm(union, both)] == [NETWORK.space]
    with pytest.raises(ValueError, match="got one of net@"):
        ReferenceLibrary.open(uri + "2", TOY).normalise(backgrounds)


def test_what_no_background_can_be_of_is_refused() -> None:
    with pytest.raises(UsageError, match="descriptor dct has no network"):
        fit_norm(DctDescriptor(), [])
    with pytest.raises(UsageError, match="the background does not do: got 0 pairs"):
        fit_norm(NETWORK, [cone("a", 0, 2), cone("b", 1, 2)], 1)


def test_an_index_is_of_all_parts_and_finds_references(uri: str) -> None:
    references = ReferenceLibrary.open(uri, UNION)
    given = [made(f"{name}.mp4", 70, name, UNION) for name in range(4)]
    for each in given:
        references.add(each)
    assert references.stats().index is None
    references.index("sq")
    assert (references.stats().index, references.stats().unindexed) == ("sq", 0)
    agree(references.footprint("2.mp4"), given[2])
    references.add(made("later.mp4", 5, 9, UNION))
    assert references.stats().unindexed == 4
    references.remove("1.mp4")
    references.compact()
    agree(references.footprint("later.mp4"), made("later.mp4", 5, 9, UNION))
    assert references.search(given[2].vectors[:1], 1)[1][0, 0] == 70
    with pytest.raises(ValueError, match="got 4 entries, expected at least 256"):
        few = ReferenceLibrary.open(uri + "2", UNION)
        few.add(made("a.mp4", descriptor=UNION))
        few.index()


def test_what_a_killed_maker_left_is_no_library_and_becomes_one(uri: str) -> None:
    with ReferenceLibrary.open(uri, UNION):
        shutil.rmtree(Path(uri, "references"))
    with pytest.raises(LibraryError, match="no library at"):
        ReferenceLibrary.open(uri)
    with pytest.raises(LibraryError, match="killed while it made a library of another descriptor, and no reference"):
        ReferenceLibrary.open(uri, Toy("net", 24))
    assert ReferenceLibrary.open(uri, UNION).add(made("a.mp4", descriptor=UNION)) == "added"


def test_references_are_added_together(uri: str) -> None:
    references = ReferenceLibrary.open(uri, UNION)
    given = [made(f"{name}.mp4", 5, name, UNION) for name in range(3)]
    assert references.add_all(given[:2]) == ["added", "added"]
    changed = made("1.mp4", 7, 8, UNION)
    assert references.add_all([given[0], changed, given[2]]) == ["unchanged", "replaced", "added"]
    for each in (given[0], changed, given[2]):
        agree(references.footprint(each.source), each)
    assert [len(library) for library in references._frames] == [4 + 6 + 4] * 2
    with pytest.raises(ValueError, match="got 2 with a name that is there twice"):
        references.add_all([given[0], given[0]])
    assert references.add_all([]) == []


def test_many_small_files_are_merged(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "MANY", 4)
    references = ReferenceLibrary.open(uri, TOY)
    given = [made(f"{name}.mp4", 5, name) for name in range(9)]
    for each in given:
        references.add(each)
    for library in (references._library, *references._frames):
        assert library._table.stats()["fragment_stats"]["num_fragments"] <= 4
    for each in given:
        agree(references.footprint(each.source), each)


DAMAGE = {
    "cut short": "cannot be used: .*; are files of it missing or cut short",
    "frames cut short": "cannot be used: .*; are files of it missing or cut short",
    "no manifest": "cannot be used: Table 'entries' was not found; are files of it missing or cut short",
    "newer": "has format 99, this program reads up to 1; install a newer vtk",
    "no frames": "files of it are missing; restore it from a copy or build it again",
    "pointer": "does not say where its tables are",
    "not a library": "holds other files and no library of references; name a new or empty folder",
    "background": "has a background that cannot be used: .* is no background \\(1 bytes that are no .npz file\\); fit one again",
    "entry": "what is stored of reference 'a.mp4' is damaged .*; remove it and add it again",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_said_in_one_line(damage: str, uri: str) -> None:
    with ReferenceLibrary.open(uri, TOY) as references:
        references.add(made("a.mp4", 40))
        references.add(made("b.mp4", 40))
        library = references._library
    folder = Path(uri)
    if damage.endswith("cut short"):
        for path in (folder / ("references" if damage == "cut short" else "frames")).rglob("*.lance"):
            if path.is_file():
                path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif damage == "no manifest":
        shutil.rmtree(folder / "references" / "entries.lance" / "_versions")
    elif damage == "newer":
        library._table.update_field_metadata({"path": "vector", "metadata": {"vtk.format_version": "99"}})
    elif damage == "no frames":
        shutil.rmtree(folder / "frames")
    elif damage == "pointer":
        (folder / "current.json").write_text('{"at": ')
    elif damage == "not a library":
        shutil.rmtree(folder)
        folder.mkdir()
        (folder / "film.mp4").write_bytes(b"0")
    elif damage == "background":
        Library.open(f"{uri}/norm", library.space).add([Entry(TOY.space, np.ones(1, np.float32), "norm",
                                                             extra={"stored": "eA=="})])  # fmt: skip
    else:
        entry = library.get(["a.mp4"])["a.mp4"]
        library.add([replace(entry, extra={**entry.extra, "packed": {"frames": "eA=="}})], replace=True)
    for descriptor in (TOY, None):
        with pytest.raises(LibraryError, match=DAMAGE[damage]) as error:
            ReferenceLibrary.open(uri, descriptor).footprint("a.mp4")
        assert "\n" not in str(error.value) and error.value.code == "E_LIBRARY"
