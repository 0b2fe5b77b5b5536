#!/usr/bin/env bash
# The pictures that show one live face and no other: liveness_gate.sh FOLDER LIST.txt [CALIBRATION.json]
# On stderr the others, with the reason. Ends with 1 where a picture could not be read: it is not in the list.
set -euo pipefail
vtk=${VTK:-vtk}
python=${PYTHON:-python3}
folder=$1
list=$2
test -d "$folder" || { echo "$folder is no folder of pictures" >&2; exit 2; }

status=0
"$vtk" face-antispoof "$folder" --only ${3:+--calibration "$3"} | "$python" -c '
import json, sys
faces, seen = {}, {}
for record in map(json.loads, sys.stdin):
    if record["type"] == "face":
        faces.setdefault(record["source"], []).append(record)
    elif record["type"] == "end":
        seen[record["source"]] = record["status"]
for source, status in seen.items():
    found = faces.get(source, [])
    if status == "ok" and [face["verdict"] for face in found] == ["live"]:
        print(source)
    else:
        told = [" ".join([face["verdict"], *face.get("reasons", [])]) for face in found]
        why = status if status != "ok" else ", ".join(told) or "no face"
        sys.stderr.write(f"{source}: {why}\n")
' > "$list.part" || status=$?
if [ "$status" -gt 1 ]; then rm -f "$list.part"; exit "$status"; fi
mv "$list.part" "$list"
exit "$status"
