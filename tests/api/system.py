"""The whole local system on free ports, with orders in it that stand where orders can stand.

LOCAL_STACK and FUNCTIONS_DIR say where the programs are, if not where cargo puts them.
"""

import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Iterator, Optional

ROOT = Path(__file__).resolve().parents[2]
LOCAL_STACK = os.environ.get("LOCAL_STACK", str(ROOT / "target/local/debug/local-stack"))
FUNCTIONS_DIR = os.environ.get("FUNCTIONS_DIR", str(ROOT / "target/debug"))
# The system takes its base port and the ones after it.
PORTS = 10
PRODUCT = "hanji-notebook"

# No proxy of the environment stands between this machine and itself.
os.environ["no_proxy"] = "127.0.0.1"
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _free_ports() -> int:
    candidates: Iterator[int] = iter(range(21_000 + os.getpid() % 4_000, 32_000, PORTS))
    return next(port for port in candidates if all(_is_free(port + n) for n in range(PORTS)))


def call(method: str, url: str, body: Any = None, headers: Optional[dict[str, str]] = None) -> Any:
    """One HTTP call that has to succeed."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json", **(headers or {})}
    request = urllib.request.Request(url, data=data, headers=headers, method=method)
    with _OPENER.open(request, timeout=60) as response:
        return json.loads(response.read() or b"null")


class System:
    """`with System() as system:` starts it and stops it."""

    def __enter__(self) -> "System":
        self._data = tempfile.TemporaryDirectory(prefix="api-tests-")
        self.folder = self._data.name
        self._log = open(Path(self._data.name) / "log.txt", "w+", encoding="utf-8")
        words = ["--port", str(_free_ports()), "--data", self._data.name, "--root", str(ROOT)]
        words += ["--functions", FUNCTIONS_DIR]
        self._process = subprocess.Popen([LOCAL_STACK, *words], stdout=subprocess.PIPE, stderr=self._log, text=True)
        assert self._process.stdout is not None
        ready = next((line for line in self._process.stdout if line.startswith("ready ")), None)
        if ready is None:
            raise RuntimeError(f"{LOCAL_STACK} ended before it was ready:\n{self.said()[-4000:]}")
        self.url = ready.split()[1].rstrip("/")
        self.simulator = re.search(r"PortOne console\s+(\S+)/console", self.said())[1]
        secret = json.loads((Path(self._data.name) / "secret.json").read_text(encoding="utf-8"))
        self.webhook_secret: str = secret["v2WebhookSecrets"][0]
        return self

    def __exit__(self, *_: Any) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(20)
        self._log.close()
        self._data.cleanup()

    def said(self) -> str:
        self._log.flush()
        return Path(self._log.name).read_text(encoding="utf-8")

    def order(self, **wanted: Any) -> dict[str, Any]:
        """A new order."""
        body = {"items": [{"productId": PRODUCT, "quantity": 1}], "customer": {"name": "홍길동"}, **wanted}
        return call("POST", f"{self.url}/orders", body)

    def pay(self, order: dict[str, Any], **spec: Any) -> None:
        """PortOne has a payment of the order, and this backend has seen it."""
        window = order["payment"]
        spec = {"totalAmount": window["totalAmount"], "channelKey": window["channelKey"], **spec}
        call("PUT", f"{self.simulator}/_simulator/payments/{order['orderId']}", spec)
        try:
            call("POST", f"{self.url}/payments/verify", {"paymentId": order["orderId"]})
        except urllib.error.HTTPError as error:
            # The first look at a payment that does not match.
            assert error.code == 409, error.read()

    def orders(self) -> dict[str, str]:
        """Orders where orders can stand, and their tokens."""
        kinds: list[tuple[dict[str, Any], Optional[dict[str, Any]]]] = [
            ({}, None),
            ({"sdk": "v1"}, None),
            ({}, {"status": "PAID"}),
            ({}, {"status": "PAID"}),
            ({}, {"status": "PARTIAL_CANCELLED"}),
            ({}, {"status": "CANCELLED"}),
            ({}, {"status": "FAILED"}),
            ({}, {"status": "PAID", "totalAmount": 1}),
            ({"payMethod": "VIRTUAL_ACCOUNT"}, {"status": "VIRTUAL_ACCOUNT_ISSUED"}),
            ({"payMethod": "VIRTUAL_ACCOUNT"}, {"status": "PAID", "payMethod": "VIRTUAL_ACCOUNT"}),
        ]
        made = {}
        for wanted, payment in kinds:
            order = self.order(**wanted)
            made[order["orderId"]] = order["orderToken"]
            if payment is not None:
                self.pay(order, **payment)
        return made

    def finding(self) -> tuple[dict[str, Any], str]:
        """An order whose payment changed after it was paid, and the id of what is found about it."""
        order = self.order()
        self.pay(order)
        self.pay(order, totalAmount=1)
        return order, f"PAYMENT_CHANGED~{order['orderId']}"
