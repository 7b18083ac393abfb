"""Gatehouse and its peer, measured in turn on the same machine."""
