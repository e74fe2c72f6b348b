"""One module per contestant, each with `prepare`, which compiles once and returns a reader."""
