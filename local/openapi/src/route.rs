//! One route: what is asked, what is answered, what can go wrong.

use api::problem::ProblemCode;
use schemars::JsonSchema;
use serde_json::{Value, json};

use crate::schemas::Schemas;

/// Who may call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    Anybody,
    /// Whoever holds the order's token.
    Holder,
    /// Anybody, and the token's holder is told more.
    AnybodyOrHolder,
    Operator,
    /// PortOne V2, by its signature.
    Portone,
}

/// For whom the route is; the document's groups.
#[derive(Clone, Copy)]
pub(crate) enum Group {
    Shop,
    Operators,
    Portone,
}

impl Group {
    pub(crate) const ALL: [Self; 3] = [Self::Shop, Self::Operators, Self::Portone];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Shop => "shop",
            Self::Operators => "operators",
            Self::Portone => "portone",
        }
    }

    pub(crate) fn description(self) -> &'static str {
        match self {
            Self::Shop => "쇼핑몰 페이지가 부르는 길 / What the shop's page calls",
            Self::Operators => "운영자의 길 / What operators call",
            Self::Portone => "포트원이 부르는 길 / What PortOne calls",
        }
    }
}

/// A header of an answer.
#[derive(Clone, Copy)]
pub(crate) enum AnswerHeader {
    IdempotentReplayed,
}

struct Answer {
    status: u16,
    description: &'static str,
    schema: Value,
    example: Option<Value>,
    headers: Vec<AnswerHeader>,
}

/// A route under construction. `schemas` collects the types it names.
pub(crate) struct Route<'a> {
    schemas: &'a mut Schemas,
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) caller: Caller,
    operation: Value,
    answers: Vec<Answer>,
    problems: Vec<ProblemCode>,
}

impl<'a> Route<'a> {
    /// A route, by the name of its operation.
    pub(crate) fn new(
        schemas: &'a mut Schemas,
        (method, path): (&'static str, &'static str),
        id: &'static str,
        group: Group,
        caller: Caller,
    ) -> Self {
        let operation = json!({ "operationId": id, "tags": [group.name()], "parameters": [] });
        // What every function may answer: its deadline, and what it did not expect.
        let problems = vec![ProblemCode::TemporarilyUnavailable, ProblemCode::InternalError];
        Self { schemas, method, path, caller, operation, answers: Vec::new(), problems }
    }

    /// What it does, in Korean and English: a line, and if need be a paragraph.
    pub(crate) fn says(mut self, summary: &str, description: &str) -> Self {
        self.operation["summary"] = summary.into();
        if !description.is_empty() {
            self.operation["description"] = description.into();
        }
        self
    }

    /// Another parameter.
    pub(crate) fn parameter(mut self, parameter: Value) -> Self {
        if let Some(parameters) = self.operation["parameters"].as_array_mut() {
            parameters.push(parameter);
        }
        self
    }

    /// The order in its path.
    pub(crate) fn of_an_order(self) -> Self {
        self.parameter(json!({ "$ref": "#/components/parameters/OrderId" }))
            .problem(ProblemCode::OrderNotFound)
    }

    /// The `Idempotency-Key` header.
    pub(crate) fn keyed(mut self, required: bool) -> Self {
        let (name, problem) = if required {
            ("RequiredIdempotencyKey", Some(ProblemCode::IdempotencyKeyRequired))
        } else {
            ("IdempotencyKey", None)
        };
        self.problems.extend(problem);
        self.parameter(json!({ "$ref": format!("#/components/parameters/{name}") }))
            .problem(ProblemCode::InvalidIdempotencyKey)
            .problem(ProblemCode::IdempotencyKeyReused)
    }

    /// A JSON body, and what every JSON body can be refused for.
    pub(crate) fn body<T: JsonSchema>(mut self, examples: &[(&str, Value)]) -> Self {
        let named = examples.iter().map(|(name, value)| ((*name).to_owned(), json!({ "value": value })));
        self.operation["requestBody"] = json!({
            "required": true,
            "content": { "application/json": {
                "schema": self.schemas.asked::<T>(),
                "examples": named.collect::<serde_json::Map<_, _>>(),
            } },
        });
        self.problem(ProblemCode::MalformedJson)
            .problem(ProblemCode::UnsupportedMediaType)
            .problem(ProblemCode::BodyTooLarge)
            .problem(ProblemCode::ValidationFailed)
    }

    /// A body that is PortOne's to define: none is refused for what is in it, or for being missing.
    pub(crate) fn foreign_body(mut self, description: &str, example: Value) -> Self {
        self.operation["requestBody"] = json!({
            "description": description,
            "required": false,
            "content": {
                "application/json": { "schema": {}, "example": example },
                "application/x-www-form-urlencoded": { "schema": { "type": "object" } },
            },
        });
        self.problem(ProblemCode::BodyTooLarge)
    }

    /// An answer of this type.
    pub(crate) fn answer<T: JsonSchema>(
        mut self,
        status: u16,
        description: &'static str,
        example: Option<Value>,
    ) -> Self {
        let schema = self.schemas.answered::<T>();
        self.answers.push(Answer { status, description, schema, example, headers: Vec::new() });
        self
    }

    /// A header of the answer just added.
    pub(crate) fn header(mut self, header: AnswerHeader) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.headers.push(header);
        }
        self
    }

    /// One more problem it answers.
    pub(crate) fn problem(mut self, code: ProblemCode) -> Self {
        self.problems.push(code);
        self
    }

    /// The operation as the description says it.
    pub(crate) fn operation(self) -> Value {
        // What every route takes comes after what is its own.
        let mut this = self
            .parameter(json!({ "$ref": "#/components/parameters/AcceptLanguage" }))
            .parameter(json!({ "$ref": "#/components/parameters/Traceparent" }));
        this.finish()
    }

    fn finish(&mut self) -> Value {
        self.operation["security"] = self.security();
        let mut responses = serde_json::Map::new();
        for answer in &self.answers {
            let mut media = json!({ "schema": answer.schema });
            if let Some(example) = &answer.example {
                media["example"] = example.clone();
            }
            let mut response = json!({
                "description": answer.description,
                "headers": { "Traceparent": { "$ref": "#/components/headers/Traceparent" } },
                "content": { "application/json": media },
            });
            for header in &answer.headers {
                let name = match header {
                    AnswerHeader::IdempotentReplayed => "Idempotent-Replayed",
                };
                response["headers"][name] = json!({ "$ref": format!("#/components/headers/{name}") });
            }
            responses.insert(answer.status.to_string(), response);
        }
        self.add_problems(&mut responses);
        self.add_gateway_answers(&mut responses);
        self.operation["responses"] = Value::Object(responses);
        self.operation.take()
    }

    fn security(&self) -> Value {
        match self.caller {
            Caller::Anybody => json!([]),
            Caller::Holder => json!([{ "orderToken": [] }]),
            Caller::AnybodyOrHolder => json!([{}, { "orderToken": [] }]),
            Caller::Operator => json!([{ "operatorIam": [] }, { "operatorJwt": [] }]),
            Caller::Portone => {
                json!([{ "webhookId": [], "webhookTimestamp": [], "webhookSignature": [] }])
            }
        }
    }

    /// The problems by their status; each with the codes it can have on this route.
    fn add_problems(&mut self, responses: &mut serde_json::Map<String, Value>) {
        let problem = self.schemas.answered::<api::problem::Problem<'static>>();
        if self.caller == Caller::Operator {
            self.problems.push(ProblemCode::NotAnOperator);
        }
        self.problems.sort_by_key(|code| (code.status(), code.slug()));
        self.problems.dedup();
        for same in self.problems.chunk_by(|one, other| one.status() == other.status()) {
            let codes: Vec<_> = same.iter().map(|code| code.slug()).collect();
            let examples = same.iter().map(|code| {
                let name = code.slug();
                (name.to_owned(), json!({ "$ref": format!("#/components/examples/{name}") }))
            });
            let examples: serde_json::Map<_, _> = examples.collect();
            self.schemas.told(same);
            let status = same[0].status();
            let schema = json!({ "allOf": [
                problem,
                { "properties": { "status": { "const": status }, "code": { "enum": codes } } },
            ] });
            let response =
                responses.entry(status.to_string()).or_insert_with(|| json!({ "description": "" }));
            let words = codes.iter().map(|code| format!("`{code}`")).collect::<Vec<_>>().join(" · ");
            let before = response["description"].as_str().unwrap_or_default().to_owned();
            response["description"] =
                if before.is_empty() { words } else { format!("{before} · {words}") }.into();
            response["content"]["application/problem+json"] =
                json!({ "schema": schema, "examples": examples });
            let mut header = |name: &str| {
                response["headers"][name] = json!({ "$ref": format!("#/components/headers/{name}") });
            };
            header("Traceparent");
            header("Content-Language");
            if same.iter().any(|code| code.retry_after_seconds().is_some()) {
                header("Retry-After");
            }
        }
    }

    /// What API Gateway answers by itself, before or instead of the function.
    fn add_gateway_answers(&mut self, responses: &mut serde_json::Map<String, Value>) {
        let message = || json!({ "schema": { "$ref": "#/components/schemas/GatewayMessage" } });
        responses.insert("429".to_owned(), json!({ "$ref": "#/components/responses/TooManyRequests" }));
        let forbidden = (self.caller == Caller::Operator).then_some("403");
        for status in forbidden.into_iter().chain(["500", "503"]) {
            responses[status]["content"]["application/json"] = message();
        }
    }
}
