//! Which store, and which of a LIVE and a TEST deployment, a payment belongs to.

use end_to_end::Shop;
use portone_simulator::{ChannelKind, PaymentSpec};
use serde_json::json;

/// A shop whose store is below the merchant's own, with the merchant's API secret.
async fn below_another_store() -> Shop {
    let stores = vec!["store-of-the-merchant".to_owned(), "store-of-the-shop".to_owned()];
    Shop::open_with(|options| options.stores = stores).await
}

/// Schema: `storeId` of every call; without it PortOne uses the store of the API secret, and does not find the payment.
#[tokio::test]
async fn a_payment_of_a_store_below_another_is_found_cancelled_and_listed() {
    let shop = below_another_store().await;
    let order = shop.placed().await;
    shop.pay(&order).await;
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID");
    let answer = shop.cancel_order(&order, "a-key-of-the-desk", Some(500)).await.expect(200);
    assert_eq!(answer["cancellation"]["status"], "SUCCEEDED", "{answer}");

    let lost = shop.placed().await;
    shop.pay(&lost).await;
    let summary = shop.reconcile_all().await;
    assert_eq!((shop.status(&lost), &summary["compared"]), ("PAID".to_owned(), &json!(2)), "{summary}");
}

/// README recommends a TEST deployment next to the LIVE one. Schema: `PaymentFilterInput.isTest`, `.storeId`.
#[tokio::test]
async fn payments_of_another_store_or_of_test_channels_are_not_this_deployments_business() {
    let shop = below_another_store().await;
    let other = |change: fn(&mut PaymentSpec)| {
        let mut spec =
            PaymentSpec { store_id: Some("store-of-the-shop".to_owned()), ..PaymentSpec::default() };
        change(&mut spec);
        spec
    };
    let payments = [
        ("theirs", other(|spec| spec.store_id = Some("store-of-the-merchant".to_owned()))),
        ("a-test", other(|spec| spec.channel_type = ChannelKind::Test)),
    ];
    for (id, spec) in &payments {
        shop.portone().put_payment(id, spec).unwrap();
        shop.deliver_about("Transaction.Paid", id).await.expect(200);
    }
    shop.reconcile_all().await;
    assert!(shop.orphans().is_empty(), "another deployment answers for them");

    shop.portone().put_payment("ours", &other(|_| {})).unwrap();
    shop.reconcile_all().await;
    assert_eq!(shop.orphans().len(), 1, "a payment of this store and mode is one");
}
