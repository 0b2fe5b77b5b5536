"""Pictures cut out of frames, each with a name of its own.

What a box shows, with room around it, 128 pixels on its long side::

    view = Cut(margin=0.1, side=128)
    for record in records:
        pixels, window = view.of(image, record["xyxy"])
        write_image(f"{escaped(record['label'])}.jpg", pixels)
"""

from vtk.cropping.names import crop_name, escaped
from vtk.cropping.views import Cut

__all__ = ["Cut", "crop_name", "escaped"]
