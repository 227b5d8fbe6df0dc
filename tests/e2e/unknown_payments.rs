//! What verify reads from PortOne for an ID that is not of an order here.

use end_to_end::Shop;
use serde_json::json;

#[tokio::test]
async fn portone_is_asked_about_an_id_only_if_it_can_have_a_payment_of_it() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    let reads = || shop.portone().calls().iter().filter(|call| call.method == "GET").count();
    // None of these is an order ID, so no page of this shop opened a payment window with it.
    let before = reads();
    let wrong =
        ["x", "..", "../payments", "payment-1", "01JDABCDEFGHJKMNPQRSTVWXY", "8ZZZZZZZZZZZZZZZZZZZZZZZZZ"];
    for id in wrong.into_iter().chain([order.id.to_lowercase().as_str()]) {
        shop.verify(id).await.expect_problem(404, "order-not-found");
        for body in [json!({ "merchant_uid": id }), json!({ "imp_uid": "imp_1", "merchant_uid": id })] {
            shop.post("/payments/verify", &[], &body).await.expect_problem(404, "order-not-found");
        }
    }
    assert_eq!(reads(), before, "PortOne is not asked");
    // One that has the form may be an order whose record is lost: one read, and nothing is stored.
    shop.verify("01JDABCDEFGHJKMNPQRSTVWXYZ").await.expect_problem(404, "order-not-found");
    assert_eq!(reads(), before + 1);
    assert!(shop.orphans().is_empty());
}
