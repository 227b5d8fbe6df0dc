//! What becomes of a cancellation: done, refused, taken, or nobody knows are four different things, also
//! when the process dies on the way.

use end_to_end::{Answer, Placed, Shop};
use local_stack::wire::{Fault, Gate, Rule};
use portone_simulator::{Act, CancelMode, Press};
use serde_json::{Value, json};

const CANCEL: &str = "POST /payments/{paymentId}/cancel";

/// Two pairs of shoes, paid and known to be: 2,000 won.
async fn paid() -> (Shop, Placed) {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.pay(&order).await;
    shop.verify(&order.id).await.expect(200);
    (shop, order)
}

fn keys(shop: &Shop, order: &Placed) -> Vec<String> {
    shop.v2_cancels(order).into_iter().map(|(key, _)| key).collect()
}

async fn cancellations(shop: &Shop, order: &Placed) -> Value {
    shop.view(order).await["cancellations"].clone()
}

/// U24: money that a PG decides about later is not shown as returned.
#[tokio::test]
async fn what_the_pg_decides_later_is_on_its_way_until_its_webhook_says_done() {
    let (shop, order) = paid().await;
    shop.portone().set_cancel_mode(&order.id, CancelMode::Async, Some(1)).unwrap();
    let view = shop.cancel_amount(&order, "c-1", Some(500)).await.expect(202);
    assert_eq!(view["cancellation"]["status"], "REQUESTED");
    assert_eq!((&view["status"], &view["amount"]["cancelled"]), (&json!("PAID"), &json!(0)), "{view}");

    // It is spoken for: no other cancellation may have it.
    let more = shop.cancel_amount(&order, "c-2", Some(1501)).await;
    assert_eq!(more.expect_problem(409, "cancel-amount-exceeds-balance")["balance"], 1500);
    shop.cancel_amount(&order, "c-1", Some(500)).await.expect(202);

    shop.portone().act(&order.id, &Act::ApproveCancellation { cancellation_id: None }).unwrap();
    shop.release_webhooks().await;
    let view = shop.view(&order).await;
    assert_eq!((&view["status"], &view["amount"]["cancelled"]), (&json!("PARTIAL_CANCELLED"), &json!(500)));
    let again = shop.cancel_amount(&order, "c-1", Some(500)).await.expect(200);
    assert_eq!(again["cancellation"]["status"], "SUCCEEDED");
    assert_eq!(shop.v2_cancels(&order).len(), 1);
    shop.assert_balanced(&order).await;
}

/// U24.
#[tokio::test]
async fn what_the_pg_decides_later_may_be_found_by_a_look_instead_of_a_webhook() {
    let (shop, order) = paid().await;
    shop.portone().set_cancel_mode(&order.id, CancelMode::Async, Some(1)).unwrap();
    shop.cancel_amount(&order, "c-1", None).await.expect(202);
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID");
    shop.portone().act(&order.id, &Act::ApproveCancellation { cancellation_id: None }).unwrap();
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "CANCELLED");
    assert_eq!(shop.returned(&order), (1, 2000));
    shop.assert_balanced(&order).await;
}

#[tokio::test]
async fn what_the_pg_refuses_later_can_be_asked_for_again_with_a_new_key() {
    let (shop, order) = paid().await;
    shop.portone().set_cancel_mode(&order.id, CancelMode::Async, Some(1)).unwrap();
    shop.cancel_amount(&order, "c-1", None).await.expect(202);
    shop.portone().act(&order.id, &Act::FailCancellation { cancellation_id: None }).unwrap();
    let again = shop.cancel_amount(&order, "c-1", None).await.expect(200);
    assert_eq!((&again["cancellation"]["status"], &again["status"]), (&json!("FAILED"), &json!("PAID")));
    let view = shop.cancel_amount(&order, "c-2", None).await.expect(200);
    assert_eq!(view["status"], "CANCELLED");
    assert_eq!(shop.returned(&order), (1, 2000));
    let keys = keys(&shop, &order);
    assert_eq!(keys.len(), 2);
    assert_ne!(keys[0], keys[1]);
    shop.assert_balanced(&order).await;
}

#[tokio::test]
async fn a_refusal_is_told_with_its_code_and_is_final_for_its_key() {
    for (mode, code) in [(CancelMode::FailInBand, "FAILED"), (CancelMode::RefuseByPg, "REFUSED")] {
        let (shop, order) = paid().await;
        shop.portone().set_cancel_mode(&order.id, mode, Some(1)).unwrap();
        for _ in 0..2 {
            let view = shop.cancel_amount(&order, "c-1", Some(500)).await.expect(200);
            assert_eq!(view["cancellation"]["status"], "FAILED", "{mode:?}");
            assert_eq!(view["cancellation"]["failure"], code, "{mode:?}: {view}");
            assert_eq!((&view["status"], &view["amount"]["cancelled"]), (&json!("PAID"), &json!(0)));
        }
        assert_eq!(shop.v2_cancels(&order).len(), 1, "{mode:?}");
        let view = shop.cancel_amount(&order, "c-2", Some(500)).await.expect(200);
        assert_eq!(view["cancellation"]["status"], "SUCCEEDED", "{mode:?}");
        assert_eq!(shop.returned(&order), (1, 500), "{mode:?}");
        shop.assert_balanced(&order).await;
    }
}

#[tokio::test]
async fn the_pgs_words_are_kept_beside_its_code_without_the_buyers_name_and_numbers() {
    let (shop, order) = paid().await;
    let said = "예금주 불일치: 홍길동님, 계좌 110-123-456789 (kim@shop.kr)  [E4021]";
    let refusal = json!({ "type": "PG_PROVIDER", "message": "-", "pgCode": "E4021", "pgMessage": said });
    shop.portone_wire().inject(Rule::on(CANCEL).times(1), Fault::json(502, &refusal));
    let view = shop.cancel_amount(&order, "c-1", Some(500)).await.expect(200);
    assert_eq!(view["cancellation"]["failure"], "E4021", "{view}");
    let kept = "예금주 불일치: ***님, 계좌 *** *** [E4021]";
    assert_eq!(view["cancellation"]["failureMessage"], kept, "{view}");
    assert_eq!(shop.journal(&order).await["cancellations"][0]["failureMessage"], kept);
    // The buyer is told that it failed, and no more.
    let shown = shop.view(&order).await;
    assert!(!shown.to_string().contains("E4021") && !shown.to_string().contains("예금주"), "{shown}");
    assert!(
        shop.log.lines().iter().all(|line| !line.text.contains("예금주")),
        "what a PG says is no log line"
    );

    let view = shop.cancel_amount(&order, "c-2", Some(500)).await.expect(200);
    assert!(view["cancellation"].get("failureMessage").is_none(), "{view}");
}

/// U20, U21, U26: no answer is neither done nor refused.
#[tokio::test]
async fn without_an_answer_nobody_knows_and_the_next_look_asks_with_the_same_key() {
    let faults = [
        Fault::ResetBefore,
        Fault::ServerError,
        Fault::Throttle,
        Fault::html(502),
        Fault::json(200, &json!({ "cancellation": { "status": "SOMETHING_NEW", "id": "c" } })),
        Fault::json(409, &json!({ "type": "IDEMPOTENCY_OUTSTANDING_REQUEST" })),
    ];
    for (number, fault) in faults.into_iter().enumerate() {
        let (shop, order) = paid().await;
        shop.portone_wire().inject(Rule::on(CANCEL).times(1), fault);
        let view = shop.cancel_amount(&order, "c-1", Some(500)).await.expect(202);
        assert_eq!(view["cancellation"]["status"], "UNKNOWN", "fault {number}");
        assert_eq!((&view["status"], &view["amount"]["cancelled"]), (&json!("PAID"), &json!(0)));
        let id = view["cancellation"]["id"].clone();

        let view = shop.verify(&order.id).await.expect(200);
        assert_eq!(view["status"], "PARTIAL_CANCELLED", "fault {number}");
        assert_eq!(keys(&shop, &order), [format!("\"{}\"", id.as_str().unwrap())], "fault {number}");
        assert_eq!(shop.returned(&order), (1, 500), "fault {number}");
        let again = shop.cancel_amount(&order, "c-1", Some(500)).await.expect(200);
        assert_eq!(
            (&again["cancellation"]["id"], &again["cancellation"]["status"]),
            (&id, &json!("SUCCEEDED"))
        );
        shop.assert_balanced(&order).await;
    }
}

/// U20, U21, U26.
#[tokio::test]
async fn an_effect_whose_answer_was_lost_is_found_and_not_repeated() {
    for look in ["request", "verify", "webhook"] {
        let (shop, order) = paid().await;
        shop.portone().set_cancel_mode(&order.id, CancelMode::EffectThenDrop, Some(1)).unwrap();
        let view = shop.cancel_amount(&order, "c-1", Some(500)).await.expect(202);
        assert_eq!(view["cancellation"]["status"], "UNKNOWN", "{look}");
        match look {
            "request" => drop(shop.cancel_amount(&order, "c-1", Some(500)).await.expect(200)),
            "verify" => drop(shop.verify(&order.id).await.expect(200)),
            _ => drop(shop.release_webhooks().await),
        }
        let rows = cancellations(&shop, &order).await;
        assert_eq!((&rows[0]["status"], &rows[1]), (&json!("SUCCEEDED"), &Value::Null), "{look}");
        assert_eq!(shop.ledger(&order)[0]["origin"], "OPERATOR", "{look}");
        assert_eq!(shop.returned(&order), (1, 500), "{look}");
        assert_eq!(shop.v2_cancels(&order).len(), 1, "{look}");
        shop.assert_balanced(&order).await;
    }
}

/// U20, U24: taken by the PG, and the answer lost on the way.
#[tokio::test]
async fn what_was_taken_without_our_hearing_of_it_is_on_its_way_and_not_asked_for_again() {
    let (shop, order) = paid().await;
    shop.portone().set_cancel_mode(&order.id, CancelMode::Async, Some(1)).unwrap();
    shop.portone_wire().inject(Rule::on(CANCEL).times(1), Fault::ResetAfter);
    let view = shop.cancel_amount(&order, "c-1", None).await.expect(202);
    assert_eq!(view["cancellation"]["status"], "UNKNOWN");
    for _ in 0..2 {
        let view = shop.cancel_amount(&order, "c-1", None).await.expect(202);
        assert_eq!((&view["cancellation"]["status"], &view["status"]), (&json!("REQUESTED"), &json!("PAID")));
    }
    shop.portone().act(&order.id, &Act::ApproveCancellation { cancellation_id: None }).unwrap();
    assert_eq!(shop.cancel_amount(&order, "c-1", None).await.expect(200)["status"], "CANCELLED");
    assert_eq!((shop.returned(&order), shop.v2_cancels(&order).len()), ((1, 2000), 1));
    shop.assert_balanced(&order).await;
}

#[tokio::test]
async fn portone_or_the_table_down_moves_nothing_and_can_be_tried_again() {
    let (shop, order) = paid().await;
    shop.portone_wire().inject(Rule::on("GET /payments/{paymentId}"), Fault::ServerError);
    let answer = shop.cancel_amount(&order, "c-1", Some(500)).await;
    answer.expect_problem(503, "payment-gateway-unavailable");
    shop.stack.heal();
    shop.table_wire().inject(Rule::any(), Fault::ServerError);
    let answer = shop.cancel_amount(&order, "c-1", Some(500)).await;
    answer.expect_problem(503, "temporarily-unavailable");
    shop.stack.heal();
    assert_eq!((shop.returned(&order), shop.ledger(&order).len()), ((0, 0), 0));
    shop.cancel_amount(&order, "c-1", Some(500)).await.expect(200);
    assert_eq!(shop.returned(&order), (1, 500));
}

/// An intent that cannot be written is not asked for.
#[tokio::test]
async fn no_money_moves_before_its_intent_is_on_record() {
    let (shop, order) = paid().await;
    shop.table_wire().inject(Rule::on("UpdateItem"), Fault::ServerError);
    let answer = shop.cancel_amount(&order, "c-1", Some(500)).await;
    answer.expect_problem(503, "temporarily-unavailable");
    assert!(shop.v2_cancels(&order).is_empty());
    shop.stack.heal();
    shop.cancel_amount(&order, "c-1", Some(500)).await.expect(200);
    assert_eq!(shop.returned(&order), (1, 500));
}

/// What a step of cancelling is called on the wires.
#[derive(Debug, Clone, Copy)]
enum Step {
    Reading,
    BeforeIntent,
    AfterIntent,
    BeforeCall,
    AfterCall,
    BeforeOutcome,
    AfterOutcome,
}

impl Step {
    fn hold(self, shop: &Shop) -> Gate {
        let write = |skip| Rule::on("UpdateItem").after(skip).times(1);
        match self {
            Self::Reading => shop.portone_wire().hold_after(Rule::on("GET /payments/{paymentId}").times(1)),
            Self::BeforeIntent => shop.table_wire().hold_before(write(0)),
            Self::AfterIntent => shop.table_wire().hold_after(write(0)),
            Self::BeforeCall => shop.portone_wire().hold_before(Rule::on(CANCEL).times(1)),
            Self::AfterCall => shop.portone_wire().hold_after(Rule::on(CANCEL).times(1)),
            Self::BeforeOutcome => shop.table_wire().hold_before(write(1)),
            Self::AfterOutcome => shop.table_wire().hold_after(write(1)),
        }
    }

    /// Whether the order names the cancellation once its process died here.
    fn leaves_an_intent(self) -> bool {
        !matches!(self, Self::Reading | Self::BeforeIntent)
    }
}

const STEPS: [Step; 7] = [
    Step::Reading,
    Step::BeforeIntent,
    Step::AfterIntent,
    Step::BeforeCall,
    Step::AfterCall,
    Step::BeforeOutcome,
    Step::AfterOutcome,
];

/// A paid order whose cancellation of 500 won was killed at `step`.
async fn killed_at(step: Step) -> (Shop, Placed) {
    let (shop, order) = paid().await;
    let gate = step.hold(&shop);
    let kill = async {
        shop.at_gate(&gate, 1).await;
        shop.kill("cancel-order").await;
    };
    let (answer, ()): (Answer, ()) = tokio::join!(shop.cancel_amount(&order, "c-1", Some(500)), kill);
    assert_eq!(answer.status, 500, "{step:?}: {}", answer.text);
    drop(gate);
    (shop, order)
}

async fn assert_back_once(shop: &Shop, order: &Placed, step: Step) {
    assert_eq!(shop.returned(order), (1, 500), "{step:?}: {}", shop.payment(order)["cancellations"]);
    let rows = shop.ledger(order);
    assert_eq!(rows.len(), 1, "{step:?}: {rows:?}");
    assert_eq!(
        (&rows[0]["status"], &rows[0]["origin"]),
        (&json!("SUCCEEDED"), &json!("OPERATOR")),
        "{step:?}"
    );
    assert_eq!(shop.stored(&order.id)["status"], "PARTIAL_CANCELLED", "{step:?}");
    shop.assert_balanced(order).await;
}

/// U21, U22, U23.
#[tokio::test]
async fn whatever_step_a_cancellation_dies_at_repeating_the_request_ends_it_once() {
    for step in STEPS {
        let (shop, order) = killed_at(step).await;
        let view = shop.cancel_amount(&order, "c-1", Some(500)).await.expect(200);
        assert_eq!(view["cancellation"]["status"], "SUCCEEDED", "{step:?}");
        assert_back_once(&shop, &order, step).await;
        shop.cancel_amount(&order, "c-1", Some(500)).await.expect(200);
        shop.release_webhooks().await;
        assert_back_once(&shop, &order, step).await;
    }
}

/// U21, U22.
#[tokio::test]
async fn whatever_step_a_cancellation_dies_at_any_look_ends_what_was_begun() {
    for step in STEPS {
        let (shop, order) = killed_at(step).await;
        assert_eq!(!shop.ledger(&order).is_empty(), step.leaves_an_intent(), "{step:?}");
        shop.verify(&order.id).await.expect(200);
        if step.leaves_an_intent() {
            assert_back_once(&shop, &order, step).await;
        } else {
            assert_eq!((shop.returned(&order), shop.ledger(&order).len()), ((0, 0), 0), "{step:?}");
        }
        shop.cancel_amount(&order, "c-1", Some(500)).await.expect(200);
        assert_back_once(&shop, &order, step).await;
    }
}

/// An account and its holder are needed until the PG has them, and no longer.
#[tokio::test]
async fn the_refund_account_is_gone_from_the_order_once_the_outcome_is_known_and_never_in_a_log() {
    let shop = Shop::open().await;
    let body = json!({
        "items": [{ "productId": "shoes", "quantity": 2 }], "customer": { "name": "홍길동" },
        "payMethod": "VIRTUAL_ACCOUNT",
    });
    let order = shop.placed_for(&body).await;
    shop.press(&order, Press::Issue).await;
    shop.portone().act(&order.id, &Act::Deposit { amount: None }).unwrap();

    let personal = ["110987654321", "임꺽정", "01098765432"];
    let cancel = json!({
        "reason": "고객 변심", "amount": 500,
        "refundAccount": {
            "bank": "SHINHAN", "number": "110-987-654321", "holderName": "임꺽정", "holderPhoneNumber": "010-9876-5432",
        },
    });
    let kept = |shop: &Shop| {
        let item = shop.stored(&order.id).to_string();
        personal.iter().filter(|text| item.contains(*text)).count()
    };
    // Every try is the same request, so it is kept while there is no outcome.
    shop.portone_wire().inject(Rule::on(CANCEL).times(1), Fault::ServerError);
    shop.cancel(&order, "c-1", &cancel).await.expect(202);
    assert_eq!(kept(&shop), 3);
    shop.cancel(&order, "c-1", &cancel).await.expect(200);
    assert_eq!(kept(&shop), 0, "{}", shop.stored(&order.id));
    let account = &shop.v2_cancels(&order)[0].1["refundAccount"];
    let expected = json!({
        "bank": "SHINHAN", "number": "110987654321", "holderName": "임꺽정", "holderPhoneNumber": "01098765432",
    });
    assert_eq!(*account, expected);

    for (number, mode) in [CancelMode::Async, CancelMode::FailInBand].into_iter().enumerate() {
        shop.portone().set_cancel_mode(&order.id, mode, Some(1)).unwrap();
        shop.cancel(&order, &format!("c-{number}-{mode:?}"), &cancel).await;
        assert_eq!(kept(&shop), 0, "{mode:?}");
    }
    let journal = shop.journal(&order).await.to_string();
    for text in personal {
        assert!(!journal.contains(text), "{journal}");
        let lines = shop.log.lines();
        let told = lines.iter().find(|line| line.text.contains(text));
        assert!(told.is_none(), "{told:?}");
    }
}
