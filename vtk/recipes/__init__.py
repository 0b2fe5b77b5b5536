"""Pipes with their options in TOML files: read, changed, printed; three that come with the package."""
