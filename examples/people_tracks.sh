#!/usr/bin/env bash
# Who was there from when to when, and a video that shows it: people_tracks.sh VIDEO OUT.mp4 [DETECTOR] > people.csv
set -euo pipefail
vtk=${VTK:-vtk}
python=${PYTHON:-python3}
here=$(dirname "$0")
video=$1
out=$2
detector=${3:-yolo11n}
classes="--classes person"
if [ "$detector" = motion ]; then classes=""; fi  # it knows no classes

# shellcheck disable=SC2086
"$vtk" track "$video" --detector "$detector" $classes |
    "$vtk" draw -o "$out" --overwrite --tee |
    "$python" "$here/records_to_csv.py" tracklet source track_id start end observations score
