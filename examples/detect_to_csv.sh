#!/usr/bin/env bash
# A table of everything that is found: detect_to_csv.sh MODEL INPUT... > detections.csv
set -euo pipefail
vtk=${VTK:-vtk}
python=${PYTHON:-python3}
here=$(dirname "$0")
model=${1:?a model is needed: detect_to_csv.sh MODEL INPUT...}
shift

"$vtk" detect "$@" --model "$model" |
    "$python" "$here/records_to_csv.py" detection source frame t label score xyxy
