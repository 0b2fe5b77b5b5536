#!/usr/bin/env bash
# Records of a folder's videos by N machines of a Slurm cluster: slurm.sh VIDEOS OUT [N] [PIPE]
#SBATCH --job-name=vtk
#SBATCH --cpus-per-task=4
#SBATCH --mem=8G
#SBATCH --time=04:00:00
#SBATCH --requeue
# It submits itself as an array of N tasks, each of which takes a stable part of the videos, and behind it a task that
# tells identities over all of them where PIPE embeds tracks for that. VIDEOS and OUT lie where all machines see them.
# A task that ran out of time goes on where it was: SHARDS=16 sbatch --array=3,7 slurm.sh VIDEOS OUT 16 PIPE
# FINISH='--threshold 0.7' is what that last task is told besides. What nodes need before (module load, an environment)
# stands in the shell's profile or here.
set -euo pipefail
vtk=${VTK:-vtk}

if [ "$1" = --finish ]; then  # the last task
    # shellcheck disable=SC2086
    "$vtk" reid --finish "$2" ${FINISH:-} -o "$2/_run.jsonl" --overwrite
    exit
fi

videos=$1
out=$2
tasks=${3:-16}
pipe=${4:-track --classes person | reid --embed-only}

if [ -z "${SLURM_ARRAY_TASK_ID:-}" ]; then  # at the user's desk
    job=$(sbatch --parsable --array="1-$tasks" "$0" "$videos" "$out" "$tasks" "$pipe")
    echo "job $job: $tasks tasks"
    if [[ $pipe == *--embed-only* ]]; then
        echo "job $(sbatch --parsable --dependency="afterok:${job%%;*}" "$0" --finish "$out"): identities"
    fi
    exit
fi

# 1 and 3 say that videos are bad, which stands in their records: no reason to do the task again.
"$vtk" pipe "$pipe" "$videos" --out-dir "$out" --resume --shard "$SLURM_ARRAY_TASK_ID/${SHARDS:-$SLURM_ARRAY_TASK_COUNT}" \
    --threads "${SLURM_CPUS_PER_TASK:-1}" || case $? in 1 | 3) ;; *) exit 1 ;; esac
