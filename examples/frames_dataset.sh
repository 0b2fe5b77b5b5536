#!/bin/sh
# The frames in which something is found, as pictures: frames_dataset.sh OUT MODEL VIDEO...
set -eu
vtk=${VTK:-vtk}
out=$1
model=$2
shift 2

"$vtk" detect "$@" --model "$model" --every 5 |
    "$vtk" frames -o "$out" --tee --overwrite > "$out.jsonl"
"$vtk" validate "$out.jsonl"
