#!/usr/bin/env bash
# The frames in which something is found, as pictures, and what is in them: frames_dataset.sh OUT MODEL INPUT...
# Every fifth frame is looked at; OUT.jsonl has the boxes of OUT/VIDEO/FRAME.jpg.
set -euo pipefail
vtk=${VTK:-vtk}
out=$1
model=$2
shift 2

"$vtk" detect "$@" --model "$model" --every 5 |
    "$vtk" frames -o "$out" --tee --overwrite > "$out.jsonl"
"$vtk" validate "$out.jsonl"
