//! Everything that a function does with money or stock, as an operation that can be prepared, run, and run again
//! by whoever did not hear of its end.

use std::sync::atomic::{AtomicU64, Ordering};

use end_to_end::{
    Answer, Delivery, Placed, Shop,
    schedule::{console_cancel, millis_ago},
    shop::basket,
    table,
};
use portone_simulator::{Act, Event, Press, Timestamp, webhook::BodyVersion};
use reqwest::Method;
use serde_json::{Value, json};

use crate::model::{COUNTED, STOCK, Story};

/// One operation, with what happened before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Of a product that is not counted: one write.
    CreateOrder,
    /// Of one that is: a transaction.
    CreateCounted,
    CreateV1,
    VerifyPaid,
    VerifyMismatch,
    /// The order had expired, and its pieces were given back.
    VerifyLate,
    VerifyAccount,
    VerifyV1Paid,
    VerifyV1Mismatch,
    WebhookPaid,
    WebhookMismatch,
    /// After money went back at PortOne's console.
    WebhookCancelled,
    V1WebhookPaid,
    V1WebhookMismatch,
    Confirm,
    CancelWhole,
    CancelPart,
    CancelUnpaid,
    /// Its account waits for a deposit, and is closed first.
    CancelAccount,
    CancelV1,
    Sync,
    GetOrder,
    ListProducts,
    /// Orders of every kind are due.
    ReconcileDue,
    /// Nothing is due; PortOne's lists have what nobody told of.
    ReconcileLists,
    DailyExport,
}

use Operation as O;

/// All of them.
const OPERATIONS: [Operation; 26] = [
    O::CreateOrder,
    O::CreateCounted,
    O::CreateV1,
    O::VerifyPaid,
    O::VerifyMismatch,
    O::VerifyLate,
    O::VerifyAccount,
    O::VerifyV1Paid,
    O::VerifyV1Mismatch,
    O::WebhookPaid,
    O::WebhookMismatch,
    O::WebhookCancelled,
    O::V1WebhookPaid,
    O::V1WebhookMismatch,
    O::Confirm,
    O::CancelWhole,
    O::CancelPart,
    O::CancelUnpaid,
    O::CancelAccount,
    O::CancelV1,
    O::Sync,
    O::GetOrder,
    O::ListProducts,
    O::ReconcileDue,
    O::ReconcileLists,
    O::DailyExport,
];

/// All of them, or the one that `ASSURANCE_OPERATION` names.
pub fn chosen() -> impl Iterator<Item = Operation> {
    let wanted = std::env::var("ASSURANCE_OPERATION").ok();
    OPERATIONS.into_iter().filter(move |it| wanted.as_ref().is_none_or(|name| *name == format!("{it:?}")))
}

/// An operation made ready: the orders it is about, and the key it is asked for under.
pub struct Case {
    pub stories: Vec<Story>,
    key: String,
    imp_uid: String,
}

/// How an operation was answered.
#[derive(Debug)]
pub struct Answered {
    /// HTTP's; of what has no route 200 or 500.
    pub status: u16,
    pub text: String,
}

impl From<Answer> for Answered {
    fn from(answer: Answer) -> Self {
        Self { status: answer.status, text: answer.text }
    }
}

/// What a story's shop is opened with.
pub async fn open() -> Shop {
    let shop = Shop::open().await;
    shop.set_stock(COUNTED, u32::try_from(STOCK).unwrap());
    shop
}

/// A basket to be paid by deposit.
pub fn for_an_account() -> Value {
    let mut body = basket(COUNTED, 2);
    body["payMethod"] = json!("VIRTUAL_ACCOUNT");
    body
}

fn unique() -> String {
    static LAST: AtomicU64 = AtomicU64::new(0);
    format!("request-{}", LAST.fetch_add(1, Ordering::Relaxed))
}

async fn pressed(shop: &Shop, button: Press) -> Story {
    let order = shop.placed().await;
    shop.press(&order, button).await;
    Story::of(order)
}

/// Paid, and known to be.
async fn paid(shop: &Shop) -> Story {
    let story = pressed(shop, Press::Pay).await;
    shop.verify(&story.placed.id).await.expect(200);
    story
}

/// Its account waits for a deposit, and is known to.
async fn issued(shop: &Shop) -> Story {
    let order = shop.placed_for(&for_an_account()).await;
    shop.press(&order, Press::Issue).await;
    shop.verify(&order.id).await.expect(200);
    Story::of(order)
}

/// Nobody paid it in time, whether or not anybody has noticed.
pub fn overdue(shop: &Shop, story: &mut Story) {
    // More than any function's clock is slow.
    const AGO: i64 = 20 * 60_000;
    let id = &story.placed.id;
    table::set_order(&shop.stack, id, "expiresAt", &millis_ago(AGO));
    // The account that the order knows of. A newer one has a deadline of its own.
    if let Some(transaction) = shop.stored(id)["virtualAccount"]["transactionId"].as_str() {
        table::set_inside(&shop.stack, id, "virtualAccount", "expiresAt", &millis_ago(AGO));
        story.account_expired = Some(transaction.to_owned());
    }
    story.expired = true;
    story.newer_account = has_newer_account(shop, story);
}

/// An account was issued whose deadline is not the one that is over.
pub fn has_newer_account(shop: &Shop, story: &Story) -> bool {
    let newest = shop.portone().payment(&story.placed.id).unwrap_or_default();
    newest["status"] == "VIRTUAL_ACCOUNT_ISSUED"
        && newest["transactionId"].as_str() != story.account_expired.as_deref()
}

fn due(shop: &Shop, story: &Story) {
    if shop.stored(&story.placed.id)["waiting"].is_string() {
        table::set_order(&shop.stack, &story.placed.id, "lookAt", &json!({ "N": "0" }));
    }
}

impl Operation {
    /// The function that does it.
    pub fn function(self) -> &'static str {
        match self {
            O::CreateOrder | O::CreateCounted | O::CreateV1 => "create-order",
            O::VerifyPaid
            | O::VerifyMismatch
            | O::VerifyLate
            | O::VerifyAccount
            | O::VerifyV1Paid
            | O::VerifyV1Mismatch => "verify-payment",
            O::WebhookPaid
            | O::WebhookMismatch
            | O::WebhookCancelled
            | O::V1WebhookPaid
            | O::V1WebhookMismatch => "webhook",
            O::Confirm => "confirm-payment",
            O::CancelWhole | O::CancelPart | O::CancelUnpaid | O::CancelAccount | O::CancelV1 => {
                "cancel-order"
            }
            O::Sync => "back-office",
            O::GetOrder => "get-order",
            O::ListProducts => "list-products",
            O::ReconcileDue | O::ReconcileLists => "reconcile",
            O::DailyExport => "daily-export",
        }
    }

    /// Where the orders stand once it is done, in the order of the stories.
    pub fn done(self) -> &'static [&'static str] {
        match self {
            O::CreateOrder | O::CreateCounted | O::CreateV1 | O::Confirm => &["PENDING"],
            O::VerifyPaid | O::VerifyLate | O::VerifyV1Paid | O::WebhookPaid | O::V1WebhookPaid | O::Sync => {
                &["PAID"]
            }
            O::VerifyMismatch | O::VerifyV1Mismatch | O::WebhookMismatch | O::V1WebhookMismatch => {
                &["REJECTED"]
            }
            O::VerifyAccount => &["VIRTUAL_ACCOUNT_ISSUED"],
            O::WebhookCancelled | O::CancelPart => &["PARTIAL_CANCELLED"],
            O::CancelWhole | O::CancelUnpaid | O::CancelAccount | O::CancelV1 => &["CANCELLED"],
            O::GetOrder => &["PAID"],
            O::ListProducts => &[],
            O::ReconcileDue => &["PAID", "REJECTED", "EXPIRED", "EXPIRED", "PAID"],
            O::ReconcileLists => &["PAID", "PARTIAL_CANCELLED", "PAID"],
            O::DailyExport => &["PAID"],
        }
    }

    /// Whether nobody asks for it: it comes by the clock.
    pub fn is_scheduled(self) -> bool {
        matches!(self, O::ReconcileDue | O::ReconcileLists | O::DailyExport)
    }

    /// What happens before it.
    pub async fn prepare(self, shop: &Shop) -> Case {
        let mut imp_uid = String::new();
        let stories = match self {
            O::CreateOrder | O::CreateCounted | O::CreateV1 | O::ListProducts => vec![],
            O::VerifyPaid | O::WebhookPaid | O::Sync => vec![pressed(shop, Press::Pay).await],
            O::VerifyMismatch | O::WebhookMismatch => vec![pressed(shop, Press::Tamper).await],
            O::VerifyLate => {
                let mut story = Story::of(shop.placed().await);
                overdue(shop, &mut story);
                due(shop, &story);
                shop.reconcile_all().await;
                shop.pay(&story.placed).await;
                vec![story]
            }
            O::VerifyAccount => {
                let order = shop.placed_for(&for_an_account()).await;
                shop.press(&order, Press::Issue).await;
                vec![Story::of(order)]
            }
            O::VerifyV1Paid | O::V1WebhookPaid | O::VerifyV1Mismatch | O::V1WebhookMismatch => {
                let fits = matches!(self, O::VerifyV1Paid | O::V1WebhookPaid);
                let order = shop.placed_v1().await;
                imp_uid = shop.press_v1(&order, if fits { Press::Pay } else { Press::Tamper }).await;
                vec![Story::of(order)]
            }
            O::CancelV1 => {
                let order = shop.placed_v1().await;
                let uid = shop.pay_v1(&order).await;
                shop.verify_v1(&uid, &order).await.expect(200);
                vec![Story::of(order)]
            }
            O::WebhookCancelled => {
                let story = paid(shop).await;
                shop.portone().act(&story.placed.id, &console_cancel(Some(300))).unwrap();
                vec![story]
            }
            O::Confirm => vec![Story::of(shop.placed().await)],
            O::CancelWhole | O::CancelPart | O::GetOrder | O::DailyExport => vec![paid(shop).await],
            O::CancelUnpaid => vec![Story { closing: true, ..Story::of(shop.placed().await) }],
            O::CancelAccount => vec![Story { closing: true, ..issued(shop).await }],
            O::ReconcileDue => {
                let mut unpaid = Story::of(shop.placed().await);
                let mut account = issued(shop).await;
                overdue(shop, &mut unpaid);
                overdue(shop, &mut account);
                let deposited = issued(shop).await;
                shop.portone().act(&deposited.placed.id, &Act::Deposit { amount: None }).unwrap();
                let paid = pressed(shop, Press::Pay).await;
                let stories = vec![paid, pressed(shop, Press::Tamper).await, unpaid, account, deposited];
                stories.iter().for_each(|story| due(shop, story));
                stories
            }
            O::ReconcileLists => {
                let told = paid(shop).await;
                shop.portone().act(&told.placed.id, &console_cancel(Some(300))).unwrap();
                let v1 = shop.placed_v1().await;
                shop.pay_v1(&v1).await;
                vec![pressed(shop, Press::Pay).await, told, Story::of(v1)]
            }
        };
        Case { stories, key: unique(), imp_uid }
    }

    /// Runs it, for the first time or again: always as the same request.
    pub async fn run(self, shop: &Shop, case: &Case) -> Answered {
        let order = case.stories.first().map(|story| &story.placed);
        let order = || order.expect("an order was made");
        let about = |kind: &'static str| shop.deliver_about(kind, &order().id);
        match self {
            O::CreateOrder => shop.order_once(&case.key, &basket("socks", 2)).await.into(),
            O::CreateCounted => shop.order_once(&case.key, &basket(COUNTED, 2)).await.into(),
            O::CreateV1 => {
                let mut body = basket(COUNTED, 2);
                body["sdk"] = json!("v1");
                shop.order_once(&case.key, &body).await.into()
            }
            O::VerifyPaid | O::VerifyMismatch | O::VerifyLate | O::VerifyAccount => {
                shop.verify(&order().id).await.into()
            }
            O::VerifyV1Paid | O::VerifyV1Mismatch => shop.verify_v1(&case.imp_uid, order()).await.into(),
            O::WebhookPaid | O::WebhookMismatch => about("Transaction.Paid").await.into(),
            O::WebhookCancelled => about("Transaction.PartialCancelled").await.into(),
            O::V1WebhookPaid | O::V1WebhookMismatch => {
                shop.deliver_v1(&case.imp_uid, order(), "paid").await.into()
            }
            O::Confirm => question(shop, order()).await.into(),
            O::CancelWhole | O::CancelUnpaid | O::CancelAccount | O::CancelV1 => {
                shop.cancel_amount(order(), &case.key, None).await.into()
            }
            O::CancelPart => shop.cancel_amount(order(), &case.key, Some(500)).await.into(),
            O::Sync => shop.sync_now(order()).await.into(),
            O::GetOrder => shop.get_order(&order().id, Some(&order().token)).await.into(),
            O::ListProducts => shop.send(Method::GET, "/products", &[], Vec::new()).await.into(),
            O::ReconcileDue | O::ReconcileLists => scheduled(shop.stack.run_schedule("reconcile").await),
            O::DailyExport => scheduled(shop.stack.run_schedule("daily-export").await),
        }
    }

    /// The orders it is about once it was answered: what it made, or those it found.
    pub fn stories(self, case: &Case, answered: &Answered) -> Vec<Story> {
        match self {
            O::CreateOrder | O::CreateCounted | O::CreateV1 => {
                let made =
                    serde_json::from_str(&answered.text).expect("a request that was repeated is answered");
                vec![Story::of(Placed::of(made))]
            }
            _ => case.stories.clone(),
        }
    }
}

/// PortOne's question before a PG approves the order's payment.
pub async fn question(shop: &Shop, order: &Placed) -> Answer {
    let event = Event {
        kind: "Transaction.Confirm".to_owned(),
        happened: Timestamp::wall(),
        payment_id: order.id.clone(),
        store_id: "store-any".to_owned(),
        transaction_id: "tx-any".to_owned(),
        cancellation_id: None,
        total_amount: Some(order.total()),
    };
    let version = BodyVersion::V20240425;
    let question = Delivery::of(version.content_type(), event.body(version, &Value::Null));
    let question = question.signed(&shop.webhook_secrets().await);
    shop.deliver_to("/webhooks/portone/confirm", &question).await
}

fn scheduled<E: std::fmt::Display>(ended: Result<Value, E>) -> Answered {
    match ended {
        Ok(summary) => Answered { status: 200, text: summary.to_string() },
        Err(error) => Answered { status: 500, text: error.to_string() },
    }
}
