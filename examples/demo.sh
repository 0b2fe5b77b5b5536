#!/usr/bin/env bash
# The main job on a clip made on the spot: track people, read what is written, draw both. Usage: demo.sh [FOLDER]
set -euo pipefail
vtk=${VTK:-vtk}
python=${PYTHON:-python3}
folder=${1:-demo}
here=$(dirname "$0")

mkdir -p "$folder"
"$python" "$here/make_clip.py" "$folder/street.mp4"

# The best detector that can be had: yolo11n, fetched where the network gives it within a minute; else one that is at
# hand in the cache or a mirror; else motion, which needs no weights. What reads text comes with the installation.
limit=$(command -v timeout || true)
chosen=motion classes=
if ${limit:+"$limit" 60} "$vtk" models pull yolo11n > "$folder/weights.log" 2>&1; then
    chosen=yolo11n
else
    echo "yolo11n cannot be had: $(tail -n 1 "$folder/weights.log")"
    for model in yolox-s yolox-tiny yolox-nano yolov8n-int8 pedestrian-adas; do
        if "$vtk" models path "$model" > /dev/null 2>&1; then chosen=$model; break; fi
    done
fi
if [ "$chosen" != motion ]; then classes="--classes person"; fi
echo "detector: $chosen"

"$vtk" pipe "track --detector $chosen $classes | spot-text --min-height 14 |
    draw -o '$folder/annotated.mp4' --overwrite --tee" \
    "$folder/street.mp4" -o "$folder/records.jsonl" --overwrite

# What was read for a second or longer and with confidence, in the order in which it was found.
texts=$("$python" "$here/records_to_csv.py" text_track track_id score observations text \
    < "$folder/records.jsonl" | awk -F, 'NR > 1 && $2 > 0.9 && $3 >= 25' | sort -n | cut -d, -f4- |
    awk '!seen[$0]++' | paste -s -d, - | sed 's/,/, /g')
people=$(grep -c '"type":"tracklet"' "$folder/records.jsonl")
echo "tracks:   $people in $folder/records.jsonl (four people walk there)"
echo "texts:    ${texts:-none} (the banner says OPEN AIR CINEMA)"
echo "video:    $folder/annotated.mp4"
