"""Start the command line: `placet`, or `python -m api`."""

from __future__ import annotations

import gc


def main() -> None:
    """Run the command line, with fewer pauses for garbage: what is loaded is kept to the end."""
    gc.set_threshold(100_000)
    from api.cli import main as run

    run()


if __name__ == "__main__":
    main()
