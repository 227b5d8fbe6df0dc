//! Stock: taken with the order, kept when it is paid, given back once when it is closed, and never below
//! nothing.

use end_to_end::{Placed, Shop, schedule::console_cancel, shop::basket, table};
use futures::future::join_all;
use local_stack::wire::{Fault, Rule};
use portone_simulator::Press;
use serde_json::{Value, json};

const TRANSACTION: &str = "TransactWriteItems";

/// A shop that has this many pairs of shoes.
async fn shop_with(shoes: u32) -> Shop {
    let shop = Shop::open().await;
    shop.set_stock("shoes", shoes);
    shop
}

/// A request for these products and quantities.
fn basket_of(items: &[(&str, u32)]) -> Value {
    let items: Vec<_> =
        items.iter().map(|(id, quantity)| json!({ "productId": id, "quantity": quantity })).collect();
    json!({ "items": items, "customer": { "name": "홍길동" } })
}

/// The places of an answer that says that something is sold out.
#[track_caller]
fn sold_out(answer: &end_to_end::Answer) -> Vec<String> {
    let problem = answer.expect_problem(422, "validation-failed");
    let errors = problem["errors"].as_array().unwrap();
    assert!(errors.iter().all(|error| error["code"] == "sold-out"), "{problem}");
    errors.iter().map(|error| error["pointer"].as_str().unwrap().to_owned()).collect()
}

/// The closed order holds nothing, and the shop has this many pairs again.
#[track_caller]
fn assert_released(shop: &Shop, order: &Placed, status: &str, shoes: u32) {
    assert_eq!(shop.status(order), status);
    assert_eq!(shop.stored(&order.id)["holdsStock"], Value::Null);
    assert_eq!(shop.stock("shoes"), json!(shoes));
}

/// U12: what a buyer may pay for is there, whoever else buys meanwhile.
#[tokio::test]
async fn pieces_are_taken_with_the_order_and_stay_taken_when_it_is_paid() {
    let shop = shop_with(5).await;
    let order = shop.placed().await;
    assert_eq!((shop.stock("shoes"), &shop.stored(&order.id)["holdsStock"]), (json!(3), &json!(true)));
    shop.placed_for(&basket("shoes", 3)).await;
    shop.pay(&order).await;
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID");
    shop.release_webhooks().await;
    shop.make_due(&order);
    shop.reconcile_all().await;
    assert_eq!((shop.status(&order), shop.stock("shoes")), ("PAID".to_owned(), json!(0)));
}

#[tokio::test]
async fn what_is_sold_out_is_said_at_its_place_and_nothing_is_made() {
    let shop = shop_with(1).await;
    let answer = shop.order(&basket_of(&[("socks", 1), ("shoes", 2), ("sold-out", 1)])).await;
    assert_eq!(sold_out(&answer), ["/items/1/quantity", "/items/2/quantity"]);
    assert_eq!((shop.stored_orders().len(), shop.stock("shoes")), (0, json!(1)));
    shop.order(&basket("shoes", 1)).await.expect(201);
    assert_eq!(sold_out(&shop.order(&basket("shoes", 1)).await), ["/items/0/quantity"]);
    assert_eq!((shop.stored_orders().len(), shop.stock("shoes")), (1, json!(0)));
}

#[tokio::test]
async fn lines_of_one_product_are_taken_together() {
    let shop = shop_with(5).await;
    let answer = shop.order(&basket_of(&[("shoes", 3), ("shoes", 3)])).await;
    assert!(!sold_out(&answer).is_empty());
    assert_eq!(shop.stock("shoes"), json!(5));
    shop.order(&basket_of(&[("shoes", 3), ("shoes", 2)])).await.expect(201);
    assert_eq!(shop.stock("shoes"), json!(0));
}

#[tokio::test]
async fn of_several_products_all_are_taken_or_none_also_when_one_is_sold_at_the_last_moment() {
    let shop = shop_with(5).await;
    shop.set_stock("socks", 4);
    let both = basket_of(&[("shoes", 2), ("rice", 1), ("socks", 1)]);
    shop.order(&both).await.expect(201);
    assert_eq!((shop.stock("shoes"), shop.stock("socks")), (json!(3), json!(3)));

    // The catalogue was read; the socks are sold before the transaction.
    let gate = shop.table_wire().hold_before(Rule::on(TRANSACTION).times(1));
    let sale = async {
        shop.at_gate(&gate, 1).await;
        shop.set_stock("socks", 0);
        gate.open();
    };
    let (answer, ()) = tokio::join!(shop.order(&both), sale);
    assert_eq!(sold_out(&answer), ["/items/2/quantity"]);
    assert_eq!((shop.stock("shoes"), shop.stock("socks")), (json!(3), json!(0)));
    assert_eq!(shop.stored_orders().len(), 1);
}

/// U13.
#[tokio::test]
async fn twenty_buyers_at_once_of_seven_pieces_get_seven() {
    let shop = shop_with(7).await;
    let basket = basket("shoes", 1);
    let answers = join_all((0..20).map(|_| shop.order(&basket))).await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!(sold_out(answer), ["/items/0/quantity"]);
    }
    assert_eq!((made, shop.stored_orders().len(), shop.stock("shoes")), (7, 7, json!(0)));
}

#[tokio::test]
async fn a_product_without_stock_is_never_counted() {
    let shop = Shop::open().await;
    let mark = shop.stack.mark();
    let order = shop.placed_for(&basket("shoes", 999)).await;
    shop.expire(&order, 1_000);
    shop.reconcile_all().await;
    assert_eq!((shop.status(&order), shop.stock("shoes")), ("EXPIRED".to_owned(), Value::Null));
    assert!(shop.calls_since(mark, TRANSACTION).is_empty(), "nothing to keep together");
}

#[tokio::test]
async fn a_request_that_is_repeated_under_its_key_takes_its_pieces_once() {
    let shop = shop_with(6).await;
    let body = basket("shoes", 2);
    let answers = join_all((0..10).map(|_| shop.order_once("one-order", &body))).await;
    assert!(answers.iter().all(|answer| matches!(answer.status, 201 | 409)), "{answers:?}");
    shop.order_once("one-order", &body).await.expect(201);
    assert_eq!((shop.stored_orders().len(), shop.stock("shoes")), (1, json!(4)));

    // Also when they were the last ones: the repetition is no second order.
    let last = basket("shoes", 4);
    let first = shop.order_once("the-last", &last).await.expect(201);
    assert_eq!(shop.order_once("the-last", &last).await.expect(201)["orderId"], first["orderId"]);
    assert_eq!(shop.stock("shoes"), json!(0));
}

#[tokio::test]
async fn pieces_whose_transaction_lost_its_answer_are_taken_once() {
    for fault in [Fault::ResetAfter, Fault::HalfBody] {
        let shop = shop_with(6).await;
        let body = basket("shoes", 2);
        let lost = shop.table_wire().inject(Rule::on(TRANSACTION).times(1), fault.clone());
        shop.order(&body).await.expect(201);
        assert_eq!((lost.hits(), shop.stock("shoes"), shop.stored_orders().len()), (1, json!(4), 1));
        let lost = shop.table_wire().inject(Rule::on(TRANSACTION).times(1), fault);
        let order = Placed::of(shop.order_once("keyed", &body).await.expect(201));
        assert_eq!((lost.hits(), shop.stock("shoes"), shop.stored_orders().len()), (1, json!(2), 2));

        // And given back once.
        let lost = shop.table_wire().inject(Rule::on(TRANSACTION).times(1), Fault::ResetAfter);
        shop.expire(&order, 1_000);
        shop.reconcile_all().await;
        assert_eq!(lost.hits(), 1);
        assert_released(&shop, &order, "EXPIRED", 4);
    }
}

#[tokio::test]
async fn a_transaction_that_meets_another_is_tried_again_and_told_when_it_never_gets_through() {
    let shop = shop_with(6).await;
    let body = basket("shoes", 2);
    let conflicts = shop.table_wire().inject(Rule::on(TRANSACTION).times(3), Fault::TransactionConflict);
    let order = Placed::of(shop.order(&body).await.expect(201));
    assert_eq!((conflicts.hits(), shop.stock("shoes")), (3, json!(4)));

    shop.table_wire().inject(Rule::on(TRANSACTION), Fault::TransactionConflict);
    shop.order(&body).await.expect_problem(503, "temporarily-unavailable");
    // Closing an order meets it too; it stays due.
    shop.expire(&order, 1_000);
    let summary = shop.reconcile().await;
    assert_eq!((&summary["failed"], &summary["complete"]), (&json!(1), &json!(false)), "{summary}");
    assert_eq!((shop.stock("shoes"), shop.stored_orders().len()), (json!(4), 1));
    shop.stack.heal();
    shop.reconcile_all().await;
    assert_released(&shop, &order, "EXPIRED", 6);
}

#[tokio::test]
async fn a_throttled_transaction_is_not_noticed() {
    let shop = shop_with(6).await;
    let throttled = shop.table_wire().inject(Rule::on(TRANSACTION).times(2), Fault::Throttle);
    shop.placed().await;
    assert_eq!((throttled.hits(), shop.stock("shoes")), (2, json!(4)));
}

/// U13, U16.
#[tokio::test]
async fn an_order_that_expires_gives_its_pieces_back_once() {
    let shop = shop_with(5).await;
    let order = shop.placed().await;
    shop.expire(&order, 1_000);
    for _ in 0..3 {
        shop.reconcile_all().await;
        assert_released(&shop, &order, "EXPIRED", 5);
    }
    shop.deliver_about("Transaction.Failed", &order.id).await.expect(200);
    shop.verify(&order.id).await.expect(200);
    assert_released(&shop, &order, "EXPIRED", 5);
}

#[tokio::test]
async fn an_unpaid_order_that_an_operator_cancels_gives_its_pieces_back_once() {
    let shop = shop_with(5).await;
    let order = shop.placed().await;
    for _ in 0..2 {
        shop.cancel_order(&order, "the-same-wish", None).await.expect(200);
        assert_released(&shop, &order, "CANCELLED", 5);
    }
    shop.cancel_order(&order, "another-wish", None).await.expect_problem(409, "order-not-cancellable");
    assert_released(&shop, &order, "CANCELLED", 5);
}

#[tokio::test]
async fn a_paid_order_gives_its_pieces_back_when_all_of_its_money_went_back_and_not_before() {
    let shop = shop_with(5).await;
    let order = shop.placed().await;
    shop.pay(&order).await;
    shop.verify(&order.id).await.expect(200);
    shop.cancel_order(&order, "a-part", Some(500)).await.expect(200);
    assert_eq!((shop.status(&order), shop.stock("shoes")), ("PARTIAL_CANCELLED".to_owned(), json!(3)));
    shop.portone().act(&order.id, &console_cancel(Some(300))).unwrap();
    shop.release_webhooks().await;
    assert_eq!((shop.status(&order), shop.stock("shoes")), ("PARTIAL_CANCELLED".to_owned(), json!(3)));
    for _ in 0..2 {
        shop.cancel_order(&order, "the-rest", None).await.expect(200);
        shop.release_webhooks().await;
        assert_released(&shop, &order, "CANCELLED", 5);
    }
}

/// U16.
#[tokio::test]
async fn a_cancellation_at_the_console_gives_the_pieces_back() {
    let shop = shop_with(5).await;
    let order = shop.placed().await;
    shop.pay(&order).await;
    shop.verify(&order.id).await.expect(200);
    shop.portone().act(&order.id, &console_cancel(None)).unwrap();
    shop.release_webhooks().await;
    assert_released(&shop, &order, "CANCELLED", 5);
}

#[tokio::test]
async fn a_rejected_order_gives_its_pieces_back_once_though_its_money_is_refused() {
    let shop = shop_with(5).await;
    let order = shop.placed().await;
    shop.press(&order, Press::Tamper).await;
    shop.portone().set_cancel_mode(&order.id, portone_simulator::CancelMode::RefuseByPg, Some(2)).unwrap();
    shop.verify(&order.id).await.expect_problem(409, "payment-mismatch");
    assert_released(&shop, &order, "REJECTED", 5);
    for _ in 0..3 {
        shop.verify(&order.id).await.expect(200);
        assert_released(&shop, &order, "REJECTED", 5);
    }
    assert_eq!(shop.returned(&order), (1, 200));
}

/// U13: two who close the same order stand before the same transaction.
#[tokio::test]
async fn of_two_who_close_an_order_at_once_one_gives_its_pieces_back() {
    let shop = shop_with(5).await;
    let order = shop.placed().await;
    shop.expire(&order, 1_000);
    let gate = shop.table_wire().hold_before(Rule::on(TRANSACTION).times(3));
    let release = async {
        shop.at_gate(&gate, 3).await;
        gate.open();
    };
    let by_hand = shop.cancel_order(&order, "by-hand", None);
    let (first, second, cancelled, ()) = tokio::join!(shop.reconcile(), shop.reconcile(), by_hand, release);
    assert_eq!((&first["failed"], &second["failed"]), (&json!(0), &json!(0)));
    assert!(matches!(cancelled.status, 200 | 409), "{}", cancelled.text);
    assert_eq!(shop.stored(&order.id)["version"], 2);
    assert_eq!(shop.stock("shoes"), json!(5));
}

#[tokio::test]
async fn a_product_that_is_gone_or_counted_no_longer_keeps_no_order_open() {
    for gone in [true, false] {
        let shop = shop_with(6).await;
        shop.set_stock("socks", 5);
        let both = basket_of(&[("shoes", 2), ("socks", 1)]);
        let (expired, cancelled) = (shop.placed_for(&both).await, shop.placed_for(&both).await);
        let rejected = shop.placed_for(&both).await;
        if gone {
            table::delete_product(&shop.stack, "socks");
        } else {
            table::unset_product(&shop.stack, "socks", "stock");
        }
        shop.expire(&expired, 1_000);
        shop.reconcile_all().await;
        assert_eq!((shop.status(&expired), shop.stock("shoes")), ("EXPIRED".to_owned(), json!(2)));
        shop.cancel_order(&cancelled, "close", None).await.expect(200);
        assert_eq!((shop.status(&cancelled), shop.stock("shoes")), ("CANCELLED".to_owned(), json!(4)));
        shop.press(&rejected, Press::Tamper).await;
        shop.verify(&rejected.id).await.expect_problem(409, "payment-mismatch");
        assert_released(&shop, &rejected, "REJECTED", 6);
        assert_eq!(shop.stock("socks"), Value::Null, "nothing is made up");
    }
}

/// A process that dies takes with its order what the order takes, or neither.
#[tokio::test]
async fn create_order_killed_at_its_transaction_takes_the_pieces_with_the_order_or_not_at_all() {
    for after in [false, true] {
        let shop = shop_with(5).await;
        let rule = Rule::on(TRANSACTION).times(1);
        let gate =
            if after { shop.table_wire().hold_after(rule) } else { shop.table_wire().hold_before(rule) };
        let body = basket("shoes", 2);
        let kill = async {
            shop.at_gate(&gate, 1).await;
            shop.kill("create-order").await;
        };
        let (answer, ()) = tokio::join!(shop.order_once("killed", &body), kill);
        assert!(answer.status >= 500, "{}", answer.text);
        let made = usize::from(after);
        assert_eq!((shop.stored_orders().len(), shop.stock("shoes")), (made, json!(5 - 2 * made)));
        drop(gate);
        shop.order_once("killed", &body).await.expect(201);
        assert_eq!((shop.stored_orders().len(), shop.stock("shoes")), (1, json!(3)));
    }
}

#[tokio::test]
async fn reconcile_killed_at_its_transaction_gives_the_pieces_back_with_the_order_or_not_at_all() {
    for after in [false, true] {
        let shop = shop_with(5).await;
        let order = shop.placed().await;
        shop.expire(&order, 1_000);
        let rule = Rule::on(TRANSACTION).times(1);
        let gate =
            if after { shop.table_wire().hold_after(rule) } else { shop.table_wire().hold_before(rule) };
        let kill = async {
            shop.at_gate(&gate, 1).await;
            shop.kill("reconcile").await;
        };
        let (run, ()) = tokio::join!(shop.stack.run_schedule("reconcile"), kill);
        assert!(run.is_err(), "a killed run answers nothing");
        let (status, shoes) = if after { ("EXPIRED", 5) } else { ("PENDING", 3) };
        assert_eq!((shop.status(&order).as_str(), shop.stock("shoes")), (status, json!(shoes)));
        drop(gate);
        shop.reconcile_all().await;
        assert_released(&shop, &order, "EXPIRED", 5);
    }
}

#[tokio::test]
async fn an_order_for_a_product_that_is_counted_no_longer_is_made() {
    let shop = Shop::open().await;
    shop.set_stock("shoes", 5);
    let gate = shop.table_wire().hold_before(Rule::on("TransactWriteItems").times(1));
    let owner = async {
        shop.at_gate(&gate, 1).await;
        end_to_end::table::unset_product(&shop.stack, "shoes", "stock");
        gate.open();
    };
    let body = end_to_end::shop::basket("shoes", 2);
    let (answer, ()) = tokio::join!(shop.order(&body), owner);
    answer.expect(201);
}

#[tokio::test]
async fn a_late_payment_for_a_product_that_is_counted_no_longer_is_taken() {
    let shop = Shop::open().await;
    shop.set_stock("shoes", 5);
    let order = shop.placed().await;
    let window = shop.portone().open_window(order.payment()).unwrap();
    shop.expire(&order, 1);
    shop.reconcile_all().await;
    end_to_end::table::unset_product(&shop.stack, "shoes", "stock");
    shop.portone().press(&window, portone_simulator::Press::Pay).await.unwrap();
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID");
}
