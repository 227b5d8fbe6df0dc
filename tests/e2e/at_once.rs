//! Many reports at once, and writers held open at the table: one wins, the others agree.

use std::collections::BTreeSet;

use end_to_end::{Delivery, Shop};
use futures::future::join_all;
use local_stack::wire::Rule;
use portone_simulator::{Act, Press};

/// The writes of orders that took effect, and those that lost their condition.
fn writes(shop: &Shop, since: local_stack::wire::Mark) -> (usize, usize) {
    let writes = shop.calls_since(since, "UpdateItem");
    let with = |status| writes.iter().filter(|call| call.status == Some(status)).count();
    (with(200), with(400))
}

/// U8: the page and the webhook both finish the order.
#[tokio::test]
async fn fifty_orders_each_reported_twice_at_once_are_each_paid_by_one_write() {
    let shop = Shop::open().await;
    let secrets = shop.webhook_secrets().await;
    for round in 0..50 {
        let order = shop.placed().await;
        shop.pay(&order).await;
        let delivery = Delivery::about("Transaction.Paid", &order.id).signed(&secrets);
        let mark = shop.stack.mark();
        let (verified, delivered) = tokio::join!(shop.verify(&order.id), shop.deliver(&delivery));
        assert_eq!(verified.expect(200)["status"], "PAID", "round {round}");
        delivered.expect(200);
        assert_eq!(writes(&shop, mark).0, 1, "round {round}");
        assert_eq!(shop.stored(&order.id)["version"], 2, "round {round}");
    }
}

/// U9, U14: many at once, and none of them is told of a conflict.
#[tokio::test]
async fn fifty_reports_of_one_order_at_once_pay_it_by_one_write() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.pay(&order).await;
    let secrets = shop.webhook_secrets().await;
    let delivery = Delivery::about("Transaction.Paid", &order.id).signed(&secrets);

    let mark = shop.stack.mark();
    let verifies = join_all((0..25).map(|_| shop.verify(&order.id)));
    let deliveries = join_all((0..25).map(|_| shop.deliver(&delivery)));
    let (verified, delivered) = tokio::join!(verifies, deliveries);
    // A machine that cannot start fifty processes in time may put some off, and says so.
    let reports = verified.iter().chain(&delivered);
    for answer in reports.filter(|answer| answer.status != 200) {
        answer.expect_problem(503, "temporarily-unavailable");
    }
    let answered = verified.iter().filter(|answer| answer.status == 200);
    let told: BTreeSet<_> = answered.map(|answer| answer.expect(200).to_string()).collect();
    assert_eq!(told.len(), 1, "all are told the same: {told:?}");
    assert!(told.first().unwrap().contains("\"PAID\""), "{told:?}");
    assert_eq!(writes(&shop, mark).0, 1);
    assert_eq!(shop.stored(&order.id)["version"], 2);
}

#[tokio::test]
async fn of_two_stale_writers_one_wins_and_both_answer_paid() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.pay(&order).await;

    let mark = shop.stack.mark();
    let gate = shop.table_wire().hold_before(Rule::on("UpdateItem").times(2));
    let delivery = Delivery::about("Transaction.Paid", &order.id).signed(&shop.webhook_secrets().await);
    let release = async {
        shop.at_gate(&gate, 2).await;
        gate.open();
    };
    let (verified, delivered, ()) = tokio::join!(shop.verify(&order.id), shop.deliver(&delivery), release);
    assert_eq!(verified.expect(200)["status"], "PAID");
    delivered.expect(200);
    assert_eq!(writes(&shop, mark), (1, 1), "both wrote, one condition failed, nobody wrote again");
    assert_eq!(shop.stored(&order.id)["version"], 2);
}

#[tokio::test]
async fn a_writer_with_old_news_that_lost_its_race_leaves_the_order_as_the_winner_made_it() {
    let shop = Shop::open().await;
    shop.portone().set_switches(|switches| switches.slow_approval_ms = None);
    let order = shop.placed().await;
    shop.press(&order, Press::Slow).await;

    // The webhook has read PAY_PENDING and stands before its write…
    let gate = shop.table_wire().hold_before(Rule::on("UpdateItem").times(1));
    let delivery = Delivery::about("Transaction.PayPending", &order.id).signed(&shop.webhook_secrets().await);
    let meanwhile = async {
        shop.at_gate(&gate, 1).await;
        // …when the payment is approved and the browser's report is faster.
        shop.portone().act(&order.id, &Act::Approve { amount: None, other_channel: false }).unwrap();
        assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID");
        let paid = shop.stored(&order.id);
        gate.open();
        paid
    };
    let (delivered, paid) = tokio::join!(shop.deliver(&delivery), meanwhile);
    delivered.expect(200);
    assert_eq!(shop.stored(&order.id), paid);
}

#[tokio::test]
async fn a_writer_with_newer_news_that_lost_its_race_writes_them_over_the_winners() {
    let shop = Shop::open().await;
    shop.portone().set_switches(|switches| switches.slow_approval_ms = None);
    let order = shop.placed().await;
    shop.press(&order, Press::Slow).await;

    // Two have read PAY_PENDING; one of them stands before its write.
    let slow_read = shop.portone_wire().hold_after(Rule::on("GET /payments/{paymentId}").times(1));
    let story = async {
        shop.at_gate(&slow_read, 1).await;
        shop.portone().act(&order.id, &Act::Approve { amount: None, other_channel: false }).unwrap();
        let write = shop.table_wire().hold_before(Rule::on("UpdateItem").times(1));
        let paid_report = async {
            let answer = shop.verify(&order.id).await;
            answer.expect(200)
        };
        let pending_first = async {
            shop.at_gate(&write, 1).await;
            // The old news is written now, before the new.
            slow_read.open();
            let old_news = async {
                while shop.stored(&order.id)["version"] == 1 {
                    // Not at once: elsewhere a look at the table is a call that others wait behind.
                    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
                }
            };
            end_to_end::in_time("the old news is written", old_news).await;
            assert_eq!(shop.stored(&order.id)["status"], "PAY_PENDING");
            write.open();
        };
        tokio::join!(paid_report, pending_first).0
    };
    let secrets = shop.webhook_secrets().await;
    let delivery = Delivery::about("Transaction.PayPending", &order.id).signed(&secrets);
    let (delivered, told) = tokio::join!(shop.deliver(&delivery), story);
    delivered.expect(200);
    assert_eq!(told["status"], "PAID");
    assert_eq!(shop.stored(&order.id)["status"], "PAID");
    assert_eq!(shop.stored(&order.id)["version"], 3);
}
