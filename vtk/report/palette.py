"""Colours that tell things apart, for colour-blind eyes too, and stay the same from run to run."""

from __future__ import annotations

import zlib

Colour = tuple[int, int, int]

# RGB. Okabe and Ito, "Color Universal Design", 2008, without black, in an order that puts unlike ones side by side.
_BASE: tuple[Colour, ...] = ((86, 180, 233), (230, 159, 0), (0, 158, 115), (240, 228, 66), (213, 94, 0),
                             (204, 121, 167), (0, 114, 178))


def _mixed(colour: Colour, other: int, share: float) -> Colour:
    red, green, blue = (round(part + (other - part) * share) for part in colour)
    return red, green, blue


# Lightness tells apart what hue cannot: each hue again with white, then with black.
PALETTE: tuple[Colour, ...] = (*_BASE, *(_mixed(colour, 255, 0.5) for colour in _BASE),
                               *(_mixed(colour, 0, 0.4) for colour in _BASE))


# A track of which nothing is known, beside some that are: grey, which nothing of the palette is.
UNKNOWN: Colour = (160, 160, 160)


def colour_of(key: int | str) -> Colour:
    """Return the colour (r, g, b), 0 to 255, of a track's id or of a name; ids in a row differ most."""
    number = key - 1 if isinstance(key, int) else zlib.crc32(key.encode("utf-8", "surrogatepass"))
    return PALETTE[number % len(PALETTE)]


def colour_of_identity(identity: int | str) -> Colour:
    """Return the colour of who a track is: of a number, or of a name, the same wherever it comes up.

    Names that count up, p000017 and p000018, get unlike colours as numbers do.
    """
    if isinstance(identity, int):
        return colour_of(identity)
    stem = identity.rstrip("0123456789")
    digits = identity[len(stem):]
    number = int(digits[-9:]) if digits.isascii() and digits else 0
    return colour_of(zlib.crc32(stem.encode("utf-8", "surrogatepass")) + number)


def ink_on(colour: Colour) -> Colour:
    """Return black or white, whichever reads better on ``colour``.

    Source: relative luminance and contrast ratio of WCAG 2.2; 0.179 is where black and white contrast equally.
    """
    linear = [(part / 255) / 12.92 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in colour]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return (0, 0, 0) if luminance > 0.179 else (255, 255, 255)
