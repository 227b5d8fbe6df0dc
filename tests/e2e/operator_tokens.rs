//! Operators who sign in with tokens: API Gateway's JWT authorizer, by the template's own resource, with a provider
//! that publishes its keys. What it refuses never reaches a function.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use end_to_end::{Answer, Placed, Shop};
use local_stack::{Issuer, Operators};
use reqwest::Method;
use serde_json::{Value, json};

const KIM: &str = "kim@shop.example";

async fn shop_with_tokens() -> Shop {
    Shop::open_with(|options| options.operators = Operators::Tokens).await
}

fn issuer(shop: &Shop) -> &Issuer {
    shop.stack.issuer().expect("operators bring tokens")
}

/// Two pairs of shoes, paid: 2,000 won.
async fn paid(shop: &Shop) -> Placed {
    let order = shop.placed().await;
    shop.pay(&order).await;
    order
}

/// Asks for 500 won back with this `Authorization`.
async fn cancel(shop: &Shop, order: &Placed, authorization: Option<&str>) -> Answer {
    let mut headers = vec![("content-type", "application/json"), ("idempotency-key", "c-1")];
    headers.extend(authorization.map(|value| ("authorization", value)));
    let body = json!({ "reason": "고객 변심", "amount": 500 });
    shop.send(Method::POST, &format!("/orders/{}/cancel", order.id), &headers, body.to_string().into()).await
}

/// A token of KIM's with these claims replaced; `null` takes one away.
fn token(shop: &Shop, changes: &Value) -> String {
    let issuer = issuer(shop);
    let mut claims = issuer.claims(KIM);
    let members = claims.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        members.insert(name.clone(), value.clone());
        members.retain(|_, value| !value.is_null());
    }
    issuer.sign(&json!({ "alg": "RS256", "typ": "JWT", "kid": issuer.key_id() }), &claims).unwrap()
}

#[tokio::test]
async fn a_token_of_the_issuer_gives_money_back_and_the_journal_names_its_subject() {
    let shop = shop_with_tokens().await;
    let order = paid(&shop).await;
    let bearer = format!("Bearer {}", issuer(&shop).token(KIM).unwrap());
    let view = cancel(&shop, &order, Some(&bearer)).await.expect(200);
    assert_eq!(view["status"], "PARTIAL_CANCELLED", "{view}");
    assert_eq!(shop.returned(&order), (1, 500));

    let path = format!("/orders/{}/journal", order.id);
    let journal = shop.send(Method::GET, &path, &[("authorization", &bearer)], Vec::new()).await.expect(200);
    let by: Vec<_> = journal["journal"].as_array().unwrap().iter().map(|entry| &entry["who"]).collect();
    assert!(by.contains(&&json!(KIM)), "{journal}");

    // The header may be the token alone.
    let bare = issuer(&shop).token(KIM).unwrap();
    shop.send(Method::GET, "/findings", &[("authorization", &bare)], Vec::new()).await.expect(200);
}

#[tokio::test]
async fn a_token_that_is_not_for_this_api_now_is_a_401_and_nothing_happens() {
    let shop = shop_with_tokens().await;
    let order = paid(&shop).await;
    let issuer = issuer(&shop);
    let claims = issuer.claims(KIM);
    let now = claims["iat"].as_i64().unwrap();
    let head = json!({ "alg": "RS256", "typ": "JWT", "kid": issuer.key_id() });
    let good = issuer.token(KIM).unwrap();
    let (unsigned, signature) = good.rsplit_once('.').unwrap();

    // Another system's provider: the same kind of key, not this one's.
    let other = shop_with_tokens().await;
    let others_key = self::issuer(&other).sign(&head, &claims).unwrap();
    let others_kid = self::issuer(&other).key_id();

    // Signed with what anybody can read: the published key as a shared secret.
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let by_hmac = format!("{}.{}", part(&json!({ "alg": "HS256", "kid": issuer.key_id() })), part(&claims));
    let secret = issuer.keys()["keys"][0]["n"].as_str().unwrap().to_owned();
    let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), by_hmac.as_bytes());
    let without =
        |alg: &str| format!("{}.{}.", part(&json!({ "alg": alg, "kid": issuer.key_id() })), part(&claims));

    let audience = "the token does not have a valid audience";
    let cases = [
        ("expired", token(&shop, &json!({ "exp": now - 1 })), "the token has expired"),
        ("without an end", token(&shop, &json!({ "exp": null })), "the token has expired"),
        ("not yet valid", token(&shop, &json!({ "nbf": now + 600 })), "the token is not valid yet"),
        ("of the future", token(&shop, &json!({ "iat": now + 600 })), "the token was issued in the future"),
        (
            "another issuer's",
            token(&shop, &json!({ "iss": self::issuer(&other).url() })),
            "the token does not have a valid issuer",
        ),
        ("for another app", token(&shop, &json!({ "aud": "shop" })), audience),
        (
            "for another app by both",
            token(&shop, &json!({ "aud": "shop", "client_id": "console" })),
            audience,
        ),
        ("signed by another key", others_key, "the token's signature is not its key's"),
        (
            "of a key nobody published",
            issuer.sign(&json!({ "alg": "RS256", "kid": others_kid }), &claims).unwrap(),
            "the token's kid is not among the issuer's keys",
        ),
        (
            "without a kid",
            issuer.sign(&json!({ "alg": "RS256" }), &claims).unwrap(),
            "the token's kid is not among the issuer's keys",
        ),
        ("of no algorithm", without("none"), "the token's algorithm is not RSA's"),
        ("of NONE", without("NONE"), "the token's algorithm is not RSA's"),
        (
            "by a shared secret",
            format!("{by_hmac}.{}", URL_SAFE_NO_PAD.encode(mac)),
            "the token's algorithm is not RSA's",
        ),
        ("without a signature", format!("{unsigned}."), "the token's signature is not its key's"),
        (
            "with claims put in",
            format!(
                "{}.{}.{signature}",
                part(&head),
                part(&json!({ "iss": issuer.url(), "aud": "console" }))
            ),
            "the token's signature is not its key's",
        ),
        ("garbage", "garbage".to_owned(), "token contains an invalid number of segments"),
        ("garbage in three", "a.b.c".to_owned(), "the token is unreadable"),
    ];
    for (what, token, why) in cases {
        let answer = cancel(&shop, &order, Some(&format!("Bearer {token}"))).await;
        assert_eq!(answer.expect(401), json!({ "message": "Unauthorized" }), "{what}");
        let challenge = format!("Bearer scope=\"\" error=\"invalid_token\" error_description=\"{why}\"");
        assert_eq!(answer.header("www-authenticate"), Some(challenge.as_str()), "{what}");
    }
    let unnamed = cancel(&shop, &order, None).await;
    unnamed.expect(401);
    assert_eq!(unnamed.header("www-authenticate"), Some("Bearer"));
    assert_eq!(
        cancel(&shop, &order, Some("Basic bG9jYWw6bG9jYWw=")).await.header("www-authenticate"),
        Some(
            "Bearer scope=\"\" error=\"invalid_token\" error_description=\"the authorization is no bearer's\""
        )
    );

    assert_eq!(shop.stack.gateway().counters("cancel-order").unwrap().invocations, 0, "no function ran");
    assert_eq!(shop.returned(&order), (0, 0));
    assert!(shop.ledger(&order).is_empty());
}

#[tokio::test]
async fn where_operators_bring_tokens_keys_open_nothing_and_every_operators_route_is_closed_without() {
    let shop = shop_with_tokens().await;
    shop.as_operator(Method::GET, "/findings", &[], &Value::Null).await.expect(401);
    let routes = shop.stack.gateway().template().routes();
    let guarded: Vec<_> = routes.iter().filter(|route| route.authorizer.is_some()).collect();
    assert!(guarded.len() >= 6, "{guarded:?}");
    for route in guarded {
        let path = route.path.replace("{orderId}", "0").replace("{findingId}", "0");
        shop.send(route.method.parse().unwrap(), &path, &[], Vec::new()).await.expect(401);
    }
}
