"""PortOne's own client for Python takes the simulator for PortOne.

It reads every answer into a class of its own and refuses what does not fit one.
"""

import base64
import itertools
import unittest
import warnings

from portone_server_sdk import PortOneClient, common, errors, payment, webhook

from simulator import API_SECRET, WEBHOOK_SECRETS, Simulator, request


class ClientTest(unittest.TestCase):
    simulator: Simulator
    portone: PortOneClient
    numbers = itertools.count(1)

    @classmethod
    def setUpClass(cls) -> None:
        # The client has no way to close its connections.
        warnings.simplefilter("ignore", ResourceWarning)
        cls.simulator = Simulator()
        cls.addClassCleanup(cls.simulator.stop)
        cls.portone = PortOneClient(secret=API_SECRET, base_url=cls.simulator.url)

    def put(self, **spec: object) -> str:
        return self.simulator.put(f"payment-{next(self.numbers)}", **spec)

    def read(self, payment_id: str) -> payment.Payment:
        return self.portone.payment.get_payment(payment_id=payment_id)

    def test_a_payment_of_every_status_is_read_as_what_it_is(self) -> None:
        kinds = {
            "READY": payment.ReadyPayment,
            "PAY_PENDING": payment.PayPendingPayment,
            "VIRTUAL_ACCOUNT_ISSUED": payment.VirtualAccountIssuedPayment,
            "PAID": payment.PaidPayment,
            "PARTIAL_CANCELLED": payment.PartialCancelledPayment,
            "CANCELLED": payment.CancelledPayment,
            "FAILED": payment.FailedPayment,
        }
        for status, kind in kinds.items():
            with self.subTest(status):
                payment_id = self.put(status=status, totalAmount=3000)
                read = self.read(payment_id)
                self.assertIsInstance(read, kind)
                self.assertEqual(read.id, payment_id)
                self.assertEqual(read.amount.total, 3000)
                self.assertEqual(read.currency, "KRW")

    def test_a_payment_of_every_method_is_read_with_that_method(self) -> None:
        kinds = {
            "CARD": payment.PaymentMethodCard,
            "TRANSFER": payment.PaymentMethodTransfer,
            "VIRTUAL_ACCOUNT": payment.PaymentMethodVirtualAccount,
            "MOBILE": payment.PaymentMethodMobile,
            "EASY_PAY": payment.PaymentMethodEasyPay,
            "GIFT_CERTIFICATE": payment.PaymentMethodGiftCertificate,
        }
        for method, kind in kinds.items():
            with self.subTest(method):
                self.assertIsInstance(self.read(self.put(payMethod=method)).method, kind)

    def test_an_id_is_the_same_whatever_is_in_it(self) -> None:
        for payment_id in ["a b", "주문-1", "a/b?c#d", "100%", "a+b&c=d"]:
            with self.subTest(payment_id):
                self.assertEqual(self.read(self.simulator.put(payment_id)).id, payment_id)

    def test_a_payment_that_is_not_there_is_not_found(self) -> None:
        with self.assertRaises(errors.PaymentNotFoundError):
            self.read("nobody-paid-this")
        with self.assertRaises(errors.PaymentNotFoundError):
            self.portone.payment.cancel_payment(payment_id="nobody-paid-this", reason="변심")

    def test_a_wrong_secret_is_unauthorized(self) -> None:
        stranger = PortOneClient(secret="not-the-secret", base_url=self.simulator.url)
        payment_id = self.put()
        for call in [
            lambda: stranger.payment.get_payment(payment_id=payment_id),
            lambda: stranger.payment.get_payments(),
            lambda: stranger.payment.get_all_payments_by_cursor(),
            lambda: stranger.payment.pre_register_payment(payment_id="new", total_amount=1),
            lambda: stranger.payment.cancel_payment(payment_id=payment_id, reason="변심"),
            lambda: stranger.auth.login_via_api_secret(api_secret="not-the-secret"),
        ]:
            with self.assertRaises(errors.UnauthorizedError):
                call()
        self.assertIsInstance(self.read(payment_id), payment.PaidPayment)

    def test_a_store_of_somebody_else_is_forbidden(self) -> None:
        other = PortOneClient(secret=API_SECRET, base_url=self.simulator.url, store_id="store-of-somebody-else")
        with self.assertRaises(errors.ForbiddenError):
            other.payment.get_payment(payment_id=self.put())

    def cancel(self, payment_id: str, **more: object) -> payment.PaymentCancellation:
        return self.portone.payment.cancel_payment(payment_id=payment_id, reason="변심", **more).cancellation

    def test_a_payment_is_cancelled_in_whole(self) -> None:
        payment_id = self.put(totalAmount=3000)
        cancellation = self.cancel(payment_id)
        self.assertIsInstance(cancellation, payment.SucceededPaymentCancellation)
        self.assertEqual((cancellation.total_amount, cancellation.reason), (3000, "변심"))
        read = self.read(payment_id)
        self.assertIsInstance(read, payment.CancelledPayment)
        self.assertEqual([row.id for row in read.cancellations], [cancellation.id])

    def test_a_payment_is_cancelled_in_parts_to_the_end_and_no_further(self) -> None:
        payment_id = self.put(totalAmount=3000)
        self.cancel(payment_id, amount=1000, current_cancellable_amount=3000)
        self.assertIsInstance(self.read(payment_id), payment.PartialCancelledPayment)
        with self.assertRaises(errors.CancellableAmountConsistencyBrokenError):
            self.cancel(payment_id, amount=1000, current_cancellable_amount=3000)
        with self.assertRaises(errors.CancelAmountExceedsCancellableAmountError):
            self.cancel(payment_id, amount=2001)
        self.cancel(payment_id, amount=2000, current_cancellable_amount=2000)
        with self.assertRaises(errors.PaymentAlreadyCancelledError):
            self.cancel(payment_id, amount=1)
        read = self.read(payment_id)
        self.assertEqual([row.total_amount for row in read.cancellations], [1000, 2000])

    def test_a_cancellation_is_refused_as_portone_refuses_it(self) -> None:
        with self.assertRaises(errors.PaymentNotPaidError):
            self.cancel(self.put(status="VIRTUAL_ACCOUNT_ISSUED"))
        split = self.put(totalAmount=3000, taxFreeAmount=1000)
        with self.assertRaises(errors.SumOfPartsExceedsCancelAmountError):
            self.cancel(split, amount=100, tax_free_amount=90, vat_amount=20)
        with self.assertRaises(errors.CancelTaxFreeAmountExceedsCancellableTaxFreeAmountError):
            self.cancel(split, amount=1500, tax_free_amount=1001)
        with self.assertRaises(errors.CancelTaxAmountExceedsCancellableTaxAmountError):
            self.cancel(split, amount=2500)
        payment_id = self.put()
        self.simulator.cancel_mode(payment_id, "REFUSE_BY_PG")
        with self.assertRaises(errors.PgProviderError) as refused:
            self.cancel(payment_id)
        self.assertTrue(refused.exception.pg_code and refused.exception.pg_message)
        self.simulator.cancel_mode(payment_id, "FAIL_IN_BAND")
        self.assertIsInstance(self.cancel(payment_id), payment.FailedPaymentCancellation)
        self.assertIsInstance(self.read(payment_id), payment.PaidPayment)

    def test_a_cancellation_that_the_pg_decides_later_is_requested_and_can_be_stopped(self) -> None:
        payment_id = self.put()
        self.simulator.cancel_mode(payment_id, "ASYNC")
        requested = self.cancel(payment_id)
        self.assertIsInstance(requested, payment.RequestedPaymentCancellation)
        self.assertIsInstance(self.read(payment_id), payment.PaidPayment)
        stop = self.portone.payment.stop_payment_cancellation
        stop(payment_id=payment_id, cancellation_id=requested.id)
        with self.assertRaises(errors.PaymentCancellationNotPendingError):
            stop(payment_id=payment_id, cancellation_id=requested.id)

    def test_money_of_a_virtual_account_goes_back_to_an_account_only(self) -> None:
        payment_id = self.put(payMethod="VIRTUAL_ACCOUNT")
        with self.assertRaises(errors.PgProviderError):
            self.cancel(payment_id)
        account = payment.CancelPaymentBodyRefundAccount(bank="SHINHAN", number="110123456789", holder_name="홍길동")
        self.assertIsInstance(self.cancel(payment_id, refund_account=account), payment.SucceededPaymentCancellation)

    def test_a_virtual_account_that_waits_for_its_deposit_is_closed(self) -> None:
        payment_id = self.put(status="VIRTUAL_ACCOUNT_ISSUED")
        self.assertTrue(self.portone.payment.close_virtual_account(payment_id=payment_id).closed_at)
        with self.assertRaises(errors.PaymentNotWaitingForDepositError):
            self.portone.payment.close_virtual_account(payment_id=payment_id)

    def test_an_amount_is_registered_before_the_payment_and_no_more_after_it(self) -> None:
        register = self.portone.payment.pre_register_payment
        register(payment_id="to-come", total_amount=1000, currency="KRW")
        register(payment_id="to-come", total_amount=2000, currency="KRW")
        with self.assertRaises(errors.PaymentNotFoundError):
            self.read("to-come")
        with self.assertRaises(errors.AlreadyPaidError):
            register(payment_id=self.put(), total_amount=1000)

    def test_payments_are_listed_page_by_page_and_by_filter(self) -> None:
        ids = [self.put(currency="USD", requestedAt=f"2026-10-0{day}T00:00:00Z") for day in range(1, 6)]
        wanted = payment.PaymentFilterInput(
            currency="USD",
            from_="2026-09-01T00:00:00Z",
            until="2026-11-01T00:00:00Z",
            sort_by="REQUESTED_AT",
            sort_order="ASC",
        )
        listed = []
        for number in range(3):
            page = common.PageInput(number=number, size=2)
            answer = self.portone.payment.get_payments(page=page, filter=wanted)
            self.assertEqual(answer.page.total_count, 5)
            listed += [item.id for item in answer.items]
        self.assertEqual(listed, ids)

    def test_all_payments_are_walked_through_by_cursor(self) -> None:
        ids = {self.put(requestedAt="2026-10-20T00:00:00Z") for _ in range(4)}
        seen, cursor = [], None
        while True:
            items = self.portone.payment.get_all_payments_by_cursor(
                from_="2026-10-19T00:00:00Z", until="2026-10-21T00:00:00Z", size=3, cursor=cursor
            ).items
            if not items:
                break
            seen += [item.payment.id for item in items]
            cursor = items[-1].cursor
        self.assertEqual(len(seen), len(set(seen)))
        self.assertEqual(set(seen), ids)

    def test_money_that_moved_is_walked_through_by_cursor(self) -> None:
        payment_id = self.put(totalAmount=5000)
        self.cancel(payment_id, amount=2000)
        self.cancel(payment_id)
        items = self.portone.payment.get_all_payment_events_by_cursor(size=1000).items
        own = [item.payment_event for item in items if item.payment_event.payment_id == payment_id]
        self.assertEqual([event.event_amount for event in own], [5000, -2000, -3000])

    def test_the_attempts_of_a_payment_are_listed(self) -> None:
        payment_id = self.put(status="FAILED")
        items = self.portone.payment.get_payment_transactions(payment_id=payment_id).items
        self.assertEqual([type(item) for item in items], [payment.FailedPaymentTransaction])

    def test_an_access_token_is_given_for_the_secret_and_refreshed_once(self) -> None:
        tokens = self.portone.auth.login_via_api_secret(api_secret=API_SECRET)
        bearer = {"Authorization": f"Bearer {tokens.access_token}"}
        answer = request("GET", f"{self.simulator.url}/payments/{self.put()}", headers=bearer)
        self.assertEqual(answer.status, 200)
        self.portone.auth.refresh_token(refresh_token=tokens.refresh_token)
        with self.assertRaises(errors.UnauthorizedError):
            self.portone.auth.refresh_token(refresh_token=tokens.refresh_token)

    def test_a_delivery_is_verified_with_either_secret_and_says_what_happened(self) -> None:
        payment_id = self.put(status="READY")
        self.simulator.act(payment_id, "approve")
        delivery = self.simulator.delivered(payment_id)[0]
        for secret in WEBHOOK_SECRETS:
            event = webhook.verify(secret, delivery.body, delivery.headers)
            self.assertIsInstance(event, webhook.WebhookTransactionPaid)
            self.assertEqual(event.data.payment_id, payment_id)

    def test_a_delivery_of_another_secret_body_or_time_is_not_believed(self) -> None:
        payment_id = self.put(status="READY")
        self.simulator.act(payment_id, "decline")
        delivery = self.simulator.delivered(payment_id)[0]
        other = "whsec_" + base64.b64encode(b"another secret").decode()
        early = dict(delivery.headers)
        early["webhook-timestamp"] = str(int(early["webhook-timestamp"]) - 3600)
        for secret, body, headers, reason in [
            (other, delivery.body, delivery.headers, "NO_MATCHING_SIGNATURE"),
            (WEBHOOK_SECRETS[0], delivery.body + " ", delivery.headers, "NO_MATCHING_SIGNATURE"),
            (WEBHOOK_SECRETS[0], delivery.body, early, "TIMESTAMP_TOO_OLD"),
        ]:
            with self.assertRaises(webhook.WebhookVerificationError) as refused:
                webhook.verify(secret, body, headers)
            self.assertEqual(refused.exception.reason, reason)

    def test_every_event_of_a_payments_life_is_one_that_the_client_knows(self) -> None:
        payment_id = self.put(status="READY", payMethod="VIRTUAL_ACCOUNT", totalAmount=1000)
        for action, more in [
            ("issue", {}),
            ("deposit", {}),
            ("dispute", {}),
            ("resolve-dispute", {}),
            ("cancel", {"amount": 300}),
        ]:
            self.simulator.act(payment_id, action, **more)
        self.simulator.cancel_mode(payment_id, "ASYNC")
        self.simulator.act(payment_id, "cancel")
        self.simulator.act(payment_id, "approve-cancellation")
        deliveries = self.simulator.delivered(payment_id)
        kinds = {type(webhook.verify(WEBHOOK_SECRETS[1], it.body, it.headers)) for it in deliveries}
        self.assertEqual(
            kinds,
            {
                webhook.WebhookTransactionVirtualAccountIssued,
                webhook.WebhookTransactionPaid,
                webhook.WebhookTransactionDisputeCreated,
                webhook.WebhookTransactionDisputeResolved,
                webhook.WebhookTransactionCancelledPartialCancelled,
                webhook.WebhookTransactionCancelledCancelPending,
                webhook.WebhookTransactionCancelledCancelled,
            },
        )

    def test_a_webhook_is_sent_again_when_the_shop_asks_for_it(self) -> None:
        payment_id = self.put(status="READY")
        self.simulator.act(payment_id, "approve")
        first = self.simulator.delivered(payment_id)[0]
        self.portone.payment.resend_webhook(payment_id=payment_id)
        second = self.simulator.delivered(payment_id)[1]
        self.assertEqual((first.body, first.headers["webhook-id"]), (second.body, second.headers["webhook-id"]))


if __name__ == "__main__":
    unittest.main()
