"""Array functions that know no video and no records, one folder per family."""
