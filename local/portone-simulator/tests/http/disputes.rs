//! Disputes and chargebacks (case 13).

use portone_simulator::{Act, CancelMode, PaymentSpec, Simulator, Status};
use serde_json::json;

use crate::{paid, simulator, webhooks::with_receiver};

/// Acts and waits for its webhook, since two on the wire may overtake each other.
async fn act(simulator: &Simulator, act: Act) {
    simulator.act("p", &act).unwrap();
    simulator.settled().await;
}

/// `Dispute` of the V2 schema: `status`, `reason` and `createdAt` required, `pgDisputeId` and `resolvedAt` optional;
/// webhook types of the guide `opi/ko/integration/webhook/readme-v2`.
#[tokio::test]
async fn a_dispute_is_listed_on_the_paid_payment_and_reported_by_webhook_until_it_is_resolved() {
    let (simulator, receiver) = with_receiver().await;
    paid(&simulator, "p");
    assert_eq!(simulator.payment("p").unwrap()["disputes"], json!([]));
    act(&simulator, Act::Dispute { reason: Some("받지 못한 물건".to_owned()) }).await;
    let open = simulator.payment("p").unwrap();
    let dispute = &open["disputes"][0];
    assert_eq!((&open["status"], &dispute["status"]), (&json!("PAID"), &json!("UNRESOLVED")));
    assert_eq!((&dispute["reason"], dispute.get("resolvedAt")), (&json!("받지 못한 물건"), None));
    assert!(dispute["createdAt"].is_string() && dispute["pgDisputeId"].is_string());

    act(&simulator, Act::ResolveDispute {}).await;
    let closed = simulator.payment("p").unwrap();
    assert_eq!(closed["disputes"][0]["status"], "RESOLVED");
    assert!(closed["disputes"][0]["resolvedAt"].is_string());
    assert_eq!(receiver.kinds(), ["DisputeCreated", "DisputeResolved"]);
    assert!(simulator.act("p", &Act::ResolveDispute {}).is_err(), "none is open");
}

#[tokio::test]
async fn only_a_paid_payment_can_be_disputed() {
    let simulator = simulator().await;
    for status in [Status::Ready, Status::Failed, Status::PartialCancelled, Status::Cancelled] {
        simulator.put_payment("p", &PaymentSpec { status, ..PaymentSpec::default() }).unwrap();
        assert!(simulator.act("p", &Act::Dispute { reason: None }).is_err(), "{status:?}");
    }
}

/// `CancellationTrigger` CHARGEBACK; PARTIAL_CANCELLED and CANCELLED have no `disputes`.
#[tokio::test]
async fn a_chargeback_is_a_cancellation_of_its_own_trigger_whatever_the_cancel_mode() {
    let (simulator, receiver) = with_receiver().await;
    paid(&simulator, "p");
    simulator.set_cancel_mode("p", CancelMode::RefuseByPg, Some(1)).unwrap();
    act(&simulator, Act::Dispute { reason: None }).await;
    act(&simulator, Act::Chargeback { amount: Some(400), reason: Some("도난 카드".to_owned()) }).await;
    let payment = simulator.payment("p").unwrap();
    let taken = &payment["cancellations"][0];
    assert_eq!((&payment["status"], payment.get("disputes")), (&json!("PARTIAL_CANCELLED"), None));
    assert_eq!((&taken["trigger"], &taken["status"]), (&json!("CHARGEBACK"), &json!("SUCCEEDED")));
    assert_eq!((&taken["totalAmount"], &taken["reason"]), (&json!(400), &json!("도난 카드")));
    act(&simulator, Act::Chargeback { amount: None, reason: None }).await;
    assert_eq!(simulator.payment("p").unwrap()["amount"]["cancelled"], 1000);
    assert_eq!(receiver.kinds(), ["DisputeCreated", "PartialCancelled", "Cancelled"]);
}
