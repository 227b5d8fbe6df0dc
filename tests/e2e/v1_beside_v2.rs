//! Both generations at once: each order through its own API, and one V1 order told by both.

use end_to_end::{Delivery, Placed, Shop};
use futures::future::join_all;
use local_stack::wire::{Fault, Mark, Rule};
use portone_simulator::{PaymentSpec, Press, Version};
use serde_json::json;

/// Who tells of a V1 order's payment.
#[derive(Clone, Copy, Debug)]
enum Report {
    /// A page that was written for V2.
    PaymentId,
    /// V2's signed webhook.
    SignedWebhook,
    /// V1's webhook.
    UnsignedWebhook,
}

const IN_EVERY_ORDER: [[Report; 3]; 6] = {
    use Report::{PaymentId as P, SignedWebhook as S, UnsignedWebhook as U};
    [[P, S, U], [P, U, S], [S, P, U], [S, U, P], [U, P, S], [U, S, P]]
};

async fn report(shop: &Shop, report: Report, imp_uid: &str, order: &Placed) {
    match report {
        Report::PaymentId => assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID"),
        Report::SignedWebhook => {
            shop.deliver_about("Transaction.Paid", &order.id).await.expect(200);
        }
        Report::UnsignedWebhook => drop(shop.deliver_v1(imp_uid, order, "paid").await.expect(200)),
    }
}

/// Writes to orders since `mark`: those that took effect, and those whose condition failed.
fn writes(shop: &Shop, mark: Mark) -> (usize, usize) {
    let writes = shop.calls_since(mark, "UpdateItem");
    let with = |status| writes.iter().filter(|call| call.status == Some(status)).count();
    (with(200), with(400))
}

#[track_caller]
fn assert_paid_once(shop: &Shop, what: &str, order: &Placed) {
    let stored = shop.stored(&order.id);
    assert_eq!((&stored["status"], &stored["version"]), (&json!("PAID"), &json!(2)), "{what}: {stored}");
    assert!(shop.portone_calls("POST", "/cancel").is_empty(), "{what}");
    assert!(shop.orphans().is_empty(), "{what}");
}

#[tokio::test]
async fn orders_of_both_generations_side_by_side_are_each_paid_through_their_own_api() {
    let shop = Shop::open().await;
    let (first, second) =
        tokio::join!(join_all((0..4).map(|_| shop.placed_v1())), join_all((0..4).map(|_| shop.placed())));
    let imp_uids = join_all(first.iter().map(|order| shop.pay_v1(order))).await;
    join_all(second.iter().map(|order| shop.pay(order))).await;

    shop.portone().clear_calls();
    let mark = shop.stack.mark();
    let v1 = join_all(imp_uids.iter().zip(&first).map(|(imp_uid, order)| shop.verify_v1(imp_uid, order)));
    let v2 = join_all(second.iter().map(|order| shop.verify(&order.id)));
    let (v1, v2, _) = tokio::join!(v1, v2, shop.release_webhooks());
    for (answer, order) in v1.iter().chain(&v2).zip(first.iter().chain(&second)) {
        assert_eq!(answer.expect(200)["status"], "PAID");
        assert_paid_once(&shop, &order.id, order);
    }
    assert_eq!(writes(&shop, mark).0, 8);

    // Neither API was asked about the other's payment.
    for call in shop.portone().calls().iter().filter(|call| call.path.starts_with("/payments/")) {
        let is_v1s = imp_uids.iter().any(|imp_uid| call.path.ends_with(imp_uid));
        let is_v2s = second.iter().any(|order| call.path.contains(&order.id));
        let own = if call.version == Version::V1 { is_v1s } else { is_v2s };
        assert!(own && call.status == Some(200), "{call:?}");
    }
}

#[tokio::test]
async fn three_reports_of_one_v1_order_in_every_order_are_one_write() {
    let shop = Shop::open().await;
    for visible in [true, false] {
        shop.portone().set_switches(|switches| switches.v1_visible_in_v2 = visible);
        for reports in IN_EVERY_ORDER {
            let order = shop.placed_v1().await;
            let imp_uid = shop.pay_v1(&order).await;
            let shown = shop.portone().payment(&order.id).unwrap();
            assert_eq!((&shown["version"], &shown["transactionId"]), (&json!("V1"), &json!(imp_uid)));
            for one in reports {
                report(&shop, one, &imp_uid, &order).await;
                assert_paid_once(&shop, &format!("{one:?} of {reports:?}, visible: {visible}"), &order);
            }
        }
    }
}

#[tokio::test]
async fn three_reports_of_one_v1_order_held_at_the_same_write_are_one_write() {
    let shop = Shop::open().await;
    for visible in [true, false] {
        shop.portone().set_switches(|switches| switches.v1_visible_in_v2 = visible);
        let order = shop.placed_v1().await;
        let imp_uid = shop.pay_v1(&order).await;
        let signed = Delivery::about("Transaction.Paid", &order.id).signed(&shop.webhook_secrets().await);

        let mark = shop.stack.mark();
        let gate = shop.table_wire().hold_before(Rule::on("UpdateItem").times(3));
        let release = async {
            shop.at_gate(&gate, 3).await;
            gate.open();
        };
        let (verified, delivered, unsigned, ()) = tokio::join!(
            shop.verify(&order.id),
            shop.deliver(&signed),
            shop.deliver_v1(&imp_uid, &order, "paid"),
            release
        );
        assert_eq!(verified.expect(200)["status"], "PAID");
        delivered.expect(200);
        unsigned.expect(200);
        assert_eq!(writes(&shop, mark), (1, 2), "one wrote, two lost their condition and agreed");
        assert_paid_once(&shop, &format!("visible: {visible}"), &order);
    }
}

#[tokio::test]
async fn an_order_made_for_v2_that_is_paid_in_v1s_window_is_paid() {
    let shop = Shop::open().await;
    for visible in [true, false] {
        shop.portone().set_switches(|switches| switches.v1_visible_in_v2 = visible);
        let order = shop.placed().await;
        let params = json!({
            "channelKey": order.payment()["channelKey"], "pay_method": "card",
            "merchant_uid": order.id, "name": "신발", "amount": order.total(),
        });
        let imp_uid = shop.portone().open_v1_window(&params).unwrap();
        shop.portone().press_v1(&imp_uid, Press::Pay).await.unwrap();
        assert_eq!(shop.verify_v1(&imp_uid, &order).await.expect(200)["status"], "PAID");
        // From then on it is known whom to ask.
        for one in [Report::PaymentId, Report::SignedWebhook, Report::UnsignedWebhook] {
            report(&shop, one, &imp_uid, &order).await;
            assert_paid_once(&shop, &format!("{one:?}, visible: {visible}"), &order);
        }
    }
}

#[tokio::test]
async fn a_v1_payment_of_no_order_is_one_orphan_whichever_webhook_tells_of_it() {
    let shop = Shop::open().await;
    let unknown = Placed { id: "01JDABCDEFGHJKMNPQRSTVWXYZ".to_owned(), ..shop.placed().await };
    let spec = PaymentSpec { version: Version::V1, ..PaymentSpec::default() };
    shop.portone().put_payment(&unknown.id, &spec).unwrap();
    let imp_uid = shop.portone().v1_payments(&unknown.id)[0]["imp_uid"].as_str().unwrap().to_owned();

    for _ in 0..2 {
        shop.deliver_v1(&imp_uid, &unknown, "paid").await.expect(200);
        shop.deliver_about("Transaction.Paid", &unknown.id).await.expect(200);
    }
    let orphans = shop.orphans();
    assert_eq!(orphans.len(), 1, "{orphans:?}");
    shop.verify_v1(&imp_uid, &unknown).await.expect_problem(404, "order-not-found");
}

#[tokio::test]
async fn money_that_v2_took_for_an_order_with_v1s_money_is_found_and_forgotten_once_it_went_back() {
    let shop = Shop::open().await;
    let order = shop.placed_v1().await;
    let imp_uid = shop.pay_v1(&order).await;
    shop.verify_v1(&imp_uid, &order).await.expect(200);
    // The simulator keeps one payment of an id; PortOne does not say that it does.
    let through_v2 = |status: &str| {
        json!({
            "status": status, "id": order.id, "transactionId": "tx-of-v2", "storeId": "store-any", "currency": "KRW",
            "version": "V2", "channel": { "type": "LIVE" }, "statusChangedAt": "2030-01-01T00:00:00Z",
            "amount": { "total": order.total(), "paid": order.total(), "cancelled": 0 },
        })
    };
    let read = || Rule::on("GET /payments/{paymentId}").times(1);
    let webhook = async |status| {
        shop.portone_wire().inject(read(), Fault::json(200, &through_v2(status)));
        shop.deliver_about("Transaction.Paid", &order.id).await.expect(200);
    };
    webhook("READY").await;
    assert!(shop.findings("PAID_TWICE").is_empty());
    webhook("PAID").await;
    webhook("PAID").await;
    let found = shop.findings("PAID_TWICE");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["facts"]["transactionId"], "tx-of-v2", "{found:?}");
    assert_eq!(shop.stored(&order.id)["status"], "PAID");

    shop.portone_wire().inject(read(), Fault::json(200, &through_v2("PAID")));
    shop.stack.run_schedule("reconcile").await.unwrap();
    assert_eq!(shop.findings("PAID_TWICE").len(), 1, "it holds the money");
    shop.portone_wire().inject(read(), Fault::json(200, &through_v2("CANCELLED")));
    shop.stack.run_schedule("reconcile").await.unwrap();
    assert!(shop.findings("PAID_TWICE").is_empty(), "somebody gave it back");
}
