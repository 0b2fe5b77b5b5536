"""Metrics: pure functions over arrays, without records and without torch."""
