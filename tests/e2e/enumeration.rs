//! Who asks without the right to learns nothing: not whether an order exists, not whose it is.

use std::collections::BTreeSet;

use end_to_end::{Answer, Placed, Shop, shop::basket};
use lambda_gateway::Stream;
use portone_simulator::Press;
use reqwest::Method;
use serde_json::{Value, json};

const NAME: &str = "황보표식";
const EMAIL: &str = "pyosik.hwangbo@marker.example";
const PHONE: &str = "010-5550-7391";
const ACCOUNT: &str = "110987654321";
const HOLDER: &str = "선우표식";

/// What an answer says, without what is of one call only.
fn said(answer: &Answer) -> (u16, Value, Vec<String>) {
    let mut body = answer.json();
    body["requestId"] = Value::Null;
    let own = ["date", "apigw-requestid", "content-length"];
    let mut headers: Vec<_> = answer.headers.keys().map(|name| name.as_str().to_owned()).collect();
    headers.retain(|name| !own.contains(&name.as_str()));
    headers.sort();
    (answer.status, body, headers)
}

/// An order whose buyer can be recognised wherever they appear.
async fn marked(shop: &Shop) -> Placed {
    let mut body = basket("shoes", 2);
    body["customer"] = json!({ "name": NAME, "email": EMAIL, "phone": PHONE });
    shop.placed_for(&body).await
}

/// What of a person a text shows.
fn shown(text: &str) -> Option<&'static str> {
    let digits = "01055507391";
    let texts = [NAME, EMAIL, "pyosik.hwangbo", PHONE, digits, ACCOUNT, "110-9876-54321", HOLDER];
    let escaped = |text: &str| text.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect::<String>();
    texts.into_iter().find(|person| text.contains(person) || text.contains(&escaped(person)))
}

#[tokio::test]
async fn every_guess_at_an_order_gets_one_answer_and_costs_one_price() {
    let shop = Shop::open().await;
    let (mine, other) = (marked(&shop).await, marked(&shop).await);
    shop.pay(&other).await;
    shop.verify(&other.id).await.expect(200);
    let no_order = "01JDABCDEFGHJKMNPQRSTVWXYZ";
    // The first call of a process may read the secret.
    let first = said(&shop.get_order(no_order, Some("x")).await);
    assert_eq!(first.0, 404);

    let mark = shop.stack.mark();
    let almost = {
        let last = if mine.token.ends_with('A') { 'B' } else { 'A' };
        format!("{}{last}", &mine.token[..mine.token.len() - 1])
    };
    let tokens = [None, Some(""), Some("x"), Some(mine.token.as_str()), Some(almost.as_str())];
    for token in tokens {
        for id in [
            no_order,
            &other.id,
            "x",
            "..%2Forders",
            &other.id.to_lowercase(),
            "01JDABCDEFGHJKMNPQRSTVWXY%5A",
        ] {
            assert_eq!(said(&shop.get_order(id, token).await), first, "{id} {token:?}");
        }
    }
    assert_eq!(said(&shop.get_order(&mine.id, Some(&almost)).await), first);
    let asked = shop.calls_since(mark, "GetItem");
    assert!(asked.is_empty(), "a guess is refused before the table is asked: {asked:?}");

    // The same of verify, which tells status and amount of an id that is known and no more.
    let first = said(&shop.verify(no_order).await);
    for id in ["x", "..", "../payments", "imp_1", &other.id.to_lowercase()] {
        assert_eq!(said(&shop.verify(id).await), first, "{id}");
    }
    let stranger = shop.verify(&other.id).await.expect(200);
    let members: BTreeSet<_> = stranger.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, BTreeSet::from(["amount", "orderId", "status"]));
}

#[tokio::test]
async fn nobody_is_shown_in_any_answer_to_anybody_or_in_any_line() {
    let shop = Shop::open_with_env(&[("RUST_LOG", "trace")]).await;
    let order = marked(&shop).await;
    let mut answers: Vec<(String, Answer)> = Vec::new();
    let mut keep = |what: &str, answer: Answer| answers.push((what.to_owned(), answer));

    shop.pay(&order).await;
    let person = json!({ "name": NAME, "email": EMAIL, "phoneNumber": PHONE });
    shop.portone().patch_payment(&order.id, json!({ "customer": person })).unwrap();
    keep("verify by a stranger", shop.verify(&order.id).await);
    keep("verify by the buyer", shop.verify_as_buyer(&order).await);
    keep("webhook", shop.deliver_about("Transaction.Paid", &order.id).await);
    keep("view", shop.get_order(&order.id, Some(&order.token)).await);
    keep("view without a token", shop.get_order(&order.id, None).await);
    keep("products", shop.send(Method::GET, "/products", &[], Vec::new()).await);

    // Refusals do not repeat what they refuse.
    let mut wrong = basket(NAME, 2);
    wrong["customer"] =
        json!({ "name": NAME.repeat(40), "email": format!("{EMAIL} x"), "phone": format!("{PHONE}x") });
    wrong["payMethod"] = json!(NAME);
    wrong["redirectUrl"] = json!(format!("https://{EMAIL}/"));
    keep("refused order", shop.order(&wrong).await);
    keep("verify of a person", shop.verify(EMAIL).await);
    keep("view of a person", shop.get_order("pyosik.hwangbo@marker.example", Some(PHONE)).await);
    keep(
        "not JSON",
        shop.send(Method::POST, "/orders", &[("content-type", "application/json")], NAME.into()).await,
    );

    // Operators see what happened to an order, not who bought.
    let refund = json!({
        "reason": "r", "amount": 500,
        "refundAccount": { "bank": "SHINHAN", "number": ACCOUNT, "holderName": HOLDER, "holderPhoneNumber": PHONE },
    });
    let unfit =
        json!({ "reason": "r", "refundAccount": { "bank": NAME, "number": NAME, "holderName": HOLDER } });
    keep("refused cancellation", shop.cancel(&order, "k-0", &unfit).await);
    keep("cancellation", shop.cancel(&order, "k-1", &refund).await);
    keep("sync", shop.sync_now(&order).await);
    let mismatch = marked(&shop).await;
    shop.press(&mismatch, Press::Tamper).await;
    keep("mismatch", shop.verify(&mismatch.id).await);
    for path in [
        format!("/orders/{}/journal", order.id),
        format!("/orders/{}/journal", mismatch.id),
        "/findings".to_owned(),
    ] {
        keep(&path, shop.as_operator(Method::GET, &path, &[], &Value::Null).await);
    }

    for (what, answer) in &answers {
        assert_eq!(shown(&answer.text), None, "{what}: {}", answer.text);
    }
    assert!(answers.iter().filter(|(_, answer)| answer.status == 200).count() >= 9, "{answers:?}");
    // What is told to the rest of the shop has ids and amounts.
    for event in shop.events().await {
        assert_eq!(shown(&event.to_string()), None, "{event}");
    }
    shop.stack.shutdown().await;
    let lines: Vec<_> = shop.log.lines().into_iter().filter(|line| line.stream != Stream::Platform).collect();
    assert!(lines.len() > 15, "only {} lines: is anything logged?", lines.len());
    for line in lines {
        assert_eq!(shown(&line.text), None, "{}", line.text);
    }
}
