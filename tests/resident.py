"""By how much a process grows, measured in one that does nothing else.

In a process that has run other tests, what these left alive takes and gives back memory at its own times.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HELD = """
import sys
seen = []
def look():
    "Note the memory that this process holds, in kB."
    seen.append(int(open("/proc/self/status").read().split("VmRSS:")[1].split()[0]))
"""


def grown(script: str, *arguments: str | Path) -> int:
    """Return by how many kB a process grew between the two times that its script calls ``look()``."""
    whole = f"{HELD}{script}\nassert len(seen) == 2\nprint(seen[1] - seen[0])\n"
    done = subprocess.run([sys.executable, "-c", whole, *map(os.fspath, arguments)], capture_output=True, text=True,
                          timeout=300, check=False)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return int(done.stdout)
