#!/usr/bin/env bash
# Records of a folder's videos, N processes at a time, each on one thread: parallel.sh VIDEOS OUT [N] [PIPE]
# GNU parallel runs them where it is installed, else xargs. FILES=16 is how many videos a process takes before the next
# one starts: it loads its models once for them. Stopped and started again, it goes on: what is finished is kept.
# A bad video stops nothing. Prints how many videos are done, exits 1 where that is not all of them.
set -euo pipefail
vtk=${VTK:-vtk}
videos=$1
out=$2
jobs=${3:-4}
pipe=${4:-detect}
files=${FILES:-16}

list=$(mktemp)
trap 'rm -f "$list" "$list.all"' EXIT
mkdir -p "$out"
find -L "$videos" -type f -print0 > "$list.all"
grep -ziE '\.(mp4|m4v|mov|mkv|webm|avi|ts|mts|mpg)$' < "$list.all" | sort -z > "$list" || echo "no videos in $videos" >&2

# 1 and 3 say that videos are bad, which stands in their files; what stops this is a mistake in the options, say.
# shellcheck disable=SC2016
one='"$@"; code=$?; exit $((code == 1 || code == 3 ? 0 : code))'
call=(bash -c "$one" batch "$vtk" pipe "$pipe" --out-dir "$out" --resume --quiet)
export VTK_THREADS=1
if parallel --version 2> /dev/null | grep -q '^GNU'; then  # moreutils has another one of that name
    parallel --quote --null --jobs "$jobs" --max-args "$files" "${call[@]}" < "$list"
else
    xargs -0 -r -P "$jobs" -n "$files" "${call[@]}" < "$list"
fi

all=$(tr -cd '\0' < "$list" | wc -c)
bad=$(find "$out" -name '*.jsonl' -exec grep -lE '"type":"end".*"status":"(failed|partial)"' {} + || true)
printf '%s' "${bad:+not whole, as its records say: ${bad//$'\n'/$'\nnot whole, as its records say: '}$'\n'}" >&2
echo $((all - $(printf '%s' "${bad:+$bad$'\n'}" | wc -l)))
[ -z "$bad" ]
