"""A simulator of one's own, as a process, and a shop that takes its webhooks.

PORTONE_SIMULATOR says where the executable is, if not where `cargo build` puts it.
"""

import json
import os
import subprocess
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Optional
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[3]
EXECUTABLE = os.environ.get("PORTONE_SIMULATOR", str(ROOT / "target/local/debug/portone-simulator"))

API_SECRET = "an-api-secret-for-clients"
V1_KEY = "a-v1-key-for-clients"
V1_SECRET = "a-v1-secret-for-clients"
WEBHOOK_SECRETS = ["whsec_Zmlyc3Qgc2VjcmV0IG9mIHR3bw==", "whsec_c2Vjb25kIHNlY3JldCBvZiB0d28="]

# No proxy of the environment stands between this machine and itself, for the clients either.
os.environ["no_proxy"] = "127.0.0.1"
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass
class Answer:
    """What came back: the status, and the body as text."""

    status: int
    text: str

    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class Delivery:
    """A webhook that arrived: its headers with lower-case names, and its body as text."""

    headers: dict[str, str]
    body: str


def request(method: str, url: str, body: Any = None, headers: Optional[dict[str, str]] = None) -> Answer:
    """One HTTP call. A dict as body is sent as JSON, bytes as they are."""
    headers = dict(headers or {})
    data = body
    if body is not None and not isinstance(body, bytes):
        data = json.dumps(body).encode()
        headers.setdefault("Content-Type", "application/json")
    call = urllib.request.Request(url, data=data, headers=headers, method=method)
    try:
        with _OPENER.open(call, timeout=30) as response:
            return Answer(response.status, response.read().decode())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.read().decode())


class Simulator:
    """A running simulator. `webhooks` are those that arrived, oldest first."""

    def __init__(self) -> None:
        self.webhooks: list[Delivery] = []
        self._shop = ThreadingHTTPServer(("127.0.0.1", 0), self._receiver())
        threading.Thread(target=self._shop.serve_forever, daemon=True).start()
        arguments = [EXECUTABLE, "--port", "0", "--api-secret", API_SECRET]
        arguments += ["--webhook-url", f"http://127.0.0.1:{self._shop.server_address[1]}/"]
        arguments += ["--v1-key", V1_KEY, "--v1-secret", V1_SECRET]
        for secret in WEBHOOK_SECRETS:
            arguments += ["--webhook-secret", secret]
        try:
            self._process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        except OSError as error:
            raise RuntimeError(f"{error}. Build it with cargo, or set PORTONE_SIMULATOR.") from error
        self.url = self._ready()
        self.v1_url: str = self.control("GET", "overview")["v1Url"]

    def _receiver(self) -> type[BaseHTTPRequestHandler]:
        webhooks = self.webhooks

        class Receiver(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                headers = {name.lower(): value for name, value in self.headers.items()}
                webhooks.append(Delivery(headers, body))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Deliveries are looked at, not printed."""

        return Receiver

    def _ready(self) -> str:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("ready "):
                return line.split()[1].rstrip("/")
        raise RuntimeError(f"{EXECUTABLE} ended with {self._process.wait()} before it was ready")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._shop.shutdown()
        self._shop.server_close()

    # The control API.

    def control(self, method: str, at: str, body: Any = None) -> Any:
        answer = request(method, f"{self.url}/_simulator/{at}", body)
        if answer.status >= 400:
            raise AssertionError(f"{method} {at}: {answer.status} {answer.text}")
        return answer.json() if answer.text else None

    def put(self, payment_id: str, **spec: Any) -> str:
        """A payment in any state; answers its id."""
        self.control("PUT", f"payments/{quote(payment_id, safe='')}", spec)
        return payment_id

    def act(self, payment_id: str, action: str, **more: Any) -> None:
        self.control("POST", f"payments/{quote(payment_id, safe='')}/actions", {"action": action, **more})

    def cancel_mode(self, payment_id: str, mode: str) -> None:
        self.control("PUT", f"payments/{quote(payment_id, safe='')}/cancel-mode", {"mode": mode})

    def switch(self, **switches: Any) -> None:
        self.control("PATCH", "switches", switches)

    def open_v1(self, **params: Any) -> str:
        """`IMP.request_pay(params)` up to the open window; answers its `imp_uid`."""
        return self.control("POST", "v1/windows", {"params": params})["imp_uid"]

    def press_v1(self, imp_uid: str, button: str) -> Any:
        """A button of a V1 window; answers what the page's callback is called with."""
        return self.control("POST", f"v1/windows/{imp_uid}/press", {"button": button})

    def delivered(self, payment_id: str) -> list[Delivery]:
        """The webhooks about this payment, once nothing is due any more."""
        self.control("POST", "settle")
        return [delivery for delivery in self.webhooks if payment_id in delivery.body]
