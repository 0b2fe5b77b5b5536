"""Columns of a terminal: any script, never too wide."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vtk.stats.lettering import bar, columns_of, counted, lasting, shown, sized, steps, table


@given(st.text(max_size=60), st.integers(4, 30))
def test_a_text_takes_the_width_that_it_is_given(text: str, width: int) -> None:
    assert columns_of(shown(text, width)) == width
    assert "\n" not in shown(text, width) and "\x1b" not in shown(text, width)


@given(st.lists(st.tuples(st.text(max_size=90), st.text(max_size=90), st.integers(0, 10**9)), max_size=5))
def test_no_row_of_a_table_is_wider_than_a_page(rows: list[tuple[str, str, int]]) -> None:
    lines = list(table([[first, second, counted(number)] for first, second, number in rows], 2))
    assert len(lines) == len(rows) and all(columns_of(line) <= 80 for line in lines)


def test_wide_letters_take_two_columns() -> None:
    assert columns_of("人a") == 3 and columns_of("e\u0301") == 1
    assert shown("人人人人", 5) == "人…人" and shown("ab", 4) == "ab  " and shown("abcdefgh", 5) == "ab…gh"
    assert list(table([["人", "1"], ["abc", "10"]])) == ["  人    1", "  abc  10"]


def test_bars_say_how_much() -> None:
    assert bar(1, 4) == "████" and bar(0.5, 4) == "██" and bar(0.53125, 4) == "██▏" and bar(0, 4) == ""
    assert bar(1e-9, 4) == "▏", "what is not nothing shows"
    assert steps([0, 1, 4, 8]) == " ▁▄█" and steps([]) == "" and steps([0, 0]) == "  "


def test_numbers_are_as_people_write_them() -> None:
    assert [lasting(seconds) for seconds in (0.04, 59.94, 60, 3599.6, 7384)] == ["0.0 s", "59.9 s", "1:00", "1:00:00",
                                                                                 "2:03:04"]
    assert [sized(size) for size in (0, 999, 1000, 2_345_000_000, 5e15)] == ["0 bytes", "999 bytes", "1.0 kB", "2.3 GB",
                                                                             "5000.0 TB"]
    assert counted(1234567) == "1,234,567"
