"""What was read, as files of lines can hold it."""

from __future__ import annotations

import re


def one_line(text: str) -> str:
    """Return ``text`` on one line: white space, line ends too, as single spaces, control characters left out.

    What is no character (U+FFFE, U+FFFF, half a surrogate pair) becomes U+FFFD; XML and UTF-8 hold none of it.
    """
    return " ".join("".join(_kept(sign) for sign in text).split())


def lines_of(text: str) -> list[str]:
    """Return the lines of a file's text; they end where editors end them, unlike those of ``str.splitlines``."""
    return re.split(r"\r\n|\r|\n", text)


def _kept(sign: str) -> str:
    if sign.isspace():
        return " "
    if sign < " " or "\x7f" <= sign <= "\x9f":
        return ""
    return "\ufffd" if sign in "\ufffe\uffff" or "\ud800" <= sign <= "\udfff" else sign
