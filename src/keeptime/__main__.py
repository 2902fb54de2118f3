"""`python -m keeptime` is the same as `keeptime`."""

import sys

from keeptime.cli.main import main

sys.exit(main())
