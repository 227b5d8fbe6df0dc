//! The functions' roles on the wires: who may not is answered as AWS answers, and no backend hears of it.

use local_stack::{Backend, Rule, Stack, wire::Call};
use reqwest::Client;
use serde_json::{Value, json};

use super::place::{Place, client_of};

/// A system whose function may read one item's kind of thing and nothing else.
async fn narrow() -> Stack {
    let narrow = r#"Action: "dynamodb:GetItem", Resource: !GetAtt Table.Arn"#;
    Place::changed(r#"Action: "s3:*", Resource: "*""#, narrow).start().await
}

async fn call(client: &Client, stack: &Stack, operation: &str) -> (u16, Value) {
    let target = format!("DynamoDB_20120810.{operation}");
    let item = json!({"PK": {"S": "a"}, "SK": {"S": "b"}});
    let request = client.post(stack.wire(Backend::DynamoDb).url()).header("x-amz-target", target);
    let member = if operation == "PutItem" { "Item" } else { "Key" };
    let body = json!({"TableName": "orders", member: item}).to_string();
    let request = request.header("content-type", "application/x-amz-json-1.0").body(body);
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

fn last(stack: &Stack, backend: Backend) -> Call {
    stack.wire(backend).calls().pop().unwrap()
}

#[tokio::test]
async fn a_call_that_the_role_does_not_grant_is_answered_as_aws_does_and_has_no_effect() {
    let stack = narrow().await;
    let function = client_of("order-events");
    assert_eq!(call(&function, &stack, "GetItem").await, (200, json!({})));

    let (status, refusal) = call(&function, &stack, "PutItem").await;
    assert_eq!(status, 400);
    assert_eq!(refusal["__type"], "com.amazon.coral.service#AccessDeniedException");
    assert_eq!(
        refusal["Message"],
        "User: arn:aws:sts::123456789012:assumed-role/local-order-events/order-events is not authorized to perform: \
         dynamodb:PutItem on resource: arn:aws:dynamodb:ap-northeast-2:123456789012:table/Table because no \
         identity-based policy allows the dynamodb:PutItem action"
    );
    let refused = last(&stack, Backend::DynamoDb);
    assert_eq!((refused.status, refused.forwarded), (Some(400), false));
    assert_eq!(call(&function, &stack, "GetItem").await, (200, json!({})), "nothing was put");

    let url = format!("{}/export-bucket/a.csv", stack.wire(Backend::S3).url());
    let put = function.put(url).body("x").send().await.unwrap();
    assert_eq!(put.status(), 403);
    assert!(put.text().await.unwrap().starts_with("<Error><Code>AccessDenied</Code>"));
    assert!(stack.objects().keys("export-bucket").is_empty());

    let secret = function.post(stack.wire(Backend::SecretsManager).url());
    let secret = secret
        .header("x-amz-target", "secretsmanager.GetSecretValue")
        .body(r#"{"SecretId":"local/portone"}"#);
    let refusal: Value = secret.send().await.unwrap().json().await.unwrap();
    assert_eq!(refusal["__type"], "AccessDeniedException");
    stack.shutdown().await;
}

#[tokio::test]
async fn who_has_not_signed_or_is_no_function_is_a_stranger() {
    let stack = narrow().await;
    for client in [Client::new(), client_of("local")] {
        let (status, refusal) = call(&client, &stack, "GetItem").await;
        assert_eq!(status, 400);
        assert_eq!(refusal["__type"], "com.amazon.coral.service#UnrecognizedClientException");
    }
    stack.shutdown().await;
}

#[tokio::test]
async fn a_refused_call_uses_up_no_fault() {
    let stack = narrow().await;
    let wire = stack.wire(Backend::DynamoDb);
    let fault = wire.inject(Rule::any().times(1), local_stack::Fault::ServerError);
    call(&client_of("order-events"), &stack, "PutItem").await;
    assert_eq!(fault.hits(), 0);
    assert_eq!(call(&client_of("order-events"), &stack, "GetItem").await.0, 500);
    stack.shutdown().await;
}
