#!/bin/sh
# Detections of a folder's videos, N processes at a time, each on one thread: parallel.sh VIDEOS OUT [N] [MODEL]
set -eu
vtk=${VTK:-vtk}
videos=$1
out=$2
jobs=${3:-4}
model=${4:-yolox-nano}

mkdir -p "$out"
export VTK_THREADS=1
find "$videos" -name '*.mp4' -print0 |
    xargs -0 -P "$jobs" -I FILE "$vtk" detect FILE --model "$model" --out-dir "$out" --overwrite --quiet
cat_all() { find "$out" -name '*.jsonl' ! -name '_run.jsonl' -exec cat {} +; }
cat_all | grep -c '"type":"end"'
