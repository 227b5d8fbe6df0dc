//! The first call of a process waits for its start as well: API Gateway counts from the request.

use std::time::Duration;

use end_to_end::{Shop, shop::ANSWER_MAX};
use local_stack::wire::{Fault, Rule};
use portone_simulator::Press;

#[tokio::test]
async fn the_deadline_of_the_first_call_counts_the_time_that_reading_the_secret_took() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.press(&order, Press::Tamper).await;
    // verify-payment starts with this request, and the secret comes at the third attempt.
    shop.secret_wire().inject(Rule::on("GetSecretValue").times(2), Fault::Hang);
    // The cancellation succeeds at the last moment, and then the table does not take its outcome.
    let cancel = Rule::on("POST /payments/{paymentId}/cancel");
    shop.portone_wire().inject(cancel, Fault::DelayAfter(Duration::from_secs(23)));
    shop.table_wire().inject(Rule::on("UpdateItem").after(1), Fault::Hang);
    let answer = shop.verify(&order.id).await;
    assert!(answer.took < ANSWER_MAX, "{:?}", answer.took);
    let content_type = answer.header("content-type").unwrap_or_default();
    assert!(content_type.contains("problem+json"), "{} {}", answer.status, answer.text);
    let counters = shop.stack.gateway().counters("verify-payment").unwrap();
    assert_eq!((counters.starts, counters.timeouts, counters.crashes), (1, 0, 0));

    shop.stack.heal();
    shop.portone().clear_faults();
    shop.verify(&order.id).await;
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "REJECTED");
    assert_eq!(shop.returned(&order), (1, 200), "the mismatch is cancelled once");
}
