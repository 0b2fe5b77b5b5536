"""Copied spans: which seconds of which video are in another, and how they were changed."""
