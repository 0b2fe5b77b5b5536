"""Hides what records show in their media, and proves afterwards that it is hidden."""
