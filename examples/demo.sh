#!/bin/sh
# The main job on a clip made on the spot: track people, draw them. Usage: demo.sh [FOLDER]
set -eu
vtk=${VTK:-vtk}
python=${PYTHON:-python3}
folder=${1:-demo}
here=$(dirname "$0")

mkdir -p "$folder"
"$python" "$here/make_clip.py" "$folder/street.mp4"

# The best detector that can be had: from the cache, a mirror or the network; motion needs no weights.
chosen=motion
for model in yolo11n yolox-nano yolov8n-int8 pedestrian-adas; do
    if "$vtk" models pull "$model" >/dev/null 2>&1; then chosen=$model; break; fi
done
classes="--classes person"
if [ "$chosen" = motion ]; then classes=""; fi
echo "detector: $chosen"

"$vtk" pipe "track --detector $chosen $classes | draw -o $folder/annotated.mp4 --overwrite --tee" \
    "$folder/street.mp4" -o "$folder/tracks.jsonl" --overwrite
echo "tracks:   $(grep -c '"type":"tracklet"' "$folder/tracks.jsonl") people in $folder/tracks.jsonl"
echo "video:    $folder/annotated.mp4"
