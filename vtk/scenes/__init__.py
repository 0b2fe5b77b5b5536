"""Where a film goes from one shot to the next.

Shots come out while frames go in, some seconds later::

    shots = Shots()
    for frame in reader.frames([LOOK], lambda index, t: True):
        for shot in shots.add(frame.index, frame.t, frame.image(LOOK)):
            print(shot.start, shot.end, shot.after.kind if shot.after else "end")
    for shot in shots.finish():
        print(shot.start, shot.end)
"""

from vtk.scenes.looks import LOOK
from vtk.scenes.shots import Shots
from vtk.scenes.tiling import Change, Shot

__all__ = ["LOOK", "Change", "Shot", "Shots"]
