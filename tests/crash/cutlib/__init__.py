"""Real power cuts: a file system of our own that is shut down under a working service."""
