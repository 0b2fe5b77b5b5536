"""Films whose cuts and transitions are known exactly, made from a seed: shots that are drawn, or taken from clips.

What looks like a change of shot and is none stands in them too: flashes, whips of the camera, lights that go on, things
that rush past, repeated frames, noise. ``plan(seed)`` says what comes where, ``Plan.frames`` draws it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from vtk.metrics.shots import Truth

WIDTH, HEIGHT = 256, 144
# Seconds of a shot, of a transition, and of the black between fading out and fading in.
SHOT, GRADUAL, BLACK = (1.0, 4.0), (0.4, 2.0), (0.0, 0.4)
KINDS = ("cut", "dissolve", "fade", "wipe")
TRAPS = ("none", "flash", "whip", "light", "passer", "repeats", "noise")
# How far into a film's next shot a trap may reach: a flash on a cut is not told from the cut by anybody.
AWAY = 8  # frames


@dataclass(frozen=True)
class Take:
    """One shot: what it is drawn from, how its camera goes, and what disturbs it.

    Attributes:
        seed: draws the landscape, unless ``clip`` is at hand.
        pan: pixels a frame, right and down.
        zoom: how much larger things get each frame.
        trap: one of ``TRAPS``.
        at: the frame of the shot that the trap begins at.
        clip: the number of the clip that the shot is taken from; None for a drawn one.
    """

    seed: int
    frames: int
    pan: tuple[float, float] = (0.0, 0.0)
    zoom: float = 0.0
    trap: str = "none"
    at: int = 0
    clip: int | None = None


@dataclass(frozen=True)
class Join:
    """How a shot goes over into the next: its kind, frames that both share, and frames of ``tone`` between them."""

    kind: str
    frames: int = 0
    blank: int = 0
    tone: int = 0


@dataclass(frozen=True)
class Plan:
    """A film: takes, the joins between them, frames a second, and black bars, as shares of both sides."""

    takes: tuple[Take, ...]
    joins: tuple[Join, ...]
    fps: float = 25.0
    bars: tuple[float, float] = (0.0, 0.0)
    clips: tuple[np.ndarray, ...] = field(default=(), repr=False)

    @property
    def truth(self) -> Truth:
        """Where the cuts and the gradual transitions are, in frames."""
        cuts, graduals, at = [], [], 0
        for take, join in zip(self.takes, self.joins, strict=False):
            end = at + take.frames
            if join.kind == "cut":
                cuts.append(end)
                at = end
            elif join.kind == "fade":
                graduals.append((end - join.frames, end + join.blank + join.frames))
                at = end + join.blank
            else:
                graduals.append((end - join.frames, end))
                at = end - join.frames
        return Truth(tuple(cuts), tuple(graduals), self.count)

    @property
    def count(self) -> int:
        """Return how many frames the film has."""
        return sum(take.frames for take in self.takes) + sum(
            join.blank if join.kind == "fade" else 0 if join.kind == "cut" else -join.frames for join in self.joins)

    def frames(self) -> Iterator[np.ndarray]:
        """Yield the frames, (HEIGHT, WIDTH, 3) uint8 RGB."""
        for image in self._joined():
            yield _barred(image, self.bars)

    def _joined(self) -> Iterator[np.ndarray]:
        shared: list[np.ndarray] = []  # the last pictures of the shot before, which the next is mixed with
        before: Join | None = None
        for take, join in zip(self.takes, (*self.joins, None), strict=True):
            pictures = list(_shot(take, self.clips))
            for n in range(before.frames if before else 0):
                share = (n + 1) / (before.frames + 1)
                pictures[n] = _joint(before, shared[n] if shared else None, pictures[n], share, self.bars[0])
            keep = join.frames if join and join.kind in ("dissolve", "wipe") else 0
            shared = pictures[len(pictures) - keep :]
            pictures = pictures[: len(pictures) - keep]
            if join and join.kind == "fade":
                for n in range(join.frames):
                    place = len(pictures) - join.frames + n
                    pictures[place] = _toned(pictures[place], join.tone, (n + 1) / (join.frames + 1))
            yield from pictures
            if join and join.kind == "fade":
                yield from (np.full((HEIGHT, WIDTH, 3), join.tone, np.uint8) for _ in range(join.blank))
            before = join


def plan(seed: int, shots: int = 8, fps: float = 25.0, kinds: Sequence[str] = KINDS,
         clips: Sequence[np.ndarray] = ()) -> Plan:
    """Return a film of ``shots`` shots, drawn by ``seed``.

    Args:
        kinds: what joins there are; half of all are cuts where "cut" is among them.
        clips: (N, HEIGHT, WIDTH, 3) uint8 each, of one shot; half of the film's shots are pieces of them.
    """
    random = np.random.default_rng(seed)
    joins = [_join(random, kinds, fps) for _ in range(shots - 1)]
    takes: list[Take] = []
    for around in zip([None, *joins], [*joins, None], strict=True):
        used = takes[-1].clip if takes else None  # two pieces of one clip would be a jump, which is a matter of taste
        takes.append(_take(random, fps, clips, used, *(join.frames if join else 0 for join in around)))
    sides = ((0.0, 0.0), (0.0, 0.0), (0.0, 0.12), (0.2, 0.0))
    return Plan(tuple(takes), tuple(joins), fps, sides[random.integers(len(sides))], tuple(clips))


def _join(random: np.random.Generator, kinds: Sequence[str], fps: float) -> Join:
    gradual = [kind for kind in kinds if kind != "cut"]
    if "cut" in kinds and (not gradual or random.random() < 0.5):
        return Join("cut")
    kind = str(random.choice(gradual))
    frames = round(random.uniform(*GRADUAL) * fps / (2 if kind == "fade" else 1))
    if kind != "fade":
        return Join(kind, frames)
    return Join(kind, frames, round(random.uniform(*BLACK) * fps), 255 * int(random.random() < 0.2))


def _take(random: np.random.Generator, fps: float, clips: Sequence[np.ndarray], used: int | None, first: int,
          last: int) -> Take:
    """Return a shot that shares its ``first`` and ``last`` frames with its neighbours, and is long enough for it."""
    clear = round(random.uniform(*SHOT) * fps)
    frames = first + clear + last
    clip = int(random.integers(len(clips))) if clips and random.random() < 0.5 else None
    if clip is not None and (clip == used or len(clips[clip]) < frames):
        clip = None
    trap = str(random.choice(TRAPS)) if random.random() < 0.5 and clear > 4 * AWAY else "none"
    speed = random.choice((0.0, 0.5, 1.5, 4.0)) * WIDTH / 256
    angle = random.uniform(0, 2 * np.pi)
    return Take(int(random.integers(1 << 30)), frames, (speed * np.cos(angle), speed * np.sin(angle)),
                float(random.choice((0.0, 0.0, 0.004))), trap,
                first + AWAY + int(random.integers(max(1, clear - 3 * AWAY))), clip)


def _shot(take: Take, clips: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield the pictures of a take."""
    random = np.random.default_rng(take.seed)
    if take.clip is None:
        views = _views(take, random)
    else:
        given = clips[take.clip]
        start = int(random.integers(len(given) - take.frames + 1))
        views = iter(given[start : start + take.frames])
    before = None
    for n, view in enumerate(views):
        since = n - take.at
        if take.trap == "repeats" and before is not None and since >= 0 and since % 3:
            view = before
        before = view
        yield _trapped(take.trap, view, since, random)


def _views(take: Take, random: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield what a camera sees of a drawn landscape that things move over."""
    land = _landscape(random)
    place = np.array([WIDTH, HEIGHT]) * random.uniform(0.2, 0.8, 2) + (WIDTH, HEIGHT)
    things = [(random.uniform(0, 1, 2) * (WIDTH, HEIGHT), random.normal(0, 1.5, 2), random.integers(8, HEIGHT // 4),
               random.integers(0, 256, 3)) for _ in range(random.integers(0, 4))]
    for n in range(take.frames):
        whips = take.trap == "whip" and 0 <= n - take.at < 6
        place = place + np.array(take.pan) + (np.array([WIDTH / 9, 0.0]) if whips else 0)
        scale = (1 + take.zoom) ** -n * 1.2
        matrix = np.float32([[scale, 0, place[0]], [0, scale, place[1]]])
        view = cv2.warpAffine(land, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                              borderMode=cv2.BORDER_REFLECT)
        for start, speed, radius, colour in things:
            # It leaves on one side before it comes in on the other: nothing jumps.
            centre = np.round(start + n * speed).astype(int) % (WIDTH + 2 * radius, HEIGHT + 2 * radius) - radius
            cv2.circle(view, centre.tolist(), int(radius), colour.tolist(), -1)
        yield view


def _landscape(random: np.random.Generator) -> np.ndarray:
    """Return a picture three times the film's sides: hills of colour, and boxes of one colour each."""
    height, width = 3 * HEIGHT, 3 * WIDTH
    land = np.full((height, width, 3), random.uniform(40, 200, 3), np.float32)
    for cells in (6, 24, 96):
        hills = random.normal(size=(cells // 2, cells, 3)).astype(np.float32)
        land += random.uniform(10, 60) * (6 / cells) ** 0.4 * cv2.resize(hills, (width, height),
                                                                         interpolation=cv2.INTER_CUBIC)
    land = np.ascontiguousarray(np.clip(land * random.uniform(0.35, 1.0), 0, 255).astype(np.uint8))
    for _ in range(random.integers(10, 60)):
        left, top = random.integers(0, width), random.integers(0, height)
        right, bottom = left + random.integers(10, WIDTH // 2), top + random.integers(10, HEIGHT // 2)
        cv2.rectangle(land, (int(left), int(top)), (int(right), int(bottom)), random.integers(0, 230, 3).tolist(), -1)
    return land


def _trapped(trap: str, view: np.ndarray, since: int, random: np.random.Generator) -> np.ndarray:
    """Return the view with what disturbs it ``since`` frames after that began."""
    if trap == "flash" and 0 <= since < 4:
        return _toned(view, 255, (0.9, 0.8, 0.5, 0.2)[since])
    if trap == "light" and since >= 0:
        return np.clip(view * 1.5 + 20, 0, 255).astype(np.uint8)
    if trap == "noise":
        return np.clip(view + random.normal(0, 20, view.shape), 0, 255).astype(np.uint8)
    if trap == "passer" and 0 <= since < 7:
        view = view.copy()
        left = round((since - 3) / 6 * 1.5 * WIDTH)
        view[:, max(0, left) : max(0, left + WIDTH * 2 // 3)] = (30, 40, 35)
    return view


def _joint(join: Join, before: np.ndarray | None, after: np.ndarray, share: float, bar: float) -> np.ndarray:
    """Return a picture of a transition, ``share`` of the way; a wipe goes from bar to bar."""
    if join.kind == "fade":
        return _toned(after, join.tone, 1 - share)
    if join.kind == "wipe":
        edge = round((bar + share * (1 - 2 * bar)) * WIDTH)
        return np.concatenate([after[:, :edge], before[:, edge:]], axis=1)
    return cv2.addWeighted(before, 1 - share, after, share, 0)


def _toned(view: np.ndarray, tone: int, share: float) -> np.ndarray:
    """Return the view with ``share`` of it gone over to ``tone``."""
    return cv2.addWeighted(view, 1 - share, np.full_like(view, tone), share, 0)


def _barred(view: np.ndarray, bars: tuple[float, float]) -> np.ndarray:
    """Return the view with black bars at left and right, top and bottom, that are shares of its sides."""
    across, down = round(bars[0] * WIDTH), round(bars[1] * HEIGHT)
    if not across and not down:
        return view
    result = np.zeros_like(view)
    result[down : HEIGHT - down, across : WIDTH - across] = view[down : HEIGHT - down, across : WIDTH - across]
    return result
