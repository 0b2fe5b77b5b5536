"""Identities by average linkage under constraints: against the plain definition, by hand, at every size."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest

from vtk.errors import UsageError
from vtk.reid.constraints import Apartness, Constraints, Window, read_constraints
from vtk.reid.identities import explain, first_seen, identify
from vtk.reid.linkage.bench import crowd
from vtk.reid.tracklets import Tracklet


def unit(rows):
    rows = np.asarray(rows, np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def turned(*degrees):
    """Return unit vectors in the plane at these angles."""
    angles = np.radians(degrees)
    return unit(np.stack([np.cos(angles), np.sin(angles)], axis=1))


def at(source, number, start=0.0, end=1.0, camera=None):
    return Tracklet(source, number, start, end, camera)


def scattered(count):
    """Return tracklets that nothing keeps apart."""
    return [at(f"{number}.mp4", 1) for number in range(count)]


def plainly(tracklets, vectors, threshold, constraints):
    """Return labels by the definition: the most alike pair of groups that may be joined, again and again."""
    likeness = vectors.astype(np.float64) @ vectors.T.astype(np.float64)
    rows = np.arange(len(tracklets))
    apart = Apartness(tracklets, constraints).why(rows[:, None], rows) > 0
    groups = [[row] for row in rows]
    while True:
        best, pair = threshold, None
        for a, b in itertools.combinations(range(len(groups)), 2):
            cells = np.ix_(groups[a], groups[b])
            if not apart[cells].any() and (mean := likeness[cells].mean()) >= best:
                best, pair = mean, (a, b)
        if pair is None:
            break
        groups[pair[0]] += groups.pop(pair[1])
    labels = np.empty(len(rows), np.int64)
    for number, group in enumerate(groups):
        labels[group] = number
    return first_seen(labels)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("threshold", [0.2, 0.5])
def test_both_ways_give_what_the_definition_says(seed, threshold):
    tracklets, vectors, _ = crowd(60, 16, seed)
    tracklets = [replace(one, source=f"{row % 3}", start=one.start / 40, end=one.start / 40 + 8, camera="ab"[row % 2])
                 for row, one in enumerate(tracklets)]
    for constraints in (Constraints(), Constraints(overlap=False), Constraints(one_per_camera=True)):
        said = plainly(tracklets, vectors, threshold, constraints)
        np.testing.assert_array_equal(identify(tracklets, vectors, threshold, constraints), said)
        np.testing.assert_array_equal(
            identify(tracklets, vectors, threshold, constraints, exact_up_to=0, neighbours=60), said)


def test_a_threshold_is_a_mean_cosine():
    """The third is at 30 degrees from one, a cosine of 0.866; the first at 60 and 90 from both, 0.25 on the mean."""
    vectors = turned(0, 60, 90)
    many = scattered(3)
    for exact_up_to in (9, 0):
        def labels(threshold):
            return identify(many, vectors, threshold, exact_up_to=exact_up_to).tolist()  # noqa: B023
        assert labels(0.87) == [0, 1, 2]
        assert labels(0.86) == [0, 1, 1]  # 0.866: the nearest two
        assert labels(0.26) == [0, 1, 1]  # the first with both: (0.5 + 0) / 2
        assert labels(0.249) == [0, 0, 0]


def test_who_is_seen_at_one_time_is_two():
    vectors = turned(0, 0, 0)
    same = [at("a", 1, 0, 10), at("a", 2, 5, 15), at("a", 3, 20, 30)]
    assert identify(same, vectors, 0.9).tolist() == [0, 1, 0]
    assert identify(same, vectors, 0.9, Constraints(overlap=False)).tolist() == [0, 0, 0]
    elsewhere = [at("a", 1, 0, 10), at("b", 1, 0, 10)]
    assert identify(elsewhere, vectors[:2], 0.9).tolist() == [0, 0]


def test_a_constraint_binds_whole_groups():
    """0 and 1 are joined first; 2 is like both, but was seen beside 1: never with 0 either."""
    tracklets = [at("a", 1), at("b", 1), at("b", 2)]
    vectors = turned(0, 1, -3)
    for exact_up_to in (9, 0):
        assert identify(tracklets, vectors, 0.5, exact_up_to=exact_up_to).tolist() == [0, 0, 1]


@pytest.mark.parametrize(("second", "together"), [
    ((9.9, 20.0), False),  # a tracker lets go late: 0.1 s of ten
    ((9.7, 20.0), True),
    ((10.0, 20.0), False),  # end exclusive
    ((9.95, 10.05), False),  # half of a tenth
    ((9.9, 9.95), True),  # short, and within
    ((5.0, 5.0), True),  # an instant within
])
def test_a_short_overlap_does_not_count(second, together):
    pair = Apartness([at("a", 1, 0.0, 10.0), at("a", 2, *second)], Constraints())
    assert (pair.why(np.array([0]), np.array([1]))[0] == 1) == together
    assert (pair.why(np.array([1]), np.array([0]))[0] == 1) == together


def test_two_of_one_image_are_two():
    assert identify([at("a.jpg", 1, 0, 0), at("a.jpg", 2, 0, 0)], turned(0, 0), 0.5).tolist() == [0, 1]


def test_cameras_and_the_way_between_them(tmp_path):
    file = tmp_path / "cameras.json"
    file.write_text(json.dumps({
        "cameras": {"n.mp4": "north", "s.mp4": "south"}, "clocks": {"n.mp4": 0, "s.mp4": 100},
        "windows": [{"cameras": ["north", "south"], "least": 20, "most": 60}]}))
    rules = read_constraints(file)
    assert rules.windows == (Window(("north", "south"), 20, 60),)
    # South's clock begins at 100: its second 5 is 105.
    pairs = [at("n.mp4", 1, 80, 90), at("s.mp4", 1, 5, 9), at("s.mp4", 2, 15, 19), at("s.mp4", 3, 60, 61)]
    why = Apartness(pairs, rules).why(np.zeros(4, int), np.arange(4))
    assert why[1:].tolist() == [3, 0, 3]  # 15 s, 25 s, 70 s
    assert identify(pairs, turned(0, 0, 0, 0), 0.9, rules).tolist() == [0, 1, 0, 1]
    unknown = [replace(one, source="elsewhere.mp4") for one in pairs[1:2]]
    assert not Apartness([pairs[0], *unknown], rules).why(np.array([0]), np.array([1])).any()

    cameras = [at("1.jpg", 1, camera="a"), at("2.jpg", 1, camera="a"), at("3.jpg", 1, camera="b"), at("4.jpg", 1)]
    one = Constraints(one_per_camera=True)
    assert identify(cameras, turned(0, 1, 2, 3), 0.9, one).tolist() == [0, 1, 1, 1]


@pytest.mark.parametrize(("text", "said"), [
    ("{", "is no file of constraints"),
    ('{"tolerence": 1}', "an object with one_per_camera, tolerance"),
    ('{"tolerance": -1}', "-1 is no number of seconds"),
    ('{"one_per_camera": "yes"}', "true or false is needed"),
    ('{"clocks": []}', "clocks is"),
    ('{"windows": [{"cameras": ["a"]}], "clocks": {"a": 1}}', "two names are needed"),
    ('{"windows": [{"cameras": ["a", "b"], "least": 5, "most": 1}], "clocks": {"a": 1}}', "above its most"),
    ('{"windows": [{"cameras": ["a", "b"]}]}', "windows and no clocks"),
])
def test_wrong_files_of_constraints(tmp_path, text, said):
    (tmp_path / "c.json").write_text(text)
    with pytest.raises(UsageError, match=said):
        read_constraints(tmp_path / "c.json")
    with pytest.raises(UsageError, match="cannot read"):
        read_constraints(tmp_path / "none.json")


def test_equal_ones_are_joined_by_their_order():
    """Three at 60 degrees from each other: two of them fit above 0.3, and it is the first two."""
    vectors = unit([[1, 1, 0], [1, 0, 1], [0, 1, 1]])
    tracklets = [at("a", 1), at("b", 1), at("b", 2)]
    assert identify(tracklets, vectors, 0.4).tolist() == [0, 0, 1]
    assert identify(tracklets, vectors, 0.4, exact_up_to=0).tolist() == [0, 0, 1]


def test_copies_come_together_whatever_the_way():
    vectors = np.repeat(turned(0, 45, 90), 40, axis=0)
    expected = np.repeat([0, 1, 2], 40)
    np.testing.assert_array_equal(identify(scattered(120), vectors, 0.9), expected)
    np.testing.assert_array_equal(identify(scattered(120), vectors, 0.9, exact_up_to=0, neighbours=120), expected)
    # With few neighbours, of equal ones the first: all name the same few, and come together by them.
    np.testing.assert_array_equal(identify(scattered(120), vectors, 0.9, exact_up_to=0, neighbours=3), expected)


def test_the_order_of_tracklets_only_renames():
    tracklets, vectors, _ = crowd(400, 32)
    order = np.random.default_rng(1).permutation(400)
    for exact_up_to in (400, 0):
        labels = identify(tracklets, vectors, 0.5, exact_up_to=exact_up_to)
        again = identify([tracklets[row] for row in order], vectors[order], 0.5, exact_up_to=exact_up_to)
        np.testing.assert_array_equal(first_seen(labels[order]), again)
        assert first_seen(labels).tolist() == labels.tolist()


def test_many_are_grouped_from_candidates_as_from_all_pairs():
    tracklets, vectors, _ = crowd(2000, 64)
    labels = identify(tracklets, vectors, 0.5)
    np.testing.assert_array_equal(identify(tracklets, vectors, 0.5, exact_up_to=0, neighbours=100), labels)
    assert 300 < len(np.unique(labels)) < 600


def test_the_nearest_others_and_why_not():
    tracklets = [at("a", 1, 0, 10), at("b", 1, 0, 10), at("a", 2, 5, 15), at("c", 1, 0, 1), at("d", 1, 0, 1, "x"),
                 at("e", 1, 0, 1, "x")]
    vectors = turned(0, 2, 1, 80, 120, 121)
    rules = Constraints(one_per_camera=True)
    labels = identify(tracklets, vectors, 0.9, rules)
    assert labels.tolist() == [0, 1, 1, 2, 3, 4]
    first, *_, last = explain(tracklets, vectors, labels, 0.9, rules)
    assert [one.row for one in first][:1] == [2] and first[0].why == "time" and first[0].between == (0, 2)
    assert first[0].cosine == pytest.approx(np.cos(np.radians(1)), abs=1e-6)
    assert {one.row: one.why for one in first}[3] == "threshold"
    assert [(one.row, one.why) for one in last][:2] == [(4, "camera"), (3, "threshold")]
    # 1 and 0 may be one person, but for 2, which is with 1.
    assert {one.row: (one.why, one.between) for one in first}[1] == ("time", (0, 2))
    missed = explain(scattered(2), turned(0, 1), np.array([0, 1]), 0.9)
    assert missed[0][0].why == "search"


def test_others_are_found_beyond_a_large_identity():
    vectors = np.concatenate([np.repeat(turned(0), 60, axis=0), turned(50, 60)])
    labels = np.array([0] * 60 + [1, 2])
    found = explain(scattered(62), vectors, labels, 0.9, nearest=2)
    assert [one.row for one in found[7]] == [60, 61] and len(found) == 62


def test_none_and_one_and_what_is_wrong():
    empty = np.zeros((0, 4), np.float32)
    assert identify([], empty, 0.5).shape == (0,)
    assert explain([], empty, np.zeros(0, np.int64), 0.5) == []
    assert identify(scattered(1), turned(0), 0.5).tolist() == [0]
    assert explain(scattered(1), turned(0), np.array([0]), 0.5) == [[]]
    for vectors in (turned(0, 1), turned(0).astype(np.float64), turned(0)[0], np.zeros((1, 2), np.float32),
                    np.full((1, 2), np.nan, np.float32)):
        with pytest.raises(ValueError, match="vectors: got"):
            identify(scattered(1), vectors, 0.5)
    with pytest.raises(ValueError, match="threshold: got nan"):
        identify(scattered(1), turned(0), float("nan"))
    with pytest.raises(ValueError, match="expected finite seconds"):
        identify([at("a", 1, float("nan"))], turned(0), 0.5)
    with pytest.raises(ValueError, match="labels: got"):
        explain(scattered(1), turned(0), np.zeros(2, np.int64), 0.5)
