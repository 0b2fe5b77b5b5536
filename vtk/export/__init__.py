"""Formats of other tools, out of records and back into them."""
