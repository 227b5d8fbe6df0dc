//! What the browser SDK talks to: opening a payment window, pressing its buttons, handing the result back.
//!
//! The buttons act on the server first, webhook included, and the page hears of it afterwards, as with a
//! real PG.

mod confirm;
pub(crate) mod pages;
mod request;

use axum::Router;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use request::CheckoutError;
pub(crate) use request::open;

use crate::{
    clock::Timestamp,
    payment::{Failure, PayMethod, Payment, Refusal, Status, Transaction},
    simulator::Simulator,
    switches::WebhookOrder,
    world::{Deed, Publication, World},
};

/// A button of the payment window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Press {
    /// Approved; where the method is a virtual account, the account is issued.
    Pay,
    /// The PG declines.
    Decline,
    /// The buyer closes the window.
    Close,
    /// The PG decides later, and then approves.
    Slow,
    /// The PG captures another amount.
    Tamper,
    /// The PG captures over a channel of the other kind.
    TestChannel,
    /// The virtual account is issued.
    Issue,
}

/// What `PortOne.requestPayment` resolves to. Success is the absence of `code`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WindowResult {
    /// Always `PAYMENT`.
    pub transaction_type: &'static str,
    /// The attempt.
    pub tx_id: String,
    /// The payment.
    pub payment_id: String,
    /// Manual approval: what the server's `/confirm` must present.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_token: Option<String>,
    /// Why it did not work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// In words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The PG's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pg_code: Option<String>,
    /// The PG's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pg_message: Option<String>,
}

/// Routes for the SDK script, the window page and its buttons.
pub(crate) fn router() -> Router<Simulator> {
    pages::router()
}

/// Presses a button. On an attempt that is already decided nothing happens again, and the result is the
/// decision's.
///
/// # Errors
/// [`Refusal::TransactionNotFound`]; [`Refusal::Invalid`] for a button that the method does not have.
pub(crate) async fn press(simulator: &Simulator, id: &str, button: Press) -> Result<WindowResult, Refusal> {
    let asks_shop = !matches!(button, Press::Decline | Press::Close);
    let refused = if asks_shop { confirm::ask(simulator, id).await? } else { None };
    let (deliveries, order, closed) = simulator.change(|world| {
        let order = world.switches.webhook_order;
        let before = world.book.deliveries.len();
        let closed = match refused {
            Some(failure) => fail(world, id, failure).map(|()| None),
            None => decide(world, id, button),
        }?;
        let made: Vec<String> =
            world.book.deliveries.iter().skip(before).map(|delivery| delivery.id.clone()).collect();
        Ok::<_, Refusal>((made, order, closed))
    })?;
    if order == WebhookOrder::First {
        simulator.first_executions(&deliveries).await;
    }
    simulator.read(|world| {
        let (payment, tx) = world.transaction(id)?;
        Ok(result(payment, tx, closed.as_ref()))
    })
}

/// Moves the attempt. Returns the failure that only the browser hears of.
fn decide(world: &mut World, id: &str, button: Press) -> Result<Option<Failure>, Refusal> {
    let (_, tx) = world.transaction(id)?;
    let (status, asked, total) = (tx.status, tx.pay_method, tx.amount.total);
    let manual = tx.channel.manual_approval || world.switches.manual_approval;
    if status != Status::Ready || tx.payment_token.is_some() {
        return Ok(None);
    }
    let tampered = world.switches.tampered_amount.unwrap_or_else(|| tampered(total));
    let (amount, other_channel) = match button {
        Press::Pay | Press::Issue => (None, false),
        Press::Tamper => (Some(tampered), false),
        Press::TestChannel => (None, true),
        Press::Slow => {
            pend(world, id)?;
            return Ok(None);
        }
        Press::Decline => {
            let failure = Failure::pg("REJECT_CARD_COMPANY", "카드사에서 승인을 거절했습니다.");
            fail(world, id, failure)?;
            return Ok(None);
        }
        Press::Close => {
            let closed = World::closed_window();
            if world.switches.close_fails_attempt {
                fail(world, id, closed.clone())?;
            }
            return Ok(Some(closed));
        }
    };
    if button == Press::Issue && asked != PayMethod::VirtualAccount {
        return Err(Refusal::Invalid("this window issues no virtual account".to_owned()));
    }
    if manual {
        prepare_manual(world, id, amount, other_channel)?;
    } else {
        capture(world, id, amount, other_channel)?;
    }
    Ok(None)
}

/// A tenth of what was asked, but never the same.
fn tampered(total: i64) -> i64 {
    let tenth = (total / 10).max(1);
    if tenth == total { total + 100 } else { tenth }
}

fn capture(world: &mut World, id: &str, amount: Option<i64>, other_channel: bool) -> Result<(), Refusal> {
    let payment_id = world.payment_of(id)?;
    let wall = Timestamp::wall();
    let captured = world.captured(id, amount, other_channel)?;
    let pg = world.pg_details(id, None)?;
    let payment = world.payment_mut(&payment_id)?;
    let news = if payment.transaction_mut(id)?.pay_method == PayMethod::VirtualAccount {
        apply(payment.transaction_mut(id)?, captured)?;
        payment.issue(id, pg, wall)?
    } else {
        payment.approve(id, captured, pg, wall)?
    };
    world.plan_expiry(id);
    world.publish(&payment_id, &news, from_window());
    Ok(())
}

/// A manual-approval channel: the buyer is through, the server's `/confirm` captures.
fn prepare_manual(
    world: &mut World,
    id: &str,
    amount: Option<i64>,
    other_channel: bool,
) -> Result<(), Refusal> {
    let payment_id = world.payment_of(id)?;
    let captured = world.captured(id, amount, other_channel)?;
    let token = world.book.chance.uuid();
    let tx = world.payment_mut(&payment_id)?.transaction_mut(id)?;
    apply(tx, captured)?;
    tx.payment_token = Some(token);
    Ok(())
}

fn apply(tx: &mut Transaction, captured: crate::payment::attempt::Captured) -> Result<(), Refusal> {
    if let Some(total) = captured.total {
        let amount = tx.amount.captured_as(total);
        tx.amount = amount.ok_or_else(|| Refusal::Invalid("the amount is out of range".to_owned()))?;
    }
    if let Some(channel) = captured.channel {
        tx.channel = channel;
    }
    Ok(())
}

fn pend(world: &mut World, id: &str) -> Result<(), Refusal> {
    let payment_id = world.payment_of(id)?;
    let pg = world.pg_details(id, None)?;
    let news = world.payment_mut(&payment_id)?.pend(id, pg, Timestamp::wall())?;
    world.publish(&payment_id, &news, from_window());
    if let Some(wait) = world.switches.slow_approval_ms {
        let due = world.clock.now().plus_millis(i64::from(wait));
        world.book.agenda.insert((due, Deed::Approve(id.to_owned())));
    }
    Ok(())
}

fn fail(world: &mut World, id: &str, failure: Failure) -> Result<(), Refusal> {
    let payment_id = world.payment_of(id)?;
    let news = world.payment_mut(&payment_id)?.fail(id, failure, Timestamp::wall())?;
    world.publish(&payment_id, &news, from_window());
    Ok(())
}

fn from_window() -> Publication {
    Publication { silent: false, from_window: true }
}

fn result(payment: &Payment, tx: &Transaction, closed: Option<&Failure>) -> WindowResult {
    let failure = tx.failure.as_ref().filter(|_| tx.status == Status::Failed).or(closed);
    WindowResult {
        transaction_type: "PAYMENT",
        tx_id: tx.id.clone(),
        payment_id: payment.id.clone(),
        payment_token: tx.payment_token.clone(),
        code: failure.map(|failure| failure.code.clone()),
        message: failure.map(|failure| failure.reason.clone()),
        pg_code: failure.and_then(|failure| failure.pg_code.clone()),
        pg_message: failure.and_then(|failure| failure.pg_message.clone()),
    }
}

/// Where the buyer goes with the result: `redirectUrl` with the result's members in its query.
fn redirect_to(redirect_url: &str, result: &WindowResult) -> Option<String> {
    let mut url = reqwest::Url::parse(redirect_url).ok()?;
    for (name, value) in json!(result).as_object()? {
        url.query_pairs_mut().append_pair(name, value.as_str()?);
    }
    Some(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tampered_amount_is_never_the_true_one() {
        assert_eq!((tampered(2000), tampered(1), tampered(5)), (200, 101, 1));
    }

    #[test]
    fn the_return_keeps_the_shops_own_query() {
        let result = WindowResult {
            transaction_type: "PAYMENT",
            tx_id: "t".to_owned(),
            payment_id: "p".to_owned(),
            payment_token: None,
            code: Some("PGProviderError".to_owned()),
            message: Some("거절".to_owned()),
            pg_code: None,
            pg_message: None,
        };
        assert_eq!(
            redirect_to("http://shop.example/return?lang=ko", &result).unwrap(),
            "http://shop.example/return?lang=ko&transactionType=PAYMENT&txId=t&paymentId=p&code=PGProviderError&message=%EA%B1%B0%EC%A0%88"
        );
    }
}
