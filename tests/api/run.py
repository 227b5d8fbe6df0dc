"""Schemathesis against the whole local system: no 5xx, and no answer that docs/openapi.json does not describe.

    python tests/api/run.py [SEED]
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from system import ROOT, System, call

HERE = Path(__file__).resolve().parent
SEED = 20_261_123
EXAMPLES = 25


def main() -> int:
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else SEED
    schemathesis = Path(sys.executable).with_name("schemathesis")
    with System() as system:
        products = call("GET", f"{system.url}/products")["products"]
        orders = system.orders()
        changed, finding = system.finding()
        orders[changed["orderId"]] = changed["orderToken"]
        world = {
            "orders": orders,
            "finding": finding,
            "products": [product["productId"] for product in products if product["available"]],
            "webhookSecret": system.webhook_secret,
        }
        environment = {**os.environ, "API_WORLD": json.dumps(world), "SCHEMATHESIS_HOOKS": "hooks"}
        environment |= {"PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}
        words = ["--config-file", HERE / "schemathesis.toml", "run", ROOT / "docs/openapi.json", "--url", system.url]
        words += ["--seed", seed, "--max-examples", EXAMPLES, "--generation-database", "none", "--workers", "1"]
        words += ["--continue-on-failure", "--no-color"]
        print(f"seed {seed}", flush=True)
        # In a folder that is new each time: what an earlier run kept there would change what this one asks.
        outcome = subprocess.run([str(schemathesis), *map(str, words)], cwd=system.folder, env=environment, check=False)
        if outcome.returncode:
            print(f"again: python tests/api/run.py {seed}\n{system.said()[-2000:]}", file=sys.stderr)
        return outcome.returncode


if __name__ == "__main__":
    sys.exit(main())
