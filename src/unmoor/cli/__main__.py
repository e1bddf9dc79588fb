"""Run the command as ``python -m unmoor.cli``."""

from __future__ import annotations

import sys

from unmoor.cli import main

sys.exit(main())
