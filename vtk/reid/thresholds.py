"""The thresholds that models come with: least mean cosine of two tracklets of one person, by space.

Measured: CUHK01's 485 training identities, two tracklets each, of half of them one, 2026-11-21, by ``vtk calibrate reid
cuhk01 --split split_485_486 --precision fp32 --model NAME``. In bf16 they come out at most 0.015 away, which is within
the intervals.
"""

THRESHOLDS: dict[str, dict[str, float]] = {
    "retail-0277@072108ab0dc8": {"constrained": 0.465, "free": 0.565},
    "retail-0287@ce8bfd3e6e90": {"constrained": 0.42, "free": 0.54},
    "retail-0288@2f96d68e5b3f": {"constrained": 0.495, "free": 0.59},
}
