"""The workbench in a real browser: what an officer sees, types, hears and keeps."""
