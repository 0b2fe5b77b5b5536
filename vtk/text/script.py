"""The script that a text is written in, and the language where the script alone tells it."""

from __future__ import annotations

import unicodedata
from collections import Counter

# What the Unicode name of a letter begins with, and the code of ISO 15924 of its script.
SCRIPTS = {
    "LATIN": "Latn", "CYRILLIC": "Cyrl", "GREEK": "Grek", "ARABIC": "Arab", "HEBREW": "Hebr", "CJK": "Hani",
    "IDEOGRAPHIC": "Hani", "HIRAGANA": "Jpan", "KATAKANA": "Jpan", "KATAKANA-HIRAGANA": "Jpan", "HANGUL": "Kore",
    "BOPOMOFO": "Bopo", "THAI": "Thai", "LAO": "Laoo", "KHMER": "Khmr", "MYANMAR": "Mymr", "TIBETAN": "Tibt",
    "DEVANAGARI": "Deva", "BENGALI": "Beng", "GURMUKHI": "Guru", "GUJARATI": "Gujr", "ORIYA": "Orya", "TAMIL": "Taml",
    "TELUGU": "Telu", "KANNADA": "Knda", "MALAYALAM": "Mlym", "SINHALA": "Sinh", "ARMENIAN": "Armn",
    "GEORGIAN": "Geor", "ETHIOPIC": "Ethi", "MONGOLIAN": "Mong",
}  # fmt: skip
# Scripts in which today's signs are of one language, as BCP 47 calls it. Of Latin, Cyrillic, Arabic, Devanagari, Han
# and Bengali several are.
LANGUAGES = {
    "Jpan": "ja", "Kore": "ko", "Grek": "el", "Hebr": "he", "Thai": "th", "Laoo": "lo", "Khmr": "km", "Guru": "pa",
    "Gujr": "gu", "Orya": "or", "Taml": "ta", "Telu": "te", "Knda": "kn", "Mlym": "ml", "Sinh": "si", "Armn": "hy",
    "Geor": "ka",
}  # fmt: skip


def script_of(text: str) -> str | None:
    """Return the code of ISO 15924 of the script that most letters of ``text`` are of; None where it has none.

    Kana anywhere among Han makes it Japanese, Hangul makes it Korean: both write the two together. Of scripts with as
    many letters the one that comes first in the text is taken.
    """
    counts: Counter[str] = Counter()
    for letter in text:
        # Full-width and half-width forms are those letters, and ligatures their parts.
        for plain in unicodedata.normalize("NFKC", letter):
            if unicodedata.category(plain)[0] in "LM":
                words = unicodedata.name(plain, "").split(" ", 1)
                counts.update([SCRIPTS[words[0]]] if words[0] in SCRIPTS else [])
    for mixed in ("Jpan", "Kore"):
        if counts[mixed]:
            counts[mixed] += counts.pop("Hani", 0)
    known = +counts
    return max(known, key=known.__getitem__) if known else None


def language_of(script: str | None) -> str | None:
    """Return the language that a script of ISO 15924 stands for alone, a tag of BCP 47; None where it is of several."""
    return LANGUAGES.get(script or "")
