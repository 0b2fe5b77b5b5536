#!/usr/bin/env bash
# The tracker's options that suit your videos best, by ground truth: tune_tracker.sh GT OUT.toml TRIALS DETECTOR VIDEO...
# Then: vtk track --options OUT.toml VIDEO
set -euo pipefail
vtk=${VTK:-vtk}
truth=$1
recipe=$2
trials=$3
detector=$4
shift 4

# The detector looks once; the trials need its boxes alone, unsure ones too.
boxes=$(mktemp)
trap 'rm -f "$boxes"' EXIT
"$vtk" detect "$@" --model "$detector" --min-score 0.05 > "$boxes"
"$vtk" tune track "$boxes" --gt "$truth" --trials "$trials" -o "$recipe" --overwrite
"$vtk" track --options "$recipe" --only < "$boxes" | "$vtk" eval track --gt "$truth"
