//! An AWS account on a socket: a stack as the template makes it, told in each service's own protocol, and the
//! API and PortOne beside it. Whatever is asked that it does not know is a refusal with the question in it.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse as _, Response},
};
use lambda_gateway::Template;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

/// Answers by operation, and where that is not enough by operation and name: `GetFunctionConfiguration fn-a live`.
pub type Answers = BTreeMap<String, Value>;

pub struct Account {
    pub url: String,
    answers: Arc<Mutex<Answers>>,
    asked: Arc<Mutex<Vec<String>>>,
}

const FUNCTIONS: [&str; 2] = ["Webhook", "CreateOrder"];

/// An error of AWS's.
pub fn refusal(code: &str) -> Value {
    json!({"refusal": code})
}

impl Account {
    /// A sound one, changed.
    pub async fn with(change: impl FnOnce(&mut Answers)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut answers = sound(&url);
        change(&mut answers);
        let account =
            Self { url, answers: Arc::new(Mutex::new(answers)), asked: Arc::new(Mutex::new(Vec::new())) };
        let app = Router::new().fallback(answer).with_state((account.answers.clone(), account.asked.clone()));
        tokio::spawn(async move { axum::serve(listener, app).await });
        account
    }

    /// Every operation that was asked for.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn sound(url: &str) -> Answers {
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
    let template = Template::read(&template, &BTreeMap::new()).unwrap();
    let mut table = template.table().unwrap().create_request("shop-Table");
    table["DeletionProtectionEnabled"] = json!(true);
    table["TableStatus"] = json!("ACTIVE");
    for index in table["GlobalSecondaryIndexes"].as_array_mut().unwrap() {
        index["IndexStatus"] = json!("ACTIVE");
    }
    let environment = json!({"Variables": {
        "TABLE_NAME": "shop-Table", "PORTONE_SECRET_ID": "portone", "PORTONE_STORE_ID": "store-a1b2",
        "PORTONE_CHANNEL_KEY": "channel-key-c3d4", "PAYMENT_MODE": "LIVE", "ALLOWED_ORIGINS": "https://shop.kr",
        "PORTONE_API_BASE": url, "PORTONE_V1_API_BASE": url,
    }});
    let configuration = json!({"State": "Active", "LastUpdateStatus": "Successful", "CodeSha256": "abc",
        "Environment": environment});
    let resource = |logical: &str, kind: &str, physical: &str| {
        json!({"LogicalResourceId": logical, "ResourceType": kind, "PhysicalResourceId": physical,
            "LastUpdatedTimestamp": "2026-01-01T00:00:00Z", "ResourceStatus": "CREATE_COMPLETE"})
    };
    let mut resources = vec![
        resource("Table", "AWS::DynamoDB::Table", "shop-Table"),
        resource("OrderPipe", "AWS::Pipes::Pipe", "OrderPipe-1"),
        resource("EventDeadLetters", "AWS::SQS::Queue", &format!("{url}/123456789012/letters")),
        resource("ReconcileOften", "AWS::Scheduler::Schedule", "shop-ReconcileOften"),
        resource("AlarmErrors", "AWS::CloudWatch::Alarm", "shop-AlarmErrors"),
    ];
    for name in FUNCTIONS {
        resources.push(resource(name, "AWS::Lambda::Function", &format!("shop-{name}")));
        let alias = format!("arn:aws:lambda:ap-northeast-2:123456789012:function:shop-{name}:live");
        resources.push(resource(&format!("{name}Aliaslive"), "AWS::Lambda::Alias", &alias));
    }
    let payment = json!({
        "id": "p", "status": "PAID", "paidAt": "2026-01-01T00:00:05Z",
        "channel": {"type": "LIVE", "key": "channel-key-c3d4"},
        "webhooks": [{"id": "w", "url": format!("{url}/webhooks/portone"), "status": "SUCCEEDED",
            "response": {"code": "200"}, "triggeredAt": "2026-01-01T00:00:06Z"}],
    });
    let secret = json!({"v2ApiSecret": "q7Rw8Tq", "v2WebhookSecrets": ["whsec_c29tZXRoaW5nIHRoYXQgc2lnbnM="],
        "orderTokenKey": "AwUHCQsNDxETFRcZGx0fISMlJykrLS8xMzU3OTs9Pz8="});
    let topic = "arn:aws:sns:ap-northeast-2:123456789012:shop-alarms";
    let answers = json!({
        "DescribeStacks": {"Stacks": [{
            "StackName": "shop", "StackStatus": "UPDATE_COMPLETE", "CreationTime": "2026-01-01T00:00:00Z",
            "Parameters": [{"ParameterKey": "AllowedOrigins", "ParameterValue": "https://shop.kr"}],
            "Outputs": [
                {"OutputKey": "ApiUrl", "OutputValue": url},
                {"OutputKey": "WebhookUrl", "OutputValue": format!("{url}/webhooks/portone")},
            ],
        }]},
        "ListStackResources": {"StackResourceSummaries": resources},
        "GetFunctionConfiguration": configuration,
        "GetAlias": {"Name": "live", "FunctionVersion": "7"},
        "GetAccountSettings": {"AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 900}},
        "GetSecretValue": {"Name": "portone", "SecretString": secret.to_string()},
        "DescribeTable": {"Table": table},
        "DescribeContinuousBackups": {"ContinuousBackupsDescription": {"ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "ENABLED"}}},
        "Query": {"Count": 1, "Items": [{"PK": {"S": "PRODUCT#shoes"}, "SK": {"S": "PRODUCT"},
            "name": {"S": "신발"}, "price": {"N": "1000"}, "currency": {"S": "KRW"}, "active": {"BOOL": true}}]},
        "GetSchedule": {"State": "ENABLED"},
        "DescribePipe": {"CurrentState": "RUNNING", "DesiredState": "RUNNING"},
        "GetQueueAttributes": {"Attributes": {"ApproximateNumberOfMessages": "0"}},
        "DescribeAlarms": {"MetricAlarms": [{"AlarmName": "shop-AlarmErrors", "ActionsEnabled": true,
            "AlarmActions": [topic], "StateValue": "OK"}]},
        "ListSubscriptionsByTopic": {"Subscriptions": [{"SubscriptionArn": format!("{topic}:1"), "Protocol": "email"}]},
        "DescribeLogGroups": {"logGroups": FUNCTIONS.map(|name| json!({
            "logGroupName": format!("/aws/lambda/shop-{name}"), "retentionInDays": 90}))},
        "GET /payments": {"items": [payment], "page": {"number": 0, "size": 50, "totalCount": 1}},
        "GET /products": {"products": []},
        "POST /webhooks/portone": {"status": 400},
        "OPTIONS /orders": {"allowed": ["https://shop.kr"]},
    });
    answers.as_object().unwrap().clone().into_iter().collect()
}

/// In which words an operation is answered.
#[derive(Clone, Copy, PartialEq)]
enum Protocol {
    Json,
    Cbor,
    Xml,
    Plain,
}

type Shared = (Arc<Mutex<Answers>>, Arc<Mutex<Vec<String>>>);

async fn answer(
    State((answers, asked)): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (protocol, operation, names) = question(&method, &uri, &headers, &body);
    asked.lock().unwrap().push(operation.clone());
    let answers = answers.lock().unwrap();
    let specific = format!("{operation} {}", names.join(" "));
    let found = answers.get(specific.trim()).or_else(|| answers.get(&operation));
    let found = found.cloned().unwrap_or_else(|| refusal(&format!("NobodyKnows {operation}")));
    if protocol == Protocol::Plain {
        return plain(&method, &headers, &found);
    }
    let code = found["refusal"].as_str();
    let status = if code.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    match protocol {
        Protocol::Json | Protocol::Plain => {
            let body = code.map_or(found.clone(), |code| json!({"__type": code, "message": "no"}));
            let kind = [("x-amzn-errortype", code.unwrap_or_default())];
            (status, kind, [("content-type", "application/json")], body.to_string()).into_response()
        }
        Protocol::Cbor => {
            let body = code.map_or(found.clone(), |code| json!({"__type": code, "message": "no"}));
            let mut bytes = Vec::new();
            cbor(&body, &mut bytes);
            let headers = [("content-type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")];
            (status, headers, bytes).into_response()
        }
        Protocol::Xml => {
            let body = match code {
                Some(code) => format!(
                    "<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"
                ),
                None => format!(
                    "<{operation}Response><{operation}Result>{}</{operation}Result></{operation}Response>",
                    xml(&found)
                ),
            };
            (status, [("content-type", "text/xml")], body).into_response()
        }
    }
}

fn question(
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &Bytes,
) -> (Protocol, String, Vec<String>) {
    let text =
        |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let path = uri.path();
    if let Some((_, operation)) = text("x-amz-target").rsplit_once('.') {
        return (Protocol::Json, operation.to_owned(), Vec::new());
    }
    if let Some((_, operation)) = path.rsplit_once("/operation/") {
        return (Protocol::Cbor, operation.to_owned(), Vec::new());
    }
    if text("content-type").starts_with("application/x-www-form-urlencoded") {
        let body = String::from_utf8_lossy(body);
        let action = body.split('&').find_map(|pair| pair.strip_prefix("Action=")).unwrap_or_default();
        return (Protocol::Xml, action.to_owned(), Vec::new());
    }
    let qualifier =
        uri.query().and_then(|query| query.strip_prefix("Qualifier=")).map(|q| q.replace("%24", "$"));
    let segments: Vec<_> = path.trim_matches('/').split('/').collect();
    let (operation, name) = match segments.as_slice() {
        ["2015-03-31", "functions", name, "configuration"] => ("GetFunctionConfiguration", *name),
        ["2015-03-31", "functions", name, "aliases", _] => ("GetAlias", *name),
        ["2016-08-19", "account-settings"] => ("GetAccountSettings", ""),
        ["v1", "pipes", name] => ("DescribePipe", *name),
        ["schedules", name] => ("GetSchedule", *name),
        _ => return (Protocol::Plain, format!("{method} {path}"), Vec::new()),
    };
    let names = [name.to_owned()].into_iter().chain(qualifier).filter(|name| !name.is_empty());
    (Protocol::Json, operation.to_owned(), names.collect())
}

/// The API's and PortOne's answers.
fn plain(method: &Method, headers: &HeaderMap, found: &Value) -> Response {
    let status = found["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(200);
    let mut response = (StatusCode::from_u16(status).unwrap(), found.to_string()).into_response();
    if *method == Method::OPTIONS {
        let origin = headers.get("origin").unwrap();
        let listed = found["allowed"]
            .as_array()
            .unwrap()
            .iter()
            .any(|allowed| allowed == "*" || *allowed == *origin.to_str().unwrap());
        if listed {
            response.headers_mut().insert("access-control-allow-origin", origin.clone());
        }
    }
    if let Some(date) = found["date"].as_str() {
        response.headers_mut().insert("date", date.parse().unwrap());
    }
    response
}

fn xml(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            members.iter().map(|(name, value)| format!("<{name}>{}</{name}>", xml(value))).collect()
        }
        Value::Array(entries) => {
            entries.iter().map(|entry| format!("<member>{}</member>", xml(entry))).collect()
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// RFC 8949, as far as these answers go: lengths below 65,536 and no numbers but what the tests say.
fn cbor(value: &Value, into: &mut Vec<u8>) {
    let head = |major: u8, length: usize, into: &mut Vec<u8>| {
        into.push((major << 5) | 25);
        into.extend(u16::try_from(length).unwrap().to_be_bytes());
    };
    let text = |text: &str, into: &mut Vec<u8>| {
        head(3, text.len(), into);
        into.extend(text.bytes());
    };
    let map = |members: &Map<String, Value>, into: &mut Vec<u8>| {
        head(5, members.len(), into);
        for (name, value) in members {
            text(name, into);
            cbor(value, into);
        }
    };
    match value {
        Value::Null => into.push(0xf6),
        Value::Bool(false) => into.push(0xf4),
        Value::Bool(true) => into.push(0xf5),
        Value::Number(number) => head(0, usize::try_from(number.as_u64().unwrap()).unwrap(), into),
        Value::String(value) => text(value, into),
        Value::Array(entries) => {
            head(4, entries.len(), into);
            entries.iter().for_each(|entry| cbor(entry, into));
        }
        Value::Object(members) => map(members, into),
    }
}
