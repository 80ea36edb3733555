"""`python -m unroll_dsl` is `unroll`."""

import sys

from unroll_dsl.cli.main import main

sys.exit(main())
