"""A gallery that lasts: who is recognised, what users mend, what is forgotten, two processes, what is refused."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from crowd import DIM, LIKE, OTHER, SPACE, crowd, fill, seen

from vtk.errors import RecordError, UsageError, VtkError
from vtk.library import LibraryError, NoLibraryError, SpaceError
from vtk.reid import matching
from vtk.reid.constraints import Constraints
from vtk.reid.moving import records_of, upgrade
from vtk.reid.names import Names
from vtk.reid.neighbours import neighbours
from vtk.reid.people import Gallery, assign_people, check_gallery
from vtk.reid.tracklets import from_record

MONDAY = [("a.mp4", 1, 0.0, 5.0, 7), ("a.mp4", 2, 1.0, 5.0, 3), ("b.mp4", 1, 0.0, 2.0, 7)]
TUESDAY = [("c.mp4", 1, 0.0, 5.0, 3), ("c.mp4", 2, 1.0, 5.0, 9), ("c.mp4", 3, 7.0, 9.0, 7)]


@pytest.fixture
def uri(tmp_path: Path) -> str:
    """Return where a gallery may be made."""
    return str(tmp_path / "people.lance")


def test_people_are_known_again_and_strangers_are_new(uri: str) -> None:
    names, scores = assign_people(uri, *seen(MONDAY), LIKE)
    assert names == ["p000001", "p000002", "p000001"]
    assert scores[1] == 1 and scores[0] == scores[2] > LIKE
    names, scores = assign_people(uri, *seen(TUESDAY, seed=1), LIKE)
    assert names == ["p000002", "p000003", "p000001"]
    assert (scores > LIKE).all() and scores.dtype == np.float64
    assert [(group.name, group.entries) for group in Gallery.open(uri).identities()] == [
        ("p000001", 3), ("p000002", 2), ("p000003", 1)]


def test_the_score_is_the_mean_cosine_to_the_others_of_the_name(uri: str) -> None:
    assign_people(uri, *seen(MONDAY), LIKE)
    run = seen(TUESDAY, seed=1)
    _, scores = assign_people(uri, *run, LIKE)
    old = seen(MONDAY)[1]
    # Vectors are kept in float16: 11 bits of each of 32 components.
    assert scores[2] == pytest.approx(float(np.mean([run[1][2] @ old[0], run[1][2] @ old[2]])), abs=1e-3)


def test_the_same_run_again_changes_nothing(uri: str) -> None:
    first = assign_people(uri, *seen(MONDAY), LIKE)
    version = Gallery.open(uri).stats().version
    again = assign_people(uri, *seen(MONDAY), LIKE)
    assert first[0] == again[0] and first[1].tolist() == again[1].tolist()
    assert Gallery.open(uri).stats().version == version
    # A part of it, clustered apart, too: what is stored keeps its name.
    tracklets, vectors, _ = seen(MONDAY)
    assert assign_people(uri, tracklets[1:], vectors[1:], np.array([5, 6]), 0.0)[0] == ["p000002", "p000001"]


def test_another_video_of_the_same_name_is_not_the_same_run(uri: str) -> None:
    today = [("rtsp://door", 1, 0.0, 5.0, 1)]
    tomorrow = [("rtsp://door", 1, 0.0, 5.0, 2)]
    assert assign_people(uri, *seen(today), LIKE)[0] == ["p000001"]
    for _ in range(2):
        assert assign_people(uri, *seen(tomorrow), LIKE)[0] == ["p000002"]
        assert assign_people(uri, *seen(today), LIKE)[0] == ["p000001"]
    assert len(Gallery.open(uri).library) == 2


def test_two_clusters_get_one_name_only_where_time_allows_it(uri: str) -> None:
    assign_people(uri, *seen([("a.mp4", 1, 0.0, 5.0, 7)]), LIKE)
    twins = seen([("b.mp4", 1, 0.0, 5.0, 7), ("b.mp4", 2, 4.0, 6.0, 7), ("b.mp4", 3, 6.0, 8.0, 7)], seed=3)
    labels = np.array([10, 11, 12])
    known = seen([("a.mp4", 1, 0.0, 5.0, 7)])[1][0]
    order = sorted(range(3), key=lambda row: -float(twins[1][row] @ known))
    names, _ = assign_people(uri, twins[0], twins[1], labels, LIKE)
    assert names[order[0]] == "p000001", "the best pair is taken first"
    assert names[0] != names[1], "they were there at one time"
    assert names[2] == "p000001", "it was there alone"
    other = f"{uri}2"
    assign_people(other, *seen([("a.mp4", 1, 0.0, 5.0, 7)]), LIKE)
    a_camera = Constraints(overlap=False, one_per_camera=True, cameras={"b.mp4": "back"})
    assert len(set(assign_people(f"{uri}3", *twins[:2], labels, LIKE, a_camera)[0])) == 3
    assert set(assign_people(other, twins[0], twins[1], labels, LIKE, False)[0]) == {"p000001"}


def test_a_match_is_the_mean_of_all_pairs_not_the_best(uri: str) -> None:
    """One look-alike tracklet in an identity of unlike ones does not make somebody its member."""
    axes = np.eye(DIM, dtype=np.float32)
    tracklets = seen([("a.mp4", track, 10.0 * track, 10.0 * track + 1, 1) for track in range(1, 5)])[0]
    assign_people(uri, tracklets, axes[:4], np.ones(4), LIKE)
    alone, mixed = seen([("b.mp4", 1, 0.0, 1.0, 1)])[0], (axes[:4].sum(axis=0, keepdims=True) / 2)
    assert assign_people(uri, alone, axes[:1], np.ones(1), 0.3)[0] == ["p000002"], "mean 0.25, best 1"
    assert assign_people(uri, [replace(alone[0], track_id=2)], mixed, np.ones(1), 0.45)[0] == ["p000001"], "mean 0.5"


def test_many_entries_alike_hide_nobody(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where more entries are alike enough than are asked for at first, more are asked for: nobody is missed."""
    monkeypatch.setattr(matching, "FIRST", 2)
    near = [("a.mp4", track, 10.0 * track, 10.0 * track + 1, 1) for track in range(1, 30)]
    assign_people(uri, *seen(near), LIKE)
    run = seen(near, seed=0)[1]
    tracklets = [replace(one, source="b.mp4") for one in seen(near)[0]]
    stranger = -run.mean(axis=0)
    assign_people(uri, tracklets[:1], stranger[None], np.zeros(1), LIKE)
    asked = 0.4 * stranger / np.linalg.norm(stranger) + 0.9 * np.eye(DIM)[0]
    library = Gallery.open(uri).library
    means = (asked / np.linalg.norm(asked))[None]
    totals = matching.totals(library, ["p000001", "p000002"])
    scores = {name: float(means[0] @ total.sum) / total.count for name, total in totals.items()}
    for threshold in (min(scores.values()) - 0.1, max(scores.values()) - 0.01):
        found = matching.matched(library, means.astype(np.float32), [np.array([0])], threshold,
                                 matching.Seen(tracklets[:1], Constraints()))
        assert found == {0: max(scores, key=scores.__getitem__)}


def test_users_mend_and_later_runs_keep_to_it(uri: str) -> None:
    assign_people(uri, *seen(MONDAY), LIKE)
    gallery = Gallery.open(uri)
    assert gallery.split("p000001", ["b.mp4#1"]) == "p000003"
    assert gallery.merge("p000002", ["p000001", "p000001"]) == 1
    assert gallery.rename("p000003", "Ann") == 1
    assert assign_people(uri, *seen(MONDAY), LIKE)[0] == ["p000002", "p000002", "Ann"]
    stranger = seen([("d.mp4", 1, 0.0, 1.0, 20)])
    assert assign_people(uri, *stranger, LIKE)[0] == ["p000004"], "p000001 and p000003 are not given again"


def test_names_are_never_given_twice(uri: str) -> None:
    names = assign_people(uri, *seen(TUESDAY), LIKE)[0]
    gallery = Gallery.open(uri)
    gallery.forget(names)
    assert len(gallery.library) == 0
    assert assign_people(uri, *seen(TUESDAY), LIKE)[0] == ["p000004", "p000005", "p000006"]


def holds(folder: str, *parts: bytes) -> list[str]:
    """Return the files below ``folder`` that hold one of ``parts``."""
    return [str(path) for path in Path(folder).rglob("*") if path.is_file()
            and any(part in path.read_bytes() for part in parts)]


def test_what_is_forgotten_is_in_no_file(uri: str) -> None:
    assign_people(uri, *seen([("secret-place.mp4", 1, 0.0, 1.0, 1), ("b.mp4", 1, 0.0, 1.0, 2)]), LIKE)
    gallery = Gallery.open(uri)
    gallery.rename("p000001", "Ann Somebody")
    vector = gallery.tracklets("Ann Somebody", vectors=True)[0].vector.tobytes()
    traces = (b"secret-place", b"Ann Somebody", vector[:16])
    assert all(holds(uri, trace) for trace in traces), "they are there to be found"
    assert gallery.remove(["Ann Somebody"]) == 1
    assert holds(uri, *traces), "removing leaves the bytes"
    assert gallery.forget() == 0
    assert holds(uri, *traces) == []
    assert [group.name for group in gallery.identities()] == ["p000002"]


def test_what_is_old_is_forgotten(uri: str) -> None:
    assign_people(uri, *seen(MONDAY), LIKE)
    gallery = Gallery.open(uri)
    old = datetime.now(timezone.utc) - timedelta(days=40)
    aged = [replace(entry, added=old) for entry in gallery.tracklets("p000001", vectors=True)]
    gallery.library.add(aged, replace=True)
    assert gallery.retain(41) == 0
    names, _ = assign_people(uri, *seen(TUESDAY, seed=1), LIKE, retention=39)
    assert names == ["p000002", "p000003", "p000004"], "p000001 was not there to be known again"
    assert holds(uri, b"b.mp4") == []
    with pytest.raises(UsageError, match="--retention 0: "):
        gallery.retain(0)


def test_two_processes_give_one_person_one_name(uri: str) -> None:
    script = ("import sys; sys.path.insert(0, sys.argv[3]); from crowd import *\n"
              "rows = [(f'{sys.argv[2]}.mp4', who, float(who), who + 1.0, who) for who in range(1, 21)]\n"
              "for first in range(0, 20, 5): print(*assign_people(sys.argv[1], *seen(rows[first:first + 5]), LIKE)[0])")
    tests = str(Path(__file__).parents[1])
    runs = [subprocess.Popen([sys.executable, "-c", script, uri, name, tests], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE) for name in "ab"]
    said = [run.communicate(timeout=120) for run in runs]
    assert [run.returncode for run in runs] == [0, 0], said
    first, second = (out.split() for out, _ in said)
    assert first == second and len(set(first)) == 20
    assert len(Gallery.open(uri).library) == 40


def test_what_cannot_be_used_is_one_line(uri: str, tmp_path: Path) -> None:
    check_gallery(uri, SPACE, DIM)
    assert not Path(uri).exists(), "checking makes nothing"
    with pytest.raises(LibraryError, match="^no gallery at .*people.lance': vtk reid --gallery makes one"):
        Gallery.open(uri)
    fill(Path(uri), 3)
    check_gallery(uri, SPACE, DIM)
    for space, dim in ((OTHER, DIM), (SPACE, DIM + 1)):
        with pytest.raises(SpaceError, match=f"holds {SPACE} .* vtk gallery upgrade .*people.lance embeds it anew"):
            check_gallery(uri, space, dim)
    gallery = Gallery.open(uri)
    gallery.library.allow(replace(gallery.library.space, model="later"))
    with pytest.raises(SpaceError, match="may be searched by later@0123456789ab, but not added to"):
        check_gallery(uri, "later@0123456789ab", DIM)
    with pytest.raises(UsageError, match="space 'net': model@hash is needed"):
        check_gallery(uri, "net", DIM)
    with pytest.raises(UsageError, match="no identity 'p00001' in .*did you mean 'p000001'"):
        gallery.tracklets("p00001")
    with pytest.raises(UsageError, match="no identity 'xyz' .*vtk gallery list .* has all 3"):
        gallery.merge("p000001", ["xyz"])
    with pytest.raises(UsageError, match="p000001 has no tracklet 'cam1.mp4#2': did you mean 'cam1.mp4#1'"):
        gallery.split("p000001", ["cam1.mp4#2"])
    with pytest.raises(UsageError, match="that is all there is of p000001"):
        gallery.split("p000001", ["cam1.mp4#1", "cam2.mp4#1"])
    with pytest.raises(UsageError, match="the name 'p000002' is taken"):
        gallery.rename("p000001", "p000002")
    with pytest.raises(ValueError, match="got 1 tracklets, 2 vectors and 1 labels"):
        gallery.assign(seen(MONDAY)[0][:1], np.ones((2, DIM)), np.ones(1), LIKE)
    for path in (Path(uri) / "entries.lance").rglob("*.lance"):
        path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(VtkError, match="cannot be used: .*cut short"):
        assign_people(uri, *seen(MONDAY), LIKE)
    with pytest.raises(LibraryError, match="^gallery .*people.lance' cannot be used: .*cut short"):
        check_gallery(uri, SPACE, DIM)
    (tmp_path / "file").touch()
    with pytest.raises(NoLibraryError, match="cannot be kept there: .*/file is a file; name another folder"):
        check_gallery(str(tmp_path / "file" / "people.lance"), SPACE, DIM)
    for known in ((SPACE, DIM), ()):
        with pytest.raises(NoLibraryError, match=f"'{tmp_path}' holds other files and no gallery"):
            check_gallery(str(tmp_path), *known)


def test_nothing_to_name_makes_no_gallery(uri: str) -> None:
    assert assign_people(uri, [], np.zeros((0, DIM)), np.zeros(0), LIKE)[0] == []
    assert not Path(uri).exists()


def test_neighbours_are_those_alike(uri: str) -> None:
    fill(Path(uri), 12)
    gallery = Gallery.open(uri)
    new = gallery.split("p000003", ["cam2.mp4#3"])
    found = neighbours(gallery, "p000003", 4)
    assert found[0].name == new and found[0].cosine > LIKE and found[0].tracklets == 1
    assert len(found) == 4 and [one.distance for one in found] == sorted(one.distance for one in found)
    assert all(one.cosine < LIKE for one in found[1:])
    gallery.forget([group.name for group in gallery.identities() if group.name != new])
    assert neighbours(gallery, new) == []


def test_a_gallery_goes_over_to_another_model(uri: str, tmp_path: Path) -> None:
    fill(Path(uri), 6)
    old = Gallery.open(uri)
    old.rename("p000002", "Ann")
    old.forget(["p000006"])
    tracklets, vectors, _ = seen(crowd(6), OTHER)
    anew = [replace(one, vector=vector) for one, vector in zip(tracklets, vectors, strict=True)
            if one.track_id != 5 and one.key != ("cam2.mp4", 4)]
    target = str(tmp_path / "newer.lance")
    done = upgrade(old, target, anew)
    assert (done.moved, done.left, done.sources) == (7, {"p000004": 1, "p000005": 2}, {"cam1.mp4": 1, "cam2.mp4": 2})
    assert done.lost == ["p000005"]
    new = Gallery.open(target)
    assert new.space == OTHER and [group.name for group in new.identities()] == ["Ann", "p000001", "p000003", "p000004"]
    assert new.tracklets("Ann")[0].added == old.tracklets("Ann")[0].added, "they do not become younger"
    assert assign_people(target, *seen(crowd(1), OTHER), LIKE)[0] == ["p000001"] * 2
    stranger = seen([("z.mp4", 1, 0.0, 1.0, 77)], OTHER)
    assert assign_people(target, *stranger, LIKE)[0] == ["p000007"], "names of the old one are not given again"
    with pytest.raises(UsageError, match="holds 8 tracklets: name a new one"):
        upgrade(old, target, anew)
    with pytest.raises(RecordError, match="as the gallery is: there is nothing to upgrade"):
        upgrade(old, target, [replace(one, space=SPACE) for one in anew])
    with pytest.raises(UsageError, match="stores no crops: embed its 2 sources anew"):
        upgrade(old, target, [])


def test_records_of_a_gallery_make_it_again(uri: str, tmp_path: Path) -> None:
    fill(Path(uri), 4)
    records = list(records_of(Gallery.open(uri)))
    assert [record["source"] for record in records] == ["cam1.mp4"] * 8 + ["cam2.mp4"] * 8
    tracklets = [from_record(record) for record in records if record["type"] == "embedding"]
    names = [record["identity"] for record in records if record["type"] == "identity"]
    again, scores = assign_people(str(tmp_path / "again.lance"), tracklets,
                                  np.stack([one.vector for one in tracklets]),
                                  np.unique(names, return_inverse=True)[1], LIKE)
    assert again == names
    assert [round(float(one), 4) for one in scores] == [record["score"] for record in records
                                                        if record["type"] == "identity"]


def test_names_claimed_at_one_time_are_different(uri: str) -> None:
    """Without the lock that a folder has, too: as on object storage."""
    fill(Path(uri), 1)
    with ThreadPoolExecutor(4) as pool:
        claimed = list(pool.map(lambda _: Names(uri).claim(5), range(4)))
    assert len({name for names in claimed for name in names} | {"p000001"}) == 21
