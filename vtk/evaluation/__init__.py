"""Evaluation: ground truth and results gathered from files and records, matched, scored and set in tables."""
