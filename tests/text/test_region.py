"""Regions: what the user writes, and what of a picture they are."""

from __future__ import annotations

import numpy as np
import pytest

from vtk.errors import UsageError, VtkError
from vtk.text.region import Region


@pytest.mark.parametrize(("text", "size", "box"), [
    ("10,20,110,220", (640, 360), (10, 20, 110, 220)),
    ("0%,70%,100%,100%", (640, 360), (0, 252, 640, 360)),
    (" 0, 50%, 320 ,360", (640, 360), (0, 180, 320, 360)),
    ("600,300,9000,9000", (640, 360), (600, 300, 640, 360)),
    ("0,0,0.5,0.5", (640, 360), (0, 0, 0.5, 0.5)),  # pixels, however small
])
def test_pixels_and_percent(text, size, box):
    assert Region.parse(text).of(*size).box == pytest.approx(box)


@pytest.mark.parametrize("text", ["", "1,2,3", "1,2,3,4,5", "a,b,c,d", "10,0,10,5", "0,9,5,5", "-1,0,5,5", "0,0,nan,5",
                                  "0,0,inf,5", "0%,0%,101%,5", "50%,0,20%,10", "0,0,%,5"])
def test_what_is_no_region_is_refused(text):
    with pytest.raises(UsageError, match="--region .*x1,y1,x2,y2 in pixels or percent"):
        Region.parse(text)


@pytest.mark.parametrize(("text", "size"), [("700,0,800,50", (640, 360)), ("0,360,10,400", (640, 360)),
                                            ("50%,0,320,50", (640, 360))])
def test_outside_of_the_picture(text, size):
    with pytest.raises(VtkError, match="nothing of it lies in the picture, which has 640 × 360 pixels"):
        Region.parse(text).of(*size)


def test_a_margin_is_looked_at_and_centres_decide():
    area = Region.parse("100,100,300,180").of(640, 360)
    assert area.cut == (90, 90, 310, 190) and area.offset == (90, 90)
    image = np.arange(360 * 640 * 3, dtype=np.uint32).reshape(360, 640, 3)
    crop = area.crop(image)
    assert crop.shape == (100, 220, 3) and crop.flags.c_contiguous and (crop == image[90:190, 90:310]).all()
    square = np.array([[-5, -5], [5, -5], [5, 5], [-5, 5]], np.float32)
    centres = [(10, 10), (9, 50), (209, 89), (210, 50), (100, 90)]  # of the crop: the box is 10 to 210 and 10 to 90
    assert area.holds(np.stack([square + centre for centre in centres])).tolist() == [True, False, True, False, False]
