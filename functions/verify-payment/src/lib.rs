//! `POST /payments/verify`: the buyer's page says it is done; PortOne says whether it is.
//!
//! The body is a hint which payment to look at, and nothing in it decides anything.

use std::sync::Arc;

use api::{
    order::{OrderSummary, OrderView},
    verify::Verified,
};
use backend::{
    backends::{self, StartError},
    clock::{self, Deadline},
    config,
    connection::Connection,
    flow::{Claim, Sync, Synced},
    http::{self, Call, FieldFault, Problem, ProblemCode, bearer_token, failed},
    portone,
    secrets::SecretCache,
    token,
};
use lambda_http::{Body, Request, Response, http::StatusCode};
use order::{Actor, Look, OrderId};
use serde_json::Value;

/// What the function needs.
#[derive(Debug)]
pub struct App {
    sync: Sync,
    secrets: Arc<SecretCache>,
    approves: bool,
}

impl App {
    /// Wires the function from its environment and reads the secret.
    pub async fn start() -> Result<Self, StartError> {
        let approves = config::approves_by_hand()?;
        let (sync, secrets) = backends::sync(&Connection::new()).await?;
        secrets.current().await.order_token_key()?;
        Ok(Self { sync, secrets, approves })
    }

    /// Answers one request.
    pub async fn answer(&self, request: Request) -> Response<Body> {
        let deadline = Deadline::start();
        Call::of(&request).answer(deadline, self.verify(&request, deadline)).await
    }

    async fn verify(&self, request: &Request, deadline: Deadline) -> Result<Response<Body>, Problem> {
        let body = http::json_body(request)?;
        let claim = claim(&body)?;
        self.approve(&body, claim, deadline).await?;
        let look = Look { at: clock::now(), by: &Actor::Buyer };
        let synced = self.sync.payment(claim, look, deadline).await.map_err(failed)?;
        let order = match synced {
            Synced::Unknown(_) => return Err(Problem::new(ProblemCode::OrderNotFound)),
            // A payment of another order was sent along with this one: refused, and nothing was done.
            Synced::AnotherOrder => return Err(another_order()),
            Synced::Order { found_mismatch: true, .. } => {
                return Err(Problem::new(ProblemCode::PaymentMismatch));
            }
            Synced::Order { order, .. } => order,
        };
        // A page written for another server sends no token and gets what it needs; a stranger with an
        // id learns no more than that.
        let view = if self.is_holder(request, order.id).await? {
            Verified::Order(OrderView::of(&order))
        } else {
            Verified::Summary(OrderSummary::of(&order))
        };
        Ok(http::json(StatusCode::OK, &view))
    }

    /// Where payments are approved by hand, the page brings the token its window ended with.
    async fn approve(&self, body: &Value, claim: Claim<'_>, deadline: Deadline) -> Result<(), Problem> {
        let given = body.get("paymentToken").is_some_and(|token| !token.is_null());
        let token = given.then(|| required(body, "paymentToken")).transpose()?;
        let (true, Claim::Payment(id), Some(token)) = (self.approves, claim, token) else {
            return Ok(());
        };
        match id.parse::<OrderId>() {
            Ok(id) => self.sync.approve(id, token, clock::now(), deadline).await.map_err(failed),
            Err(_) => Ok(()),
        }
    }

    async fn is_holder(&self, request: &Request, id: OrderId) -> Result<bool, Problem> {
        let Some(token) = bearer_token(request) else { return Ok(false) };
        let secrets = self.secrets.current().await;
        Ok(token::is_valid(secrets.order_token_key().map_err(failed)?, id, token))
    }
}

/// What the page says it paid. V1's page sends `imp_uid`, alone or with `merchant_uid`.
#[doc(hidden)]
pub fn claim(body: &Value) -> Result<Claim<'_>, Problem> {
    let given = |name| body.get(name).is_some_and(|value| !value.is_null());
    if given("paymentId") || !(given("imp_uid") || given("merchant_uid")) {
        return Ok(Claim::Payment(order_id(required(body, "paymentId")?)?));
    }
    let merchant_uid =
        given("merchant_uid").then(|| order_id(required(body, "merchant_uid")?)).transpose()?;
    match merchant_uid {
        // V1 gives no `imp_uid` where its window never opened: the order itself is looked up.
        Some(id) if !given("imp_uid") => Ok(Claim::Payment(id)),
        _ => Ok(Claim::V1Transaction { imp_uid: imp_uid(required(body, "imp_uid")?)?, merchant_uid }),
    }
}

/// Only what can be an order of ours is looked up.
fn order_id(text: &str) -> Result<&str, Problem> {
    text.parse::<OrderId>().map(|_| text).map_err(|_| Problem::new(ProblemCode::OrderNotFound))
}

fn imp_uid(text: &str) -> Result<&str, Problem> {
    if portone::v1::is_imp_uid(text) { Ok(text) } else { Err(Problem::new(ProblemCode::OrderNotFound)) }
}

fn required<'a>(body: &'a Value, name: &str) -> Result<&'a str, Problem> {
    let fault = |code, korean: String, english: String| {
        let pointer = format!("/{name}");
        Err(Problem::fields(vec![FieldFault { pointer, code, detail: (korean, english) }]))
    };
    match body.get(name) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        None | Some(Value::Null) => {
            fault("required", format!("{name} 값이 필요합니다."), format!("{name} is required."))
        }
        Some(_) => fault(
            "invalid-type",
            format!("{name} 값은 비어 있지 않은 문자열이어야 합니다."),
            format!("{name} must be a non-empty string."),
        ),
    }
}

fn another_order() -> Problem {
    let detail = ("이 주문의 결제가 아닙니다.".to_owned(), "This is not a payment of this order.".to_owned());
    Problem::fields(vec![FieldFault { pointer: "/imp_uid".to_owned(), code: "not-this-order", detail }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ID: &str = "01JDABCDEFGHJKMNPQRSTVWXYZ";

    #[test]
    fn both_generations_claims_are_read() {
        assert!(matches!(
            claim(&json!({ "paymentId": ID, "status": "PAID", "amount": 1 })),
            Ok(Claim::Payment(ID))
        ));
        let v1 = json!({ "imp_uid": "imp_1", "merchant_uid": ID, "imp_success": true });
        assert!(matches!(claim(&v1), Ok(Claim::V1Transaction { imp_uid: "imp_1", merchant_uid: Some(ID) })));
        let alone = json!({ "imp_uid": "imp_1" });
        assert!(matches!(claim(&alone), Ok(Claim::V1Transaction { imp_uid: "imp_1", merchant_uid: None })));
        let closed = json!({ "imp_uid": null, "merchant_uid": ID });
        assert!(matches!(claim(&closed), Ok(Claim::Payment(ID))));
    }

    #[test]
    fn only_a_text_names_a_payment() {
        for wrong in [
            json!({}),
            json!([]),
            json!("p"),
            json!(null),
            json!({ "paymentId": "" }),
            json!({ "paymentId": 1 }),
            json!({ "paymentId": ["p"] }),
            json!({ "imp_uid": 7 }),
        ] {
            let problem = claim(&wrong).err().map(|problem| problem.code());
            assert_eq!(problem, Some(ProblemCode::ValidationFailed), "{wrong}");
        }
    }

    /// A public bug report (case 04): charges by REST have IDs of another form.
    #[test]
    fn a_transaction_id_of_v1_is_looked_up_whatever_its_form_if_it_is_safe_in_a_path() {
        for id in ["imp_1", "imps_824159804811", "nobody-knows-this-form", "01234"] {
            assert!(matches!(claim(&json!({ "imp_uid": id })), Ok(Claim::V1Transaction { .. })), "{id}");
        }
        for id in ["..", ".", "a\r\nHost: evil", &"9".repeat(65)] {
            let problem = claim(&json!({ "imp_uid": id })).err().map(|problem| problem.code());
            assert_eq!(problem, Some(ProblemCode::OrderNotFound), "{id}");
        }
    }

    #[test]
    fn what_cannot_be_an_order_is_not_found_and_not_asked_for() {
        for id in ["p", "../../orders", "01jdabcdefghjkmnpqrstvwxyz"] {
            for body in [json!({ "paymentId": id }), json!({ "imp_uid": "imp_1", "merchant_uid": id })] {
                let problem = claim(&body).err().map(|problem| problem.code());
                assert_eq!(problem, Some(ProblemCode::OrderNotFound), "{body}");
            }
        }
    }
}
