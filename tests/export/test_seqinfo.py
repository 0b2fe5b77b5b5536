"""What a sequence's seqinfo.ini says, and where it is looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from vtk.errors import UsageError
from vtk.export.seqinfo import SeqInfo, seqinfo_of

WHOLE = "[Sequence]\nname=A\nimDir=img1\nframeRate=7\nseqLength=795\nimWidth=768\nimHeight=576\nimExt=.jpg\n"


def test_it_is_found_beside_the_file_and_above(tmp_path: Path) -> None:
    (tmp_path / "seqinfo.ini").write_text(WHOLE)
    (tmp_path / "det").mkdir()
    whole = SeqInfo(7.0, 768, 576, 795)
    assert seqinfo_of(tmp_path / "det.txt") == whole
    assert seqinfo_of(tmp_path / "det" / "det.txt") == whole
    assert seqinfo_of(tmp_path / "det" / "det.txt", 14.0) == SeqInfo(14.0, 768, 576, 795)
    (tmp_path / "det" / "seqinfo.ini").write_text(WHOLE.replace("=7\n", "=25\n"))
    assert seqinfo_of(tmp_path / "det" / "det.txt").fps == 25


def test_without_one_a_rate_is_needed(tmp_path: Path) -> None:
    assert seqinfo_of(tmp_path / "det.txt", 10.0) == SeqInfo(10.0)
    with pytest.raises(UsageError, match="det.txt has no seqinfo.ini .*--fps"):
        seqinfo_of(tmp_path / "det.txt")


@pytest.mark.parametrize("text", ["", "frameRate=7\n", "[Sequence]\nname=A\n", "[Sequence]\nframeRate=0\n", "\0\xff",
                                  "[Sequence]\nframeRate=fast\n", "[Sequence]\nframeRate=nan\n"])
def test_one_that_states_no_rate_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "seqinfo.ini").write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError, match="seqinfo.ini states no frameRate"):
        seqinfo_of(tmp_path / "det.txt")
    assert seqinfo_of(tmp_path / "det.txt", 10.0) == SeqInfo(10.0)


def test_sizes_that_are_none_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "seqinfo.ini").write_text("[Sequence]\nframeRate=10\nimWidth=-5\nimHeight=0.5\n")
    assert seqinfo_of(tmp_path / "det.txt") == SeqInfo(10.0)
