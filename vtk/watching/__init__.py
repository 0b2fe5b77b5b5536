"""Files that are worked on as they land in a folder."""
