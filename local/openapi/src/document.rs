//! The whole document: routes, and what they share.

use serde_json::{Map, Value, json};

use crate::{route::Group, routes, schemas::Schemas};

/// The description as OpenAPI 3.1.
pub fn document() -> Value {
    let mut schemas = Schemas::new();
    // Parameters name it, whatever the types do.
    schemas.answered::<api::scalar::OrderId>();
    let mut paths = Map::new();
    for describe in routes::ALL {
        let route = describe(&mut schemas);
        let (method, path) = (route.method.to_lowercase(), route.path);
        let operations = paths.entry(path).or_insert_with(|| json!({}));
        let twin = operations.as_object_mut().and_then(|all| all.insert(method, route.operation()));
        assert!(twin.is_none(), "{path} is described twice");
    }
    let examples = schemas.examples();
    let mut components = schemas.components();
    components.insert("GatewayMessage".to_owned(), gateway_message());
    let tags: Vec<_> = Group::ALL
        .iter()
        .map(|group| json!({ "name": group.name(), "description": group.description() }))
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "포트원 결제 / PortOne payments",
            "version": "1",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
            "description": "쇼핑몰의 주문을 만들고, 포트원의 기록과 대조해 결제를 확정하는 API입니다. 본문은 JSON(camelCase, UTF-8), 금액은 통화의 최소 단위 정수와 통화 코드, 시각은 RFC 3339 UTC, 오류는 RFC 9457입니다. 모르는 항목은 무시합니다.\n\n\
                Makes a shop's orders and settles by PortOne's own record whether they are paid. JSON both ways (camelCase, UTF-8); money is a whole number of the currency's minor unit beside its code; times are RFC 3339 UTC; errors are RFC 9457. Unknown members are ignored.",
        },
        "servers": [{
            "url": "{base}",
            "description": "스택의 출력 ApiUrl, 로컬에서는 cargo xtask dev가 알려 주는 주소 / The stack's output ApiUrl; locally what cargo xtask dev prints",
            "variables": { "base": { "default": "/" } },
        }],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": components,
            "examples": examples,
            "parameters": parameters(),
            "headers": headers(),
            "responses": { "TooManyRequests": {
                "description": "API Gateway의 요청 제한 / Throttled by API Gateway",
                "content": { "application/json": { "schema": { "$ref": "#/components/schemas/GatewayMessage" } } },
            } },
            "securitySchemes": security_schemes(),
        },
    })
}

fn gateway_message() -> Value {
    json!({
        "description": "API Gateway가 함수 대신 하는 답 / What API Gateway answers instead of the function",
        "type": "object",
        "properties": { "message": { "type": "string" } },
        "required": ["message"],
        "examples": [{ "message": "Service Unavailable" }],
    })
}

fn parameters() -> Value {
    // One of visible ASCII at both ends: blanks around a key are no part of it.
    let key = json!({ "type": "string", "pattern": "^[!-~]([ -~]{0,253}[!-~])?$", "examples": ["6f1c9c7e-8d0b-4d5a-9a4e-3c1c2b7f0a55"] });
    let key_says = "다시 보낼 때도 같은 키: 같은 키와 같은 본문은 같은 답. 따옴표는 있어도 없어도 됩니다. / The same on every retry: the same key and body get the same answer. Quoted or bare.";
    json!({
        "OrderId": {
            "name": "orderId", "in": "path", "required": true, "description": "주문 번호 / The order's id",
            "schema": { "$ref": "#/components/schemas/OrderId" }, "example": "01JDABCDEFGHJKMNPQRSTVWXYZ",
        },
        "IdempotencyKey": {
            "name": "Idempotency-Key", "in": "header", "required": false, "description": key_says, "schema": key,
        },
        "RequiredIdempotencyKey": {
            "name": "Idempotency-Key", "in": "header", "required": true, "description": key_says, "schema": key,
        },
        "AcceptLanguage": {
            "name": "Accept-Language", "in": "header", "required": false, "example": "en",
            "description": "ko(기본) 또는 en: 문제를 말하는 언어 / ko (default) or en: the language problems are told in",
            "schema": { "type": "string" },
        },
        "Traceparent": {
            "name": "traceparent", "in": "header", "required": false,
            "description": "W3C 추적 문맥 / W3C trace context",
            "schema": { "type": "string", "examples": ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"] },
        },
    })
}

fn headers() -> Value {
    json!({
        "Idempotent-Replayed": {
            "description": "이 키로 이미 답한 것을 다시 답함 / Answered before for this key",
            "schema": { "type": "string", "enum": ["true"] },
        },
        "Retry-After": {
            "description": "몇 초 뒤에 다시 / Come again after this many seconds",
            "schema": { "type": "integer", "minimum": 1 },
        },
        "Content-Language": {
            "description": "말하는 언어 / The language it is told in",
            "schema": { "type": "string", "enum": ["ko", "en"] },
        },
        "Traceparent": { "description": "W3C 추적 문맥 / W3C trace context", "schema": { "type": "string" } },
    })
}

fn security_schemes() -> Value {
    let webhook = |name: &str, description: &str| json!({ "type": "apiKey", "in": "header", "name": name, "description": description });
    json!({
        "orderToken": {
            "type": "http", "scheme": "bearer",
            "description": "주문을 만들 때 받은 orderToken / The orderToken that came with the order",
        },
        "operatorIam": {
            "type": "apiKey", "in": "header", "name": "Authorization", "x-amazon-apigateway-authtype": "awsSigv4",
            "description": "AWS SigV4, 서비스 execute-api / AWS Signature Version 4, service execute-api",
        },
        "operatorJwt": {
            "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
            "description": "JWT로 배포한 스택에서 / Where the stack was deployed with JWT",
        },
        "webhookId": webhook("webhook-id", "Standard Webhooks: 알림 번호 / the delivery's id"),
        "webhookTimestamp": webhook("webhook-timestamp", "Standard Webhooks: 초, ±5분 / seconds, ±5 minutes"),
        "webhookSignature": webhook("webhook-signature", "Standard Webhooks: v1,<base64 HMAC-SHA256>"),
    })
}
