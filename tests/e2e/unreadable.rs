//! A text that no decision depends on, or one unreadable record, hides nothing else; a public bug report (case 06).

use end_to_end::{Placed, Shop, schedule::console_cancel};
use local_stack::wire::{Fault, Rule};
use portone_simulator::{PaymentSpec, Press, RawText, Status};
use serde_json::json;

const TEXTS: [RawText; 4] = [RawText::LoneSurrogate, RawText::Nul, RawText::WrongType, RawText::Missing];

async fn paid(shop: &Shop) -> Placed {
    let order = shop.placed().await;
    shop.pay(&order).await;
    shop.verify(&order.id).await.expect(200);
    order
}

#[tokio::test]
async fn a_broken_text_keeps_no_paid_order_unpaid() {
    let shop = Shop::open().await;
    for raw in TEXTS {
        let order = shop.placed().await;
        shop.pay(&order).await;
        shop.portone().set_raw_text(&order.id, "orderName", Some(raw)).unwrap();
        assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID", "{raw:?}");

        let order = shop.placed_v1().await;
        let imp_uid = shop.pay_v1(&order).await;
        shop.portone().set_raw_text(&order.id, "buyer_name", Some(raw)).unwrap();
        assert_eq!(shop.verify_v1(&imp_uid, &order).await.expect(200)["status"], "PAID", "V1 {raw:?}");
    }
}

#[tokio::test]
async fn a_broken_text_of_a_pgs_message_hides_no_failure() {
    let shop = Shop::open().await;
    for raw in TEXTS {
        let order = shop.placed().await;
        shop.press(&order, Press::Decline).await;
        shop.portone().set_raw_text(&order.id, "failure.pgMessage", Some(raw)).unwrap();
        let view = shop.verify_as_buyer(&order).await.expect(200);
        assert_eq!(view["status"], "PENDING", "{raw:?}");
    }
}

/// A stranger's payment with a broken text comes first in the list.
#[tokio::test]
async fn one_broken_payment_of_the_list_hides_no_other() {
    let shop = Shop::open().await;
    let order = paid(&shop).await;
    let spec = PaymentSpec { status: Status::Failed, ..PaymentSpec::default() };
    shop.portone().put_payment("someone-elses-1", &spec).unwrap();
    shop.portone().set_raw_text("someone-elses-1", "orderName", Some(RawText::LoneSurrogate)).unwrap();
    shop.portone().act(&order.id, &console_cancel(None)).unwrap();
    shop.reconcile_all().await;
    assert_eq!(shop.status(&order), "CANCELLED", "its webhook was lost");
}

#[tokio::test]
async fn a_payment_that_cannot_be_decided_about_is_an_exception_that_names_the_field() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.pay(&order).await;
    shop.portone().patch_payment(&order.id, json!({ "amount": { "total": "2000" } })).unwrap();
    shop.make_due(&order);
    let other = paid(&shop).await;
    shop.portone().act(&other.id, &console_cancel(None)).unwrap();
    shop.reconcile().await;
    let findings = shop.findings("UNUSABLE_ANSWER");
    assert_eq!((findings.len(), &findings[0]["facts"]["field"]), (1, &json!("amount.total")), "{findings:?}");
    assert_eq!(shop.status(&other), "CANCELLED", "the others are compared all the same");
    shop.portone().patch_payment(&order.id, json!({ "amount": { "total": 2000 } })).unwrap();
    shop.reconcile().await;
    assert!(shop.findings("UNUSABLE_ANSWER").is_empty(), "it settles when the payment can be read");
    assert_eq!(shop.status(&order), "PAID");
}

/// V1's `findAll` with one item that is no payment.
#[tokio::test]
async fn one_unexpected_item_of_v1s_list_of_an_order_hides_no_payment() {
    let shop = Shop::open().await;
    let order = shop.placed_v1().await;
    let imp_uid = shop.pay_v1(&order).await;
    let payment = shop.portone().v1_payment(&imp_uid).unwrap();
    let body = json!({ "code": 0, "message": null, "response": {
        "total": 2, "previous": 0, "next": 0, "list": [payment, { "imp_uid": 7 }],
    } });
    let path = "GET /payments/findAll/{merchant_uid}";
    shop.v1_wire().inject(Rule::on(path), Fault::json(200, &body));
    assert_eq!(shop.verify_v1_order(&order).await.expect(200)["status"], "PAID");
}
