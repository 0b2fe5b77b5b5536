"""Shell commands for video understanding: media or JSONL in, JSONL out.

A command is one file in ``vtk.commands``; what commands share is here, and what knows no video
is in ``vtk.kernels``. The same stages that the shell runs can be run from Python:

    from vtk.driver import run
    from vtk.detection import DetectStage

    for record in run([DetectStage(model="yolox-nano")], ["street.mp4"]):
        print(record["type"], record.get("label"))
"""

__version__ = "0.1.0"
