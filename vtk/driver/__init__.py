"""Stages over sources: inputs, decoding, grouping, pass-through, errors in band, the ledger, resume."""
