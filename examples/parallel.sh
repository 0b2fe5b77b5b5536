#!/usr/bin/env bash
# Detections of a folder's videos, N processes at a time, each on one thread: parallel.sh VIDEOS OUT [N] [MODEL]
# With GNU parallel: find VIDEOS -name '*.mp4' | VTK_THREADS=1 parallel vtk detect {} --out-dir OUT
# Stopped and started again, it goes on: --resume keeps what is finished. Prints how many videos are done.
set -euo pipefail
vtk=${VTK:-vtk}
videos=$1
out=$2
jobs=${3:-4}
model=${4:-yolo11n}

mkdir -p "$out"
export VTK_THREADS=1
find "$videos" -name '*.mp4' -print0 |
    xargs -0 -P "$jobs" -I FILE "$vtk" detect FILE --model "$model" --out-dir "$out" --resume --quiet
find "$out" -name '*.mp4.jsonl' -exec grep -l '"type":"end".*"status":"ok"' {} + | wc -l
