"""Every REST answer of the simulator is one that PortOne's schema describes."""

import sys
import unittest
from collections import Counter
from typing import Any, ClassVar, Optional
from urllib.parse import quote

from portone_schema import PLACE, Schema
from simulator import API_SECRET, Answer, Simulator, request

STATUSES = ["READY", "PAY_PENDING", "VIRTUAL_ACCOUNT_ISSUED", "PAID", "PARTIAL_CANCELLED", "CANCELLED", "FAILED"]
METHODS = ["CARD", "TRANSFER", "VIRTUAL_ACCOUNT", "MOBILE", "EASY_PAY", "GIFT_CERTIFICATE"]
# Only an account is issued, and no gift certificate goes back in parts.
IMPOSSIBLE = {("VIRTUAL_ACCOUNT_ISSUED", method) for method in METHODS if method != "VIRTUAL_ACCOUNT"}
IMPOSSIBLE.add(("PARTIAL_CANCELLED", "GIFT_CERTIFICATE"))

SCHEMA = Schema.load()
if SCHEMA is None:
    print(f"PortOne's schema is not at {PLACE}: the check of the simulator against it was left out.", file=sys.stderr)


@unittest.skipIf(SCHEMA is None, "PortOne's schema is not there")
class SchemaTest(unittest.TestCase):
    simulator: ClassVar[Simulator]
    seen: ClassVar[Counter[tuple[str, str]]] = Counter()

    @classmethod
    def setUpClass(cls) -> None:
        cls.simulator = Simulator()
        cls.addClassCleanup(cls.simulator.stop)

    @classmethod
    def tearDownClass(cls) -> None:
        operations = {operation for operation, _ in cls.seen}
        print(
            f"PortOne's schema: {sum(cls.seen.values())} answers of {len(operations)} operations, "
            f"{len(cls.seen)} kinds of answer",
            file=sys.stderr,
        )

    def setUp(self) -> None:
        self.simulator.control("POST", "reset")

    def call(self, method: str, path: str, status: int, kind: Optional[str] = None, **more: Any) -> Any:
        """One call, which has to be answered so, and whose answer has to be one of PortOne's."""
        headers = {"Authorization": f"PortOne {API_SECRET}", **more.pop("headers", {})}
        answer: Answer = request(method, self.simulator.url + path, more.pop("body", None), headers)
        body = answer.json()
        self.assertEqual((answer.status, body.get("type") if status >= 400 else None), (status, kind), answer.text)
        faults = SCHEMA.faults(method, path, answer.status, body)
        self.assertEqual(faults, [], f"{method} {path}: {answer.text}")
        self.seen[SCHEMA.operation(method, path), kind or body.get("status") or str(status)] += 1
        return body

    def cancel(self, payment_id: str, status: int, kind: Optional[str] = None, **body: Any) -> Any:
        return self.call("POST", f"/payments/{payment_id}/cancel", status, kind, body={"reason": "변심", **body})

    def test_payments_of_every_status_and_method(self) -> None:
        for status in STATUSES:
            for method in METHODS:
                if (status, method) in IMPOSSIBLE:
                    continue
                with self.subTest(status=status, method=method):
                    self.simulator.put("p", status=status, payMethod=method, taxFreeAmount=100, discount=10)
                    self.assertEqual(self.call("GET", "/payments/p", 200)["status"], status)
                    self.call("GET", "/payments/p/transactions", 200)

    def test_payments_with_all_that_may_be_in_them(self) -> None:
        customer = {"id": "u", "name": "홍길동", "email": "a@example.com", "phoneNumber": "01012345678", "zipcode": "04524"}
        for version in ["V1", "V2"]:
            for channel in ["LIVE", "TEST"]:
                self.simulator.put(
                    "p", version=version, channelType=channel, customer=customer, customData='{"a":1}', webhooks=True
                )
                self.simulator.act("p", "dispute")
                self.simulator.delivered("p")
                self.call("GET", "/payments/p", 200)
                self.simulator.act("p", "resolve-dispute")
                self.simulator.delivered("p")
                self.call("GET", "/payments/p", 200)
        self.simulator.switch(preRegisteredVisible=True)
        self.call("POST", "/payments/registered/pre-register", 200, body={"totalAmount": 1000, "currency": "KRW"})
        self.call("GET", "/payments/registered", 200)

    def test_every_way_a_webhook_ends_is_shown_in_its_payment(self) -> None:
        self.simulator.put("p", status="READY")
        self.simulator.control("PATCH", "webhooks/rules", {"failNextExecutions": 1})
        self.simulator.act("p", "approve")
        self.simulator.delivered("p")
        self.call("GET", "/payments/p", 200)
        self.simulator.control("PATCH", "webhooks/rules", {"hold": True})
        self.simulator.act("p", "cancel", amount=100)
        self.call("GET", "/payments/p", 200)

    def test_reading_is_refused_as_portone_refuses_it(self) -> None:
        self.simulator.put("p")
        stranger = {"Authorization": "PortOne nobody"}
        for path in ["/payments/p", "/payments", "/payments-by-cursor", "/payment-events-by-cursor", "/payments/p/transactions"]:
            self.call("GET", path, 401, "UNAUTHORIZED", headers=stranger)
        self.call("GET", "/payments/nobody", 404, "PAYMENT_NOT_FOUND")
        self.call("GET", "/payments/nobody/transactions", 404, "PAYMENT_NOT_FOUND")
        self.call("GET", "/payments/p?storeId=another", 403, "FORBIDDEN")
        self.call("GET", "/payments/p/transactions?storeId=another", 403, "FORBIDDEN")
        for path in ["/payments", "/payments-by-cursor", "/payment-events-by-cursor"]:
            self.call("GET", f"{path}?requestBody={quote('{')}", 400, "INVALID_REQUEST")

    def test_lists(self) -> None:
        for number, status in enumerate(STATUSES):
            self.simulator.put(f"p-{number}", status=status)
        self.call("GET", "/payments", 200)
        body = quote('{"page":{"number":0,"size":3},"filter":{"status":["PAID","PENDING"],"isTest":false}}')
        self.call("GET", f"/payments?requestBody={body}", 200)
        self.call("GET", "/payments", 200, body={"page": {"size": 100}})
        self.call("GET", "/payments", 400, "INVALID_REQUEST", body={"page": {"number": 60000, "size": 2}})
        self.call("GET", "/payments", 403, "FORBIDDEN", body={"filter": {"storeId": "another"}})
        for path in ["/payments-by-cursor", "/payment-events-by-cursor"]:
            items = self.call("GET", path, 200, body={"size": 2})["items"]
            self.call("GET", path, 200, body={"size": 1000, "cursor": items[-1]["cursor"]})
            self.call("GET", path, 400, "INVALID_REQUEST", body={"size": 1001})
            self.call("GET", path, 400, "INVALID_REQUEST", body={"cursor": "nonsense"})
            self.call("GET", path, 403, "FORBIDDEN", body={"storeId": "another"})

    def test_cancellations_of_every_kind(self) -> None:
        put = self.simulator.put
        put("whole")
        self.cancel("whole", 200)
        self.cancel("whole", 409, "PAYMENT_ALREADY_CANCELLED")
        put("parts", totalAmount=3000, taxFreeAmount=1000)
        self.cancel("parts", 200, amount=500, taxFreeAmount=100, currentCancellableAmount=3000, requester="CUSTOMER")
        self.cancel("parts", 409, "CANCELLABLE_AMOUNT_CONSISTENCY_BROKEN", amount=1, currentCancellableAmount=3000)
        self.cancel("parts", 409, "CANCEL_AMOUNT_EXCEEDS_CANCELLABLE_AMOUNT", amount=2501)
        self.cancel("parts", 409, "SUM_OF_PARTS_EXCEEDS_CANCEL_AMOUNT", amount=10, taxFreeAmount=9, vatAmount=2)
        self.cancel("parts", 409, "CANCEL_TAX_FREE_AMOUNT_EXCEEDS_CANCELLABLE_TAX_FREE_AMOUNT", amount=1000, taxFreeAmount=901)
        self.cancel("parts", 409, "CANCEL_TAX_AMOUNT_EXCEEDS_CANCELLABLE_TAX_AMOUNT", amount=2400)
        put("ready", status="READY")
        self.cancel("ready", 409, "PAYMENT_NOT_PAID")
        self.cancel("nobody", 404, "PAYMENT_NOT_FOUND")
        self.cancel("parts", 403, "FORBIDDEN", storeId="another")
        self.call("POST", "/payments/parts/cancel", 400, "INVALID_REQUEST", body={})
        self.call("POST", "/payments/parts/cancel", 400, "INVALID_REQUEST", body=b"{")
        self.call("POST", "/payments/parts/cancel", 401, "UNAUTHORIZED", body={"reason": "r"}, headers={"Authorization": "x"})
        for mode, status, kind in [("ASYNC", 200, None), ("FAIL_IN_BAND", 200, None), ("REFUSE_BY_PG", 502, "PG_PROVIDER")]:
            put(mode)
            self.simulator.cancel_mode(mode, mode)
            self.cancel(mode, status, kind)
            self.call("GET", f"/payments/{mode}", 200)
        self.simulator.switch(cancelCap=1)
        put("capped")
        self.cancel("capped", 200, amount=1)
        self.cancel("capped", 502, "PG_PROVIDER", amount=1)

    def test_stopping_a_cancellation(self) -> None:
        self.simulator.put("p")
        self.simulator.cancel_mode("p", "ASYNC")
        cancellation = self.cancel("p", 200)["cancellation"]["id"]
        stop = f"/payments/p/cancellations/{cancellation}/stop"
        self.call("POST", "/payments/p/cancellations/none/stop", 404, "PAYMENT_CANCELLATION_NOT_FOUND", body={})
        self.call("POST", f"/payments/nobody/cancellations/{cancellation}/stop", 404, "PAYMENT_NOT_FOUND", body={})
        self.call("POST", stop, 403, "FORBIDDEN", body={"storeId": "another"})
        self.call("POST", stop, 200, body={})
        self.call("POST", stop, 409, "PAYMENT_CANCELLATION_NOT_PENDING", body={})

    def test_pre_registration(self) -> None:
        self.call("POST", "/payments/new/pre-register", 200, body={"totalAmount": 1000, "taxFreeAmount": 0, "currency": "KRW"})
        self.call("POST", "/payments/new/pre-register", 200, body={})
        self.call("POST", "/payments/new/pre-register", 400, "INVALID_REQUEST", body={"totalAmount": "1000"})
        self.call("POST", "/payments/new/pre-register", 403, "FORBIDDEN", body={"storeId": "another"})
        self.simulator.put("paid")
        self.call("POST", "/payments/paid/pre-register", 409, "ALREADY_PAID", body={"totalAmount": 1})

    def test_closing_a_virtual_account(self) -> None:
        self.simulator.put("p", status="VIRTUAL_ACCOUNT_ISSUED")
        self.call("POST", "/payments/p/virtual-account/close?storeId=another", 403, "FORBIDDEN")
        self.call("POST", "/payments/p/virtual-account/close", 200)
        self.call("POST", "/payments/p/virtual-account/close", 409, "PAYMENT_NOT_WAITING_FOR_DEPOSIT")
        self.call("POST", "/payments/nobody/virtual-account/close", 404, "PAYMENT_NOT_FOUND")
        for closed in ["FAILED", "CANCELLED"]:
            self.simulator.switch(closedAccountStatus=closed)
            self.simulator.put("p", status="VIRTUAL_ACCOUNT_ISSUED")
            self.call("POST", "/payments/p/virtual-account/close", 200)
            self.call("GET", "/payments/p", 200)

    def test_resending_a_webhook(self) -> None:
        self.simulator.put("p", status="READY")
        self.call("POST", "/payments/p/resend-webhook", 404, "WEBHOOK_NOT_FOUND", body={})
        self.simulator.act("p", "approve")
        self.simulator.delivered("p")
        webhook = self.call("POST", "/payments/p/resend-webhook", 200, body={})["webhook"]["id"]
        self.call("POST", "/payments/p/resend-webhook", 200, body={"webhookId": webhook})
        self.call("POST", "/payments/p/resend-webhook", 404, "WEBHOOK_NOT_FOUND", body={"webhookId": "none"})
        self.call("POST", "/payments/nobody/resend-webhook", 404, "PAYMENT_NOT_FOUND", body={})
        self.simulator.switch(webhookMaxResends=2)
        self.call("POST", "/payments/p/resend-webhook", 400, "MAX_WEBHOOK_RETRY_COUNT_REACHED", body={})

    def test_signing_in(self) -> None:
        tokens = self.call("POST", "/login/api-secret", 200, body={"apiSecret": API_SECRET})
        self.call("POST", "/login/api-secret", 401, "UNAUTHORIZED", body={"apiSecret": "nobody"})
        self.call("POST", "/login/api-secret", 400, "INVALID_REQUEST", body={})
        self.call("POST", "/token/refresh", 200, body={"refreshToken": tokens["refreshToken"]})
        self.call("POST", "/token/refresh", 401, "UNAUTHORIZED", body={"refreshToken": tokens["refreshToken"]})
        self.call("POST", "/token/refresh", 400, "INVALID_REQUEST", body={})

    def test_confirming_is_refused_as_portone_refuses_it(self) -> None:
        self.simulator.put("paid")
        self.call("POST", "/payments/paid/confirm", 409, "ALREADY_PAID", body={"paymentToken": "t"})
        self.simulator.put("ready", status="READY")
        self.call("POST", "/payments/ready/confirm", 400, "INVALID_PAYMENT_TOKEN", body={"paymentToken": "t"})
        self.call("POST", "/payments/nobody/confirm", 404, "PAYMENT_NOT_FOUND", body={"paymentToken": "t"})
        self.call("POST", "/payments/ready/confirm", 400, "INVALID_REQUEST", body={})

    def test_idempotency_keys(self) -> None:
        self.simulator.put("p", totalAmount=3000)
        key = {"Idempotency-Key": '"a-key-of-sixteen-characters"'}
        body = {"reason": "변심", "amount": 1000}
        first = self.call("POST", "/payments/p/cancel", 200, body=body, headers=key)
        self.assertEqual(self.call("POST", "/payments/p/cancel", 200, body=body, headers=key), first)
        self.call("POST", "/payments/p/cancel", 400, "INVALID_REQUEST", body={**body, "amount": 1}, headers=key)
        for malformed in ['"short"', "a-key-without-any-quotes"]:
            self.call("POST", "/payments/p/cancel", 400, "INVALID_REQUEST", body=body, headers={"Idempotency-Key": malformed})
        self.assertEqual(self.call("GET", "/payments/p", 200)["amount"]["cancelled"], 1000)


if __name__ == "__main__":
    unittest.main()
