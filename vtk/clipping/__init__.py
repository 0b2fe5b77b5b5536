"""Spans of records as cut media: which spans, what they are called, and how they are cut."""
