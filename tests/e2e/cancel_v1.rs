//! Cancelling an order that was paid through V1, which knows no idempotency key and no partial status.

use end_to_end::{Placed, Shop, shop::basket, table};
use local_stack::wire::{Fault, Rule};
use portone_simulator::{Act, CancelMode, Press};
use serde_json::{Value, json};

const CANCEL: &str = "POST /payments/cancel";

/// A shop whose V1 payments are shown by V2's API as well, or are not.
async fn shop(visible: bool) -> Shop {
    let shop = Shop::open().await;
    shop.portone().set_switches(|switches| switches.v1_visible_in_v2 = visible);
    shop
}

/// Two pairs of shoes, paid through V1: 2,000 won.
async fn paid(shop: &Shop) -> (Placed, String) {
    let order = shop.placed_v1().await;
    let imp_uid = shop.pay_v1(&order).await;
    (order, imp_uid)
}

/// What went back at PortOne, and in how many cancellations.
fn returned(shop: &Shop, imp_uid: &str) -> (i64, usize) {
    let payment = shop.portone().v1_payment(imp_uid).expect("PortOne has it");
    let back = payment["cancel_amount"].as_i64().unwrap_or_default();
    (back, payment["cancel_history"].as_array().map_or(0, Vec::len))
}

fn asked(shop: &Shop, imp_uid: &str) -> Vec<(Value, Value, Value)> {
    let bodies = shop.v1_cancels(imp_uid).into_iter();
    bodies.map(|body| (body["amount"].clone(), body["tax_free"].clone(), body["checksum"].clone())).collect()
}

#[tokio::test]
async fn all_of_it_goes_back_at_once() {
    for visible in [true, false] {
        let shop = shop(visible).await;
        let (order, imp_uid) = paid(&shop).await;
        let view = shop.cancel(&order, "c-1", &json!({ "reason": "재고 없음" })).await.expect(200);
        assert_eq!((&view["status"], &view["amount"]["cancelled"]), (&json!("CANCELLED"), &json!(2000)));
        assert_eq!(asked(&shop, &imp_uid), [(json!(2000), json!(0), json!(2000))]);
        assert_eq!(shop.v1_cancels(&imp_uid)[0]["reason"], "재고 없음");
        assert_eq!(returned(&shop, &imp_uid), (2000, 1));
        assert_eq!(shop.journal(&order).await["imbalances"], json!([]));
    }
}

#[tokio::test]
async fn parts_go_back_until_nothing_is_left_each_with_the_checksum_of_our_ledger() {
    for visible in [true, false] {
        let shop = shop(visible).await;
        let (order, imp_uid) = paid(&shop).await;
        for (key, amount, status) in [
            ("c-1", Some(500), "PARTIAL_CANCELLED"),
            ("c-2", Some(500), "PARTIAL_CANCELLED"),
            ("c-3", None, "CANCELLED"),
        ] {
            for _ in 0..2 {
                assert_eq!(
                    shop.cancel_amount(&order, key, amount).await.expect(200)["status"],
                    status,
                    "{key}"
                );
            }
        }
        let expected = [(500, 0, 2000), (500, 0, 1500), (1000, 0, 1000)];
        assert_eq!(asked(&shop, &imp_uid), expected.map(|(a, t, c)| (json!(a), json!(t), json!(c))));
        assert_eq!(returned(&shop, &imp_uid), (2000, 3));
        assert_eq!(shop.ledger(&order).len(), 3);
        assert_eq!(shop.journal(&order).await["imbalances"], json!([]));
    }
}

#[tokio::test]
async fn the_tax_free_share_follows_from_what_the_order_asked_for() {
    for visible in [true, false] {
        let shop = shop(visible).await;
        let body = json!({
            "items": [{ "productId": "rice", "quantity": 1 }, { "productId": "shoes", "quantity": 1 }],
            "customer": { "name": "홍길동" },
        });
        let order = shop.placed_v1_for(body).await;
        let imp_uid = shop.pay_v1(&order).await;
        shop.cancel_amount(&order, "c-1", Some(1500)).await.expect(200);
        shop.cancel_amount(&order, "c-2", None).await.expect(200);
        let expected = [(1500, 500, 31_000), (29_500, 29_500, 29_500)];
        assert_eq!(asked(&shop, &imp_uid), expected.map(|(a, t, c)| (json!(a), json!(t), json!(c))));
        assert_eq!(returned(&shop, &imp_uid), (31_000, 2));
    }
}

/// U24.
#[tokio::test]
async fn what_the_pg_decides_later_is_on_its_way_until_a_look_finds_it_done() {
    for visible in [true, false] {
        let shop = shop(visible).await;
        let (order, imp_uid) = paid(&shop).await;
        shop.portone().set_cancel_mode(&order.id, CancelMode::Async, Some(1)).unwrap();
        let view = shop.cancel_amount(&order, "c-1", Some(500)).await.expect(202);
        assert_eq!(view["cancellation"]["status"], "REQUESTED", "code 0 is not the money gone");
        assert_eq!((&view["status"], &view["amount"]["cancelled"]), (&json!("PAID"), &json!(0)));

        // Another one meanwhile is told from it by what is left.
        let view = shop.cancel_amount(&order, "c-2", Some(300)).await;
        assert!(matches!(view.status, 200 | 202), "{}", view.text);
        shop.portone().act(&order.id, &Act::ApproveCancellation { cancellation_id: None }).unwrap();
        let view = shop.verify_v1(&imp_uid, &order).await.expect(200);
        assert_eq!(
            (&view["status"], &view["amount"]["cancelled"]),
            (&json!("PARTIAL_CANCELLED"), &json!(800))
        );
        let rows = shop.ledger(&order);
        let statuses: Vec<_> = rows.iter().map(|row| (&row["amount"], &row["status"])).collect();
        let done = json!("SUCCEEDED");
        assert_eq!(statuses, [(&json!(500), &done), (&json!(300), &done)]);
        assert_eq!(asked(&shop, &imp_uid).len(), 2);
        assert_eq!(shop.journal(&order).await["imbalances"], json!([]));
    }
}

/// U20, U21, U26.
#[tokio::test]
async fn an_effect_whose_answer_was_lost_is_read_back_and_not_repeated() {
    for visible in [true, false] {
        let shop = shop(visible).await;
        let (order, imp_uid) = paid(&shop).await;
        shop.v1_wire().inject(Rule::on(CANCEL).times(1), Fault::ResetAfter);
        let view = shop.cancel_amount(&order, "c-1", Some(500)).await.expect(202);
        assert_eq!(view["cancellation"]["status"], "UNKNOWN");
        for _ in 0..2 {
            let view = shop.cancel_amount(&order, "c-1", Some(500)).await.expect(200);
            assert_eq!(view["cancellation"]["status"], "SUCCEEDED");
        }
        assert_eq!(returned(&shop, &imp_uid), (500, 1));
        assert_eq!(asked(&shop, &imp_uid).len(), 1);
    }
}

/// U20, U23: without a key nothing but time tells that the call before is over.
#[tokio::test]
async fn an_unanswered_cancellation_is_asked_for_again_only_when_portone_is_done_with_the_first() {
    for visible in [true, false] {
        let shop = shop(visible).await;
        let (order, imp_uid) = paid(&shop).await;
        shop.v1_wire().inject(Rule::on(CANCEL).times(1), Fault::ServerError);
        shop.cancel_amount(&order, "c-1", Some(500)).await.expect(202);
        for _ in 0..2 {
            shop.cancel_amount(&order, "c-1", Some(500)).await.expect(202);
        }
        let other = shop.cancel_amount(&order, "c-2", Some(300)).await;
        other.expect_problem(409, "cancellation-in-progress");
        assert_eq!((returned(&shop, &imp_uid), shop.v1_wire().count(CANCEL)), ((0, 0), 1));

        table::age_cancellation(&shop.stack, &order.id, 11);
        let view = shop.cancel_amount(&order, "c-1", Some(500)).await.expect(200);
        assert_eq!(view["cancellation"]["status"], "SUCCEEDED");
        assert_eq!(returned(&shop, &imp_uid), (500, 1));
        shop.cancel_amount(&order, "c-2", Some(300)).await.expect(200);
        assert_eq!(returned(&shop, &imp_uid), (800, 2));
        assert_eq!(shop.journal(&order).await["imbalances"], json!([]));
    }
}

#[tokio::test]
async fn a_refusal_under_http_200_is_a_refusal() {
    for visible in [true, false] {
        let shop = shop(visible).await;
        let (order, imp_uid) = paid(&shop).await;
        shop.portone().set_cancel_mode(&order.id, CancelMode::RefuseByPg, Some(1)).unwrap();
        let view = shop.cancel_amount(&order, "c-1", None).await.expect(200);
        assert_eq!((&view["cancellation"]["status"], &view["status"]), (&json!("FAILED"), &json!("PAID")));
        let view = shop.cancel_amount(&order, "c-2", None).await.expect(200);
        assert_eq!(view["status"], "CANCELLED");
        assert_eq!(returned(&shop, &imp_uid), (2000, 1));
    }
}

#[tokio::test]
async fn a_deposit_goes_back_to_the_account_that_the_operator_names_in_the_pgs_own_code() {
    for visible in [true, false] {
        let shop = shop(visible).await;
        let mut body = basket("shoes", 2);
        body["payMethod"] = json!("VIRTUAL_ACCOUNT");
        let order = shop.placed_v1_for(body).await;
        let imp_uid = shop.press_v1(&order, Press::Issue).await;
        shop.portone().act(&order.id, &Act::Deposit { amount: None }).unwrap();
        let problem = shop.cancel_amount(&order, "c-1", None).await.expect_problem(422, "validation-failed");
        assert_eq!(problem["errors"][0]["pointer"], "/refundAccount");

        let account = json!({ "bank": "88", "number": "110-123-456789", "holderName": "홍길동" });
        let cancel = json!({ "reason": "고객 변심", "refundAccount": account });
        let view = shop.cancel(&order, "c-1", &cancel).await.expect(200);
        assert_eq!(view["status"], "CANCELLED");
        let body = &shop.v1_cancels(&imp_uid)[0];
        let sent = [&body["refund_bank"], &body["refund_account"], &body["refund_holder"]];
        assert_eq!(sent, [&json!("88"), &json!("110123456789"), &json!("홍길동")]);
        assert_eq!(returned(&shop, &imp_uid), (2000, 1));
    }
}
