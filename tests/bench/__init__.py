"""Speed, measured side by side on this machine; prints figures and never asserts times."""
