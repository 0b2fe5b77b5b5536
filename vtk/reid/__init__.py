"""Re-identification: who is who across videos, by what a track looks like and when it was seen."""
