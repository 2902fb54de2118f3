"""The same model, answering in a uniform 50 to 600 ms: 18 % of the requests take over 500 ms.

python uniform.py [--host 127.0.0.1] [--port 5000] [--seed N]
"""

import random

from serve import arguments, serve

FASTEST, SLOWEST = 0.050, 0.600


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--seed", type=int, default=None, help="repeat the same delays")
    given = parser.parse_args()
    dice = random.Random(given.seed)
    serve(given.host, given.port, lambda: dice.uniform(FASTEST, SLOWEST))


if __name__ == "__main__":
    main()
