"""The V1 client of its day takes the simulator for `https://api.iamport.kr`.

The host is an option of its own, so that it runs here exactly as it was published. It asks for a token before
every call and sends it bare, and hands on V1's JSON as it comes. What it has for listing by status, `find_by_status`,
raises a TypeError before it calls anything; Node's client lists.
"""

import itertools
import time
import unittest
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any

from iamport import Iamport

from simulator import V1_KEY, V1_SECRET, Simulator


def client_of(simulator: Simulator, key: str = V1_KEY, secret: str = V1_SECRET) -> Iamport:
    return Iamport(imp_key=key, imp_secret=secret, imp_url=f"{simulator.v1_url}/")


class V1Test(unittest.TestCase):
    """A simulator with a client, and the two ways in which that client says no."""

    simulator: Simulator
    client: Iamport
    numbers = itertools.count(1)

    def order_number(self) -> str:
        return f"order-{next(self.numbers)}"

    def put(self, **spec: object) -> tuple[str, str]:
        """A payment in this state; answers its `imp_uid` and `merchant_uid`."""
        number = next(self.numbers)
        merchant_uid, imp_uid = f"order-{number}", f"imp_{number:012}"
        self.simulator.put(merchant_uid, **{"version": "V1", "transactionId": imp_uid, **spec})
        return imp_uid, merchant_uid

    @contextmanager
    def failed(self, status: int) -> Iterator[None]:
        """An HTTP status other than 200: the client's `HttpError`."""
        with self.assertRaises(Iamport.HttpError) as raised:
            yield
        self.assertEqual(raised.exception.code, status)

    @contextmanager
    def refused(self) -> Iterator[None]:
        """HTTP 200 with a `code` other than 0: the client's `ResponseError`."""
        with self.assertRaises(Iamport.ResponseError) as raised:
            yield
        self.assertEqual(raised.exception.code, 1)
        self.assertTrue(raised.exception.message)


class V1ClientTest(V1Test):
    @classmethod
    def setUpClass(cls) -> None:
        # The client has no way to close its connections.
        warnings.simplefilter("ignore", ResourceWarning)
        cls.simulator = Simulator()
        cls.addClassCleanup(cls.simulator.stop)
        cls.client = client_of(cls.simulator)

    def test_what_was_paid_in_the_window_is_read_by_its_imp_uid(self) -> None:
        merchant_uid = self.order_number()
        imp_uid = self.simulator.open_v1(
            merchant_uid=merchant_uid, amount=3000, name="신발", buyer_name="홍길동", custom_data={"size": 270}
        )
        opened = self.client.find(imp_uid=imp_uid)
        moments = ("paid_at", "failed_at", "cancelled_at")
        self.assertEqual((opened["status"], *(opened[at] for at in moments)), ("ready", 0, 0, 0))
        self.assertFalse(self.client.is_paid(3000, imp_uid=imp_uid))

        self.simulator.press_v1(imp_uid, "pay")
        paid = self.client.find(imp_uid=imp_uid)
        expected = {
            "imp_uid": imp_uid,
            "merchant_uid": merchant_uid,
            "status": "paid",
            "amount": 3000,
            "cancel_amount": 0,
            "currency": "KRW",
            "pay_method": "card",
            "name": "신발",
            "buyer_name": "홍길동",
            "custom_data": '{"size":270}',
            "failed_at": 0,
            "cancelled_at": 0,
        }
        self.assertEqual({name: paid[name] for name in expected}, expected)
        self.assertLess(abs(paid["paid_at"] - time.time()), 60)
        self.assertTrue(self.client.is_paid(3000, imp_uid=imp_uid))
        self.assertFalse(self.client.is_paid(3001, imp_uid=imp_uid))

    def test_a_payment_of_every_state_has_one_of_the_four_statuses_and_the_moment_that_goes_with_it(self) -> None:
        states: dict[str, tuple[str, set[str]]] = {
            "READY": ("ready", set()),
            "VIRTUAL_ACCOUNT_ISSUED": ("ready", set()),
            "PAID": ("paid", {"paid_at"}),
            "FAILED": ("failed", {"failed_at"}),
            "CANCELLED": ("cancelled", {"paid_at", "cancelled_at"}),
        }
        changed_at = datetime(2026, 10, 1, tzinfo=timezone.utc)
        for status, (word, moments) in states.items():
            with self.subTest(status):
                at = changed_at.isoformat()
                imp_uid, _ = self.put(status=status, requestedAt=at, changedAt=at)
                shown = self.client.find(imp_uid=imp_uid)
                self.assertEqual(shown["status"], word)
                for moment in ("paid_at", "failed_at", "cancelled_at"):
                    expected = int(changed_at.timestamp()) if moment in moments else 0
                    self.assertEqual(shown[moment], expected, moment)

    def test_of_several_attempts_at_one_order_the_newest_is_found(self) -> None:
        merchant_uid = self.order_number()
        declined = self.simulator.open_v1(merchant_uid=merchant_uid, amount=1000)
        self.simulator.press_v1(declined, "decline")
        self.assertEqual(self.client.find(merchant_uid=merchant_uid)["imp_uid"], declined)
        paid = self.simulator.open_v1(merchant_uid=merchant_uid, amount=1000)
        self.simulator.press_v1(paid, "pay")
        self.assertEqual(self.client.find(merchant_uid=merchant_uid)["imp_uid"], paid)
        self.assertEqual(self.client.find(imp_uid=declined)["status"], "failed")

    def test_a_payment_that_is_not_there_is_404_and_one_of_a_test_channel_is_not_there(self) -> None:
        for call in [
            lambda: self.client.find(imp_uid="imp_0"),
            lambda: self.client.find(merchant_uid="nobody-ordered-this"),
            lambda: self.client.is_paid(1000, imp_uid="imp_0"),
            lambda: self.client.find(imp_uid=self.put(channelType="TEST")[0]),
            lambda: self.client.find(imp_uid=self.put(version="V2")[0]),
        ]:
            with self.failed(404):
                call()

    def test_a_window_opens_for_the_registered_amount_and_for_no_other(self) -> None:
        merchant_uid = self.order_number()
        registered = self.client.prepare(merchant_uid, 12000)
        self.assertEqual((registered["merchant_uid"], registered["amount"]), (merchant_uid, 12000))
        self.assertTrue(self.client.prepare_validate(merchant_uid, 12000))
        self.assertFalse(self.client.prepare_validate(merchant_uid, 11999))
        with self.assertRaisesRegex(AssertionError, r': 409 \{.*"imp_uid":null'):
            self.simulator.open_v1(merchant_uid=merchant_uid, amount=11999)
        self.assertRegex(self.simulator.open_v1(merchant_uid=merchant_uid, amount=12000), r"^imp_\d+$")

    def test_an_amount_that_was_never_registered_or_is_registered_again_is_refused(self) -> None:
        with self.refused():
            self.client.prepare_validate("nobody-ordered-this", 12000)
        # What V1 says to a second registration is not stated; this is what the simulator does unless told otherwise.
        merchant_uid = self.order_number()
        self.client.prepare(merchant_uid, 12000)
        with self.refused():
            self.client.prepare(merchant_uid, 1)
        self.assertTrue(self.client.prepare_validate(merchant_uid, 12000))

    def test_without_an_amount_and_with_an_amount_of_0_everything_goes_back(self) -> None:
        for more in [{}, {"amount": 0}]:
            with self.subTest(more):
                imp_uid, _ = self.put(totalAmount=3000)
                cancelled = self.client.cancel("변심", imp_uid=imp_uid, **more)
                self.assertEqual((cancelled["status"], cancelled["cancel_amount"]), ("cancelled", 3000))
                history = [(row["amount"], row["reason"]) for row in cancelled["cancel_history"]]
                self.assertEqual(history, [(3000, "변심")])
                with self.refused():
                    self.client.cancel("변심", imp_uid=imp_uid, **more)
                self.assertEqual(self.client.find(imp_uid=imp_uid)["cancel_amount"], 3000)

    def test_parts_go_back_as_long_as_the_checksum_is_what_is_left_and_the_amount_is_no_more(self) -> None:
        imp_uid, _ = self.put(totalAmount=3000)

        def cancel(**more: int) -> Any:
            return self.client.cancel("변심", imp_uid=imp_uid, **more)

        self.assertEqual(cancel(amount=1000, checksum=3000)["cancel_amount"], 1000)
        for wrong in [{"amount": 1000, "checksum": 3000}, {"amount": 2001, "checksum": 2000}, {"amount": 2001}]:
            with self.subTest(wrong), self.refused():
                cancel(**wrong)
        self.assertEqual(self.client.find(imp_uid=imp_uid)["cancel_amount"], 1000)
        self.assertEqual(cancel(amount=2000, checksum=2000)["status"], "cancelled")
        history = self.client.find(imp_uid=imp_uid)["cancel_history"]
        self.assertEqual([row["amount"] for row in history], [1000, 2000])

    def test_a_cancellation_goes_by_merchant_uid_but_a_wrong_imp_uid_is_not_mended_by_a_good_one(self) -> None:
        imp_uid, merchant_uid = self.put()
        with self.refused():
            self.client.cancel_by_imp_uid("imp_0", "변심", merchant_uid=merchant_uid)
        with self.refused():
            self.client.cancel("변심", merchant_uid="nobody-ordered-this")
        cancelled = self.client.cancel("변심", merchant_uid=merchant_uid)
        self.assertEqual((cancelled["imp_uid"], cancelled["status"]), (imp_uid, "cancelled"))

    def test_what_the_pg_refuses_is_refused_and_nothing_goes_back(self) -> None:
        imp_uid, merchant_uid = self.put()
        self.simulator.cancel_mode(merchant_uid, "REFUSE_BY_PG")
        with self.refused():
            self.client.cancel("변심", imp_uid=imp_uid)
        self.assertTrue(self.client.is_paid(1000, imp_uid=imp_uid))

    def test_a_cancellation_whose_answer_was_lost_is_not_done_twice_if_its_checksum_is_repeated(self) -> None:
        imp_uid, merchant_uid = self.put(totalAmount=3000)
        self.simulator.cancel_mode(merchant_uid, "EFFECT_THEN_DROP")
        # An OSError is what its HTTP library makes of a connection that broke; the client has no error for it.
        with self.assertRaises(OSError):
            self.client.cancel("변심", imp_uid=imp_uid, amount=1000, checksum=3000)
        with self.refused():
            self.client.cancel("변심", imp_uid=imp_uid, amount=1000, checksum=3000)
        history = self.client.find(imp_uid=imp_uid)["cancel_history"]
        self.assertEqual([row["amount"] for row in history], [1000])

    def test_a_virtual_account_is_ready_until_its_deposit_is_seen(self) -> None:
        merchant_uid = self.order_number()
        imp_uid = self.simulator.open_v1(merchant_uid=merchant_uid, amount=1000, pay_method="vbank")
        self.simulator.press_v1(imp_uid, "issue")
        issued = self.client.find(imp_uid=imp_uid)
        self.assertEqual((issued["status"], issued["pay_method"], issued["paid_at"]), ("ready", "vbank", 0))
        self.assertRegex(issued["vbank_num"], r"^\d+$")
        self.assertGreater(issued["vbank_date"], issued["vbank_issued_at"])
        self.assertFalse(self.client.is_paid(1000, merchant_uid=merchant_uid))

        self.simulator.act(merchant_uid, "deposit")
        self.assertTrue(self.client.is_paid(1000, merchant_uid=merchant_uid))

    def test_money_of_a_virtual_account_goes_back_to_an_account_only(self) -> None:
        imp_uid, _ = self.put(payMethod="VIRTUAL_ACCOUNT")
        with self.refused():
            self.client.cancel("변심", imp_uid=imp_uid)
        account = {"refund_holder": "홍길동", "refund_bank": "88", "refund_account": "110123456789"}
        self.assertEqual(self.client.cancel("변심", imp_uid=imp_uid, **account)["status"], "cancelled")

    def test_a_virtual_account_that_waits_for_its_deposit_is_revoked_into_failed_and_only_once(self) -> None:
        imp_uid, _ = self.put(status="VIRTUAL_ACCOUNT_ISSUED")
        self.assertEqual(self.client.revoke_vbank_by_imp_uid(imp_uid)["status"], "failed")
        with self.failed(400):
            self.client.revoke_vbank_by_imp_uid(imp_uid)
        with self.failed(404):
            self.client.revoke_vbank_by_imp_uid("imp_0")

    def test_a_wrong_key_pair_is_401_everywhere_and_does_nothing(self) -> None:
        imp_uid, merchant_uid = self.put()
        for keys in [{"key": "not-the-key"}, {"secret": "not-the-secret"}]:
            stranger = client_of(self.simulator, **keys)
            for call in [
                lambda: stranger.find(imp_uid=imp_uid),
                lambda: stranger.find(merchant_uid=merchant_uid),
                lambda: stranger.cancel("변심", imp_uid=imp_uid),
                lambda: stranger.prepare("new", 1),
            ]:
                with self.subTest(keys), self.failed(401):
                    call()
        self.assertTrue(self.client.is_paid(1000, imp_uid=imp_uid))


class V1TokenTest(V1Test):
    """Each test turns the clock of a simulator of its own."""

    def setUp(self) -> None:
        warnings.simplefilter("ignore", ResourceWarning)
        self.simulator = Simulator()
        self.addCleanup(self.simulator.stop)
        self.client = client_of(self.simulator)

    def token_after(self, minutes: float) -> str:
        """The token that the client goes on with when this much more time has passed."""
        self.simulator.control("POST", "clock", {"advanceMs": int(minutes * 60_000)})
        return self.client.get_headers()["Authorization"]

    def test_a_token_is_asked_for_before_every_call_and_is_the_same_one(self) -> None:
        imp_uid, _ = self.put()
        first = self.token_after(0)
        self.simulator.control("DELETE", "calls")
        for _ in range(2):
            self.assertTrue(self.client.is_paid(1000, imp_uid=imp_uid))
        paths = [call["path"] for call in self.simulator.control("GET", "calls")]
        self.assertEqual(paths, ["/users/getToken", f"/payments/{imp_uid}"] * 2)
        self.assertEqual(self.token_after(0), first)

    def test_a_token_grows_by_five_minutes_in_its_last_one_and_is_another_after_its_end(self) -> None:
        imp_uid, _ = self.put()
        first = self.token_after(0)
        self.assertEqual(self.token_after(28), first)
        self.assertEqual(self.token_after(1.5), first)
        self.assertEqual(self.token_after(4), first)
        self.assertNotEqual(self.token_after(2), first)
        self.assertTrue(self.client.is_paid(1000, imp_uid=imp_uid))

    def test_a_token_that_ended_early_is_followed_by_another_at_the_next_call(self) -> None:
        imp_uid, _ = self.put()
        ended = self.token_after(0)
        self.simulator.control("DELETE", "v1/tokens")
        self.assertTrue(self.client.is_paid(1000, imp_uid=imp_uid))
        self.assertNotEqual(self.token_after(0), ended)


if __name__ == "__main__":
    unittest.main()
