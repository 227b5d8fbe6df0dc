"""What Schemathesis cannot know by itself: how requests are signed, and which orders and products there are.

Of the requests that are meant to be right, most are led to an order that exists, and a webhook's to a payment that
exists. One request in eight goes out without its signature or token.
"""

import base64
import hashlib
import hmac
import json
import os
import time
import zlib
from typing import Any
from urllib.parse import urlsplit

import requests
import schemathesis
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from schemathesis.core.parameters import ParameterLocation

WORLD = json.loads(os.environ["API_WORLD"])
TOKENS: dict[str, str] = WORLD["orders"]
ORDERS = list(TOKENS)
OPERATOR = Credentials("local", "local")
REGION = "ap-northeast-2"
# Whether the webhook about to be sent has headers that are meant to be wrong: signing it would mend them.
# One request is under way at a time.
wrong_headers = False


def chance(*facts: Any) -> int:
    """A number that only the request decides, so that the same seed asks the same."""
    return zlib.crc32(repr(facts).encode())


def is_operators(method: str | None, path: str) -> bool:
    """Whether the route has an authorizer."""
    by_order = path.endswith(("/cancel", "/journal", "/sync"))
    return by_order or path.startswith(("/findings", "/days")) or (method, path) == ("GET", "/orders")


class Signed(requests.auth.AuthBase):
    """Every request is signed as its route wants it."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        path = urlsplit(request.url or "").path
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        if chance(request.method, urlsplit(request.url or "")[2:4], body) % 8 == 0:
            return request
        if path.startswith("/webhooks/"):
            if not wrong_headers:
                self._as_portone(request, body)
        elif is_operators(request.method, path):
            self._as_operator(request, body)
        else:
            token = TOKENS.get(path.removeprefix("/orders/")) or self._token_of(body)
            if token:
                request.headers["Authorization"] = f"Bearer {token}"
        return request

    def _as_portone(self, request: requests.PreparedRequest, body: bytes) -> None:
        delivery, seconds = f"delivery-{chance(body)}", str(int(time.time()))
        key = base64.b64decode(WORLD["webhookSecret"].removeprefix("whsec_"))
        signature = hmac.new(key, f"{delivery}.{seconds}.".encode() + body, hashlib.sha256).digest()
        request.headers["webhook-id"] = delivery
        request.headers["webhook-timestamp"] = seconds
        request.headers["webhook-signature"] = f"v1,{base64.b64encode(signature).decode()}"

    def _as_operator(self, request: requests.PreparedRequest, body: bytes) -> None:
        # Only what SigV4 has to cover: the other headers are as Schemathesis made them.
        plain = AWSRequest(method=request.method, url=request.url, data=body)
        SigV4Auth(OPERATOR, "execute-api", REGION).add_auth(plain)
        for name in ("X-Amz-Date", "Authorization"):
            request.headers[name] = plain.headers[name]

    def _token_of(self, body: bytes) -> str:
        try:
            claim = json.loads(body)
            return TOKENS.get(claim.get("paymentId") or claim.get("merchant_uid") or "", "")
        except (ValueError, AttributeError, TypeError):
            return ""


schemathesis.auth.set_from_requests(Signed())


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Leads what is meant to be right to what is there."""
    global wrong_headers
    meta = case.meta
    if meta is None:
        return
    wrong_headers = meta.is_negative_at(ParameterLocation.HEADER)
    if not meta.generation.mode.is_positive:
        return
    number = chance(case.method, case.path, case.path_parameters, case.body)
    order = ORDERS[number % len(ORDERS)]
    parameters = case.path_parameters or {}
    if "orderId" in parameters and parameters["orderId"] not in TOKENS and number % 4:
        parameters["orderId"] = order
    if "finding" in parameters and number % 2:
        parameters["finding"] = WORLD["finding"]
    body = case.body
    if not isinstance(body, dict):
        return
    if case.path == "/orders":
        for item in body.get("items") or []:
            item["productId"] = WORLD["products"][number % len(WORLD["products"])]
        if number % 4:
            body.get("customer", {}).pop("email", None)
            body.get("customer", {}).pop("phone", None)
            body.pop("redirectUrl", None)
    elif case.path == "/payments/verify":
        for name in ("paymentId", "merchant_uid"):
            if name in body and number % 4:
                body[name] = order
    elif case.path.startswith("/webhooks/") and number % 2:
        body.update(type="Transaction.Paid", data={"paymentId": order, "totalAmount": 12_000})
        if case.path.endswith("/confirm"):
            body["type"] = "Transaction.Confirm"


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """An order that was made is known from then on."""
    if case.path == "/orders" and response.status_code == 201:
        made = response.json()
        TOKENS[made["orderId"]] = made["orderToken"]
