//! PortOne's own lists against ours: what nobody reported about orders that nobody waits for, and payments
//! that are nobody's.

use end_to_end::{Placed, Shop, schedule::console_cancel};
use local_stack::wire::{Fault, Rule};
use portone_simulator::{PaymentSpec, Status, Timestamp, Version};
use serde_json::{Value, json};

const LIST: &str = "GET /payments";
const V1_LIST: &str = "GET /payments/status/{status}";

/// This many minutes ago, as PortOne writes it.
fn ago(minutes: i64) -> String {
    Timestamp::from_millis(Timestamp::wall().millis() - minutes * 60_000).rfc3339()
}

/// A payment of `version` that changed at this moment.
fn spec(version: Version, status: Status, at: &str) -> PaymentSpec {
    let at = Some(at.to_owned());
    PaymentSpec { version, status, requested_at: at.clone(), changed_at: at, ..PaymentSpec::default() }
}

/// An order that its shop knows to be paid, through V2 or V1.
async fn paid(shop: &Shop, v1: bool) -> Placed {
    if v1 {
        let order = shop.placed_v1().await;
        let imp_uid = shop.pay_v1(&order).await;
        assert_eq!(shop.verify_v1(&imp_uid, &order).await.expect(200)["status"], "PAID");
        order
    } else {
        let order = shop.placed().await;
        shop.pay(&order).await;
        assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID");
        order
    }
}

/// How far the comparison of a generation came, in milliseconds.
fn watermark(shop: &Shop, generation: &str) -> Option<i64> {
    let marks = end_to_end::table::items(&shop.stack, "RECONCILE");
    marks.iter().find(|mark| mark["SK"] == generation)?["until"].as_i64()
}

/// A shop whose two generations do not see each other's payments.
async fn apart() -> Shop {
    let shop = Shop::open().await;
    shop.portone().set_switches(|switches| switches.v1_visible_in_v2 = false);
    shop
}

/// U2, U5: paid, nobody said so, and nobody is to look for minutes.
#[tokio::test]
async fn a_payment_that_nobody_reported_is_found_in_portones_list_before_its_order_is_due() {
    let shop = apart().await;
    let (v2, v1) = (shop.placed().await, shop.placed_v1().await);
    shop.pay(&v2).await;
    shop.pay_v1(&v1).await;
    let summary = shop.reconcile_all().await;
    assert_eq!((&summary["lookedAt"], &summary["moved"]), (&json!(0), &json!(2)), "{summary}");
    assert_eq!([shop.status(&v2), shop.status(&v1)], ["PAID", "PAID"]);
}

/// U16: an API is not asked, and no webhook came.
#[tokio::test]
async fn a_cancellation_at_the_console_is_found_in_portones_list() {
    for v1 in [false, true] {
        let shop = apart().await;
        let (part, whole) = (paid(&shop, v1).await, paid(&shop, v1).await);
        shop.reconcile_all().await;
        shop.portone().act(&part.id, &console_cancel(Some(300))).unwrap();
        shop.portone().act(&whole.id, &console_cancel(None)).unwrap();
        assert_eq!(shop.reconcile_all().await["moved"], 2, "V1: {v1}");
        assert_eq!([shop.status(&part), shop.status(&whole)], ["PARTIAL_CANCELLED", "CANCELLED"]);
        assert_eq!(shop.view(&part).await["amount"]["cancelled"], 300);
        let stored = shop.stored_orders();
        assert_eq!(shop.reconcile_all().await["moved"], 0);
        assert_eq!(shop.stored_orders(), stored);
    }
}

#[tokio::test]
async fn the_mark_moves_with_each_run_and_what_was_compared_is_not_compared_again() {
    let shop = apart().await;
    for (n, version) in [(1, Version::V2), (2, Version::V1)] {
        for at in [ago(2 * 24 * 60), ago(120)] {
            let id = format!("filler-{n}-{at}");
            shop.portone().put_payment(&id, &spec(version, Status::Failed, &at)).unwrap();
        }
        shop.portone()
            .put_payment(&format!("old-{n}"), &spec(version, Status::Failed, &ago(5 * 24 * 60)))
            .unwrap();
    }
    let begun = Timestamp::wall().millis();
    assert_eq!(shop.reconcile_all().await["compared"], 4, "of three days");
    for generation in ["V2", "V1"] {
        assert!(watermark(&shop, generation) >= Some(begun), "{generation}");
    }
    assert_eq!(shop.reconcile_all().await["compared"], 0);
    // PortOne's list was late with this one.
    shop.portone().put_payment("late", &spec(Version::V2, Status::Failed, &ago(10))).unwrap();
    assert_eq!(shop.reconcile_all().await["compared"], 1);
    assert_eq!(shop.reconcile_all().await["compared"], 1, "an overlap");
}

#[tokio::test]
async fn a_list_of_many_pages_is_read_to_its_end() {
    for same_moment in [false, true] {
        let shop = apart().await;
        let orders = [shop.placed().await, shop.placed().await, shop.placed().await];
        for n in 0..240 {
            let at = if same_moment { ago(600) } else { ago(1_000 - n) };
            let at =
                if same_moment { format!("{}Z", &at[..17].to_owned()).replace(":Z", ":00Z") } else { at };
            let id = format!("filler-{n:03}");
            shop.portone().put_payment(&id, &spec(Version::V2, Status::Failed, &at)).unwrap();
        }
        for (order, minutes) in orders.iter().zip([999, 900, 761]) {
            let minutes = if same_moment { 1 } else { minutes };
            let at = ago(minutes);
            shop.portone()
                .put_payment(
                    &order.id,
                    &PaymentSpec { total_amount: 2_000, ..spec(Version::V2, Status::Paid, &at) },
                )
                .unwrap();
        }
        let summary = shop.reconcile_all().await;
        assert!(summary["compared"].as_u64() >= Some(243), "{summary}");
        assert!(shop.portone_wire().count(LIST) >= 3);
        assert!(orders.iter().all(|order| shop.status(order) == "PAID"));
    }
}

#[tokio::test]
async fn a_list_of_v1_of_many_pages_is_read_to_its_end() {
    let shop = apart().await;
    let orders = [shop.placed_v1().await, shop.placed_v1().await];
    for (order, minutes) in orders.iter().zip([900, 600]) {
        let paid = spec(Version::V1, Status::Paid, &ago(minutes));
        shop.portone().put_payment(&order.id, &PaymentSpec { total_amount: 2_000, ..paid }).unwrap();
    }
    for n in 0..230 {
        let id = format!("filler-{n:03}");
        shop.portone().put_payment(&id, &spec(Version::V1, Status::Failed, &ago(850 - n))).unwrap();
    }
    let summary = shop.reconcile_all().await;
    assert_eq!((&summary["compared"], &summary["moved"]), (&json!(232), &json!(2)), "{summary}");
    assert_eq!(shop.v1_wire().count(V1_LIST), 3);
    assert!(orders.iter().all(|order| shop.status(order) == "PAID"));
}

/// A list that breaks off is gone on with, and nothing is left out.
#[tokio::test]
async fn a_list_that_breaks_off_is_read_from_there_by_the_next_run() {
    let shop = apart().await;
    let order = shop.placed().await;
    for n in 0..150 {
        let id = format!("filler-{n:03}");
        shop.portone().put_payment(&id, &spec(Version::V2, Status::Failed, &ago(900 - n))).unwrap();
    }
    let paid = spec(Version::V2, Status::Paid, &ago(700));
    shop.portone().put_payment(&order.id, &PaymentSpec { total_amount: 2_000, ..paid }).unwrap();
    shop.portone_wire().inject(Rule::on(LIST).after(1), Fault::ServerError);
    assert_eq!(shop.reconcile().await["complete"], false);
    assert_eq!(shop.status(&order), "PENDING");
    shop.stack.heal();
    shop.reconcile_all().await;
    assert_eq!(shop.status(&order), "PAID");
}

/// A payment of the list whose order cannot be looked at now is not passed over.
#[tokio::test]
async fn the_mark_stays_before_a_payment_that_could_not_be_applied() {
    let shop = apart().await;
    let order = paid(&shop, false).await;
    shop.reconcile_all().await;
    let mark = watermark(&shop, "V2");
    shop.portone().act(&order.id, &console_cancel(None)).unwrap();
    shop.portone_wire().inject(Rule::on("GET /payments/{paymentId}"), Fault::ServerError);
    assert_eq!(shop.reconcile().await["complete"], false);
    assert_eq!(watermark(&shop, "V2"), mark);
    shop.stack.heal();
    shop.reconcile_all().await;
    assert_eq!(shop.status(&order), "CANCELLED");
    assert!(watermark(&shop, "V2") > mark);
}

/// U5: money that is nobody's.
#[tokio::test]
async fn a_payment_without_an_order_is_found_once_and_settles_when_its_money_went_back() {
    for v1 in [false, true] {
        let shop = apart().await;
        let version = if v1 { Version::V1 } else { Version::V2 };
        let like_ours = "01JDABCDEFGHJKMNPQRSTVWXYZ";
        for id in ["a-payment-by-hand", like_ours] {
            shop.portone().put_payment(id, &spec(version, Status::Paid, &ago(5))).unwrap();
        }
        // Somebody opened a window and left.
        shop.portone().put_payment("left", &spec(version, Status::Ready, &ago(5))).unwrap();
        for _ in 0..3 {
            shop.reconcile_all().await;
            assert_eq!(shop.orphans().len(), 2, "V1: {v1}");
        }
        let facts: Vec<Value> =
            shop.orphans().iter().map(|orphan| orphan["facts"]["total"].clone()).collect();
        assert_eq!(facts, [json!("1000 KRW"), json!("1000 KRW")]);
        shop.portone().act(like_ours, &console_cancel(None)).unwrap();
        shop.reconcile_all().await;
        let left = shop.orphans();
        assert_eq!((left.len(), &left[0]["facts"]["paymentId"]), (1, &json!("a-payment-by-hand")));
        shop.portone().act("a-payment-by-hand", &console_cancel(Some(400))).unwrap();
        shop.reconcile_all().await;
        assert_eq!(shop.orphans().len(), 1, "part of it is still there");
    }
}

#[tokio::test]
async fn one_generation_that_is_down_does_not_keep_the_other_from_being_compared() {
    for v1_down in [false, true] {
        let shop = apart().await;
        let (v2, v1) = (shop.placed().await, shop.placed_v1().await);
        shop.pay(&v2).await;
        shop.pay_v1(&v1).await;
        let down = if v1_down { shop.v1_wire() } else { shop.portone_wire() };
        down.inject(Rule::any(), Fault::ServerError);
        assert_eq!(shop.reconcile().await["complete"], false);
        // V1's orders are asked of V1 although V2 does not answer, so only V2's have to wait for it.
        let expected = if v1_down { ["PAID", "PENDING"] } else { ["PENDING", "PAID"] };
        assert_eq!([shop.status(&v2), shop.status(&v1)], expected);
    }
}

#[tokio::test]
async fn a_payment_that_cannot_be_read_does_not_end_a_list() {
    let shop = apart().await;
    let order = paid(&shop, false).await;
    for n in 0..120 {
        let id = format!("filler-{n:03}");
        let mut filler = spec(Version::V2, Status::Failed, &ago(900 - n));
        if n == 50 {
            filler.patch = json!({ "amount": { "total": "much" } });
        }
        shop.portone().put_payment(&id, &filler).unwrap();
    }
    shop.portone().act(&order.id, &console_cancel(None)).unwrap();
    shop.reconcile_all().await;
    assert_eq!(shop.status(&order), "CANCELLED");
}

#[tokio::test]
async fn orders_of_a_generation_that_is_down_keep_none_of_the_other_waiting() {
    use futures::{StreamExt as _, stream};
    let shop = apart().await;
    let v1: Vec<_> = stream::iter(0..25).map(|_| shop.placed_v1()).buffer_unordered(8).collect().await;
    let v2 = shop.placed().await;
    for order in &v1 {
        shop.expire(order, 60_000);
        end_to_end::table::set_order(
            &shop.stack,
            &order.id,
            "lookAt",
            &end_to_end::schedule::millis_ago(60_000),
        );
    }
    shop.expire(&v2, 1_000);
    for order in v1.iter().chain([&v2]) {
        end_to_end::table::set_order(&shop.stack, &order.id, "waiting", &json!({ "S": "7" }));
    }
    shop.v1_wire().inject(Rule::any(), Fault::ServerError);
    shop.reconcile().await;
    assert_eq!(shop.status(&v2), "EXPIRED");
}

#[tokio::test]
async fn a_payment_that_cannot_be_stays_a_finding() {
    let shop = apart().await;
    let order = shop.placed().await;
    shop.put_payment(&order, |payment| payment.patch = json!({ "amount": { "total": -2000 } }));
    shop.make_due(&order);
    let summary = shop.reconcile().await;
    let findings = end_to_end::table::items(&shop.stack, "FINDINGS");
    assert_eq!(findings.len(), 1, "{summary}");
}

#[tokio::test]
async fn an_impossible_payment_in_portones_list_becomes_a_finding() {
    let shop = apart().await;
    let order = paid(&shop, false).await;
    shop.portone().patch_payment(&order.id, json!({ "amount": { "total": -2000 } })).unwrap();
    let summary = shop.reconcile().await;
    let findings = end_to_end::table::items(&shop.stack, "FINDINGS");
    assert_eq!(findings.len(), 1, "{summary}");
}

#[tokio::test]
async fn an_account_without_an_order_settles_when_it_ended_without_money() {
    let shop = apart().await;
    shop.portone()
        .put_payment("an-account", &spec(Version::V2, Status::VirtualAccountIssued, &ago(5)))
        .unwrap();
    shop.reconcile_all().await;
    assert_eq!(shop.orphans().len(), 1);
    shop.portone().act("an-account", &portone_simulator::Act::ExpireAccount {}).unwrap();
    shop.reconcile_all().await;
    assert_eq!(shop.orphans().len(), 0);
}

#[tokio::test]
async fn a_window_without_an_order_that_failed_is_nobodys_business() {
    let shop = apart().await;
    shop.portone().put_payment("a-window", &spec(Version::V2, Status::Ready, &ago(5))).unwrap();
    shop.deliver_about("Transaction.Ready", "a-window").await.expect(200);
    shop.portone()
        .act("a-window", &portone_simulator::Act::Decline { pg_code: None, pg_message: None })
        .unwrap();
    shop.reconcile_all().await;
    assert_eq!(shop.orphans().len(), 0);
}

/// V1 lists 90 days at most.
#[tokio::test]
async fn a_mark_of_v1_that_is_older_than_its_list_reaches_is_moved_on() {
    let shop = apart().await;
    let mark = Timestamp::wall().millis() - 100 * 24 * 3_600_000;
    let item = json!({ "PK": { "S": "RECONCILE" }, "SK": { "S": "V1" }, "until": { "N": mark.to_string() } });
    end_to_end::table::put(&shop.stack, &item);
    let order = shop.placed_v1().await;
    shop.pay_v1(&order).await;
    shop.reconcile_all().await;
    assert_eq!(shop.status(&order), "PAID");
}

/// U16: V1 lists a payment by the time it was paid, so its orders are looked at a few times more.
#[tokio::test]
async fn a_part_that_v1_gave_back_at_the_console_a_day_later_is_found_without_its_webhook() {
    let shop = apart().await;
    let order = shop.placed_v1().await;
    let yesterday = spec(Version::V1, Status::Paid, &ago(24 * 60));
    shop.portone().put_payment(&order.id, &PaymentSpec { total_amount: 2_000, ..yesterday }).unwrap();
    shop.reconcile_all().await;
    assert_eq!(shop.status(&order), "PAID");
    assert!(shop.stored(&order.id)["lookAt"].is_i64(), "it is looked at again");
    shop.portone().act(&order.id, &console_cancel(Some(300))).unwrap();
    shop.make_due(&order);
    shop.reconcile_all().await;
    assert_eq!(shop.status(&order), "PARTIAL_CANCELLED");
    assert_eq!(shop.stored(&order.id)["returned"], 300);
}

/// V1 has no cursor: a list that is longer than one run can read was never read to its end.
#[tokio::test]
async fn a_v1_list_that_is_too_long_for_one_run_is_continued_by_the_next() {
    let shop = apart().await;
    // 50 pages of five in one run.
    shop.portone().set_switches(|switches| switches.v1_page_cap = 5);
    let others = (0..400).map(|number| {
        let status = if number % 2 == 0 { Status::Failed } else { Status::Ready };
        (format!("someone-elses-{number}"), spec(Version::V1, status, &ago(2_800 - number * 7)))
    });
    shop.portone().put_payments(others).unwrap();
    let (mut runs, mut mark) = (0, None);
    loop {
        runs += 1;
        assert!(runs < 10, "the list is never read to its end");
        let summary = shop.reconcile().await;
        let moved = watermark(&shop, "V1");
        assert!(moved > mark, "each run gets further: {moved:?} after {mark:?}, {summary}");
        mark = moved;
        if summary["complete"] == true {
            break;
        }
    }
    assert!(runs > 1, "it was too long for one run");
}
