//! The pipe from the table's stream over a function to the event bus (`AWS::Pipes::Pipe`). Only this one
//! shape runs here; a property that would change what the pipe does and is not known is refused by name.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Function, Role, TemplateError, pattern::Pattern, scope::Scope, scope::text};

/// An event bus takes no more entries at once, and a pipe may not be configured to more than its target takes
/// ("Batching and concurrency" of the guide to Pipes).
const BATCH_MAX: usize = 10;

/// A pipe.
#[derive(Debug, Clone, PartialEq)]
pub struct Pipe {
    /// `Name`, or the resource's name in the template.
    pub name: String,
    /// The table's name in the template.
    pub table: String,
    /// The binary's name of the function that makes events of records.
    pub enrichment: String,
    /// The bus's name, as functions are told it.
    pub bus: String,
    /// Whether it runs; `DesiredState: STOPPED` is a pipe that waits.
    pub running: bool,
    /// Whether records from before the pipe's first start are taken as well.
    pub from_the_beginning: bool,
    /// Most records at once.
    pub batch_size: usize,
    /// How often a failed batch is tried again; `None` is for ever.
    pub retries: Option<u32>,
    /// Whether a batch that fails is halved, to let through what can pass.
    pub bisect: bool,
    /// The queue's name in the template that batches end in which keep failing. Without one they are lost.
    pub dead_letter_queue: Option<String>,
    /// Which records are taken: those of one of these, or all if there is none.
    pub filters: Vec<Pattern>,
    /// An event's source.
    pub source: Field,
    /// An event's detail type.
    pub detail_type: Field,
    /// An event's time; without it, that of its publication.
    pub time: Option<Field>,
    /// Under which role it works.
    pub role: Role,
    /// What it asks that role for.
    pub arns: PipeArns,
}

/// The ends of a pipe as its role names them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PipeArns {
    /// The table's stream.
    pub stream: String,
    /// The function, or its alias.
    pub enrichment: String,
    /// The event bus.
    pub bus: String,
    /// The queue for batches that were given up, if there is one.
    pub letters: String,
}

/// A member of an event: a text, or a place in what the enrichment answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// The same for every event.
    Text(String),
    /// `$.a.b`: the members to follow.
    Path(Vec<String>),
}

impl Field {
    fn parse(text: &str) -> Result<Self, String> {
        let Some(path) = text.strip_prefix("$.") else { return Ok(Self::Text(text.to_owned())) };
        let steps: Vec<_> = path.split('.').map(str::to_owned).collect();
        let plain = |step: &String| {
            !step.is_empty() && step.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
        };
        if steps.iter().all(plain) {
            Ok(Self::Path(steps))
        } else {
            Err(format!("the path {text} is not understood here"))
        }
    }

    /// Its text for an event with this detail; `None` if there is no text at its place.
    pub fn of<'a>(&'a self, detail: &'a Value) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Path(steps) => steps.iter().try_fold(detail, |value, step| value.get(step))?.as_str(),
        }
    }
}

/// What a pipe's ends may be.
pub(super) struct Ends<'a> {
    pub(super) functions: &'a [Function],
    /// The resources' types, by name.
    pub(super) types: BTreeMap<&'a str, &'a str>,
}

/// A block of the template, read member by member; those left over are the ones nobody knows.
struct Block<'a> {
    place: String,
    members: BTreeMap<&'a str, &'a Value>,
}

impl<'a> Block<'a> {
    fn new(place: String, value: Option<&'a Value>) -> Self {
        let members = value.and_then(Value::as_object).into_iter().flatten();
        Self { place, members: members.map(|(name, value)| (name.as_str(), value)).collect() }
    }

    fn unusable(&self, why: &str) -> TemplateError {
        TemplateError::Unusable(format!("{}: {why}", self.place))
    }

    fn take(&mut self, name: &str) -> Option<&'a Value> {
        self.members.remove(name)
    }

    fn inner(&mut self, name: &str) -> Self {
        Self::new(format!("{}.{name}", self.place), self.take(name))
    }

    fn text(&mut self, name: &str, scope: &Scope) -> Option<String> {
        self.take(name).and_then(|value| scope.resolve(value)).as_ref().and_then(text)
    }

    fn integer(&mut self, name: &str, scope: &Scope) -> Result<Option<i64>, TemplateError> {
        let Some(value) = self.text(name, scope) else { return Ok(None) };
        value.parse().map(Some).map_err(|_| self.unusable(&format!("{name} is no number: {value}")))
    }

    fn field(&mut self, name: &str, scope: &Scope) -> Result<Option<Field>, TemplateError> {
        let text = self.text(name, scope);
        text.map(|text| Field::parse(&text))
            .transpose()
            .map_err(|why| self.unusable(&format!("{name}: {why}")))
    }

    /// The resource whose `attribute` is asked for, which has to be of this type.
    fn end(
        &mut self,
        name: &str,
        attribute: &str,
        kind: &str,
        ends: &Ends<'_>,
        scope: &Scope,
    ) -> Result<String, TemplateError> {
        let found = self.take(name).and_then(|value| scope.attribute(value));
        found
            .filter(|(resource, of)| of == attribute && ends.types.get(resource.as_str()) == Some(&kind))
            .map(|(resource, _)| resource)
            .ok_or_else(|| self.unusable(&format!("{name} has to be the {attribute} of an {kind}")))
    }

    fn nothing_else(&self) -> Result<(), TemplateError> {
        match self.members.keys().next() {
            None => Ok(()),
            Some(name) => Err(self.unusable(&format!("{name} is not known to the local system"))),
        }
    }
}

impl Pipe {
    pub(super) fn new(
        logical_id: &str,
        properties: &Value,
        role: Role,
        ends: &Ends<'_>,
        scope: &Scope,
    ) -> Result<Self, TemplateError> {
        let known = scope.with_arns();
        let arn = |place: &Value| known.resolve(place).as_ref().and_then(text).unwrap_or_default();
        let arns = PipeArns {
            stream: arn(&properties["Source"]),
            enrichment: arn(&properties["Enrichment"]),
            bus: arn(&properties["Target"]),
            letters: arn(
                &properties["SourceParameters"]["DynamoDBStreamParameters"]["DeadLetterConfig"]["Arn"],
            ),
        };
        let mut pipe = Block::new(format!("pipe {logical_id}"), Some(properties));
        // Of no consequence on one machine, and the role, which was read before.
        for name in ["Description", "KmsKeyIdentifier", "LogConfiguration", "RoleArn", "Tags"] {
            pipe.take(name);
        }
        let name = pipe.text("Name", scope).unwrap_or_else(|| logical_id.to_owned());
        let running = pipe.text("DesiredState", scope).as_deref() != Some("STOPPED");
        let table = pipe.end("Source", "StreamArn", "AWS::DynamoDB::Table", ends, scope)?;
        let enrichment = pipe.end("Enrichment", "Arn", "AWS::Serverless::Function", ends, scope)?;
        let enrichment = ends.functions.iter().find(|function| function.logical_id == enrichment);
        let enrichment = enrichment.ok_or_else(|| pipe.unusable("the Enrichment is not there"))?.name.clone();
        let bus = pipe.end("Target", "Arn", "AWS::Events::EventBus", ends, scope)?;

        let mut source = pipe.inner("SourceParameters");
        let mut stream = source.inner("DynamoDBStreamParameters");
        // The window would only make events later, and no record gets old here.
        for name in ["MaximumBatchingWindowInSeconds", "MaximumRecordAgeInSeconds"] {
            stream.take(name);
        }
        let from_the_beginning = match stream.text("StartingPosition", scope).as_deref() {
            Some("TRIM_HORIZON") => true,
            Some("LATEST") => false,
            _ => return Err(stream.unusable("StartingPosition is TRIM_HORIZON or LATEST")),
        };
        let batch_size = stream.integer("BatchSize", scope)?.and_then(|size| usize::try_from(size).ok());
        let batch_size = batch_size.filter(|size| (1..=BATCH_MAX).contains(size));
        let batch_size = batch_size
            .ok_or_else(|| stream.unusable("BatchSize is 1 to 10, which is what an event bus takes"))?;
        let retries = match stream.integer("MaximumRetryAttempts", scope)? {
            None | Some(-1) => None,
            Some(retries) => Some(
                u32::try_from(retries).map_err(|_| stream.unusable("MaximumRetryAttempts is -1 or more"))?,
            ),
        };
        let bisect = match stream.text("OnPartialBatchItemFailure", scope).as_deref() {
            None => false,
            Some("AUTOMATIC_BISECT") => true,
            Some(_) => return Err(stream.unusable("OnPartialBatchItemFailure is AUTOMATIC_BISECT")),
        };
        // A shard is worked off in order here, as it is there at 1.
        if stream.integer("ParallelizationFactor", scope)?.unwrap_or(1) != 1 {
            return Err(stream.unusable("ParallelizationFactor is 1: events of one order keep their order"));
        }
        let mut letters = stream.inner("DeadLetterConfig");
        let dead_letter_queue = match letters.members.is_empty() {
            true => None,
            false => Some(letters.end("Arn", "Arn", "AWS::SQS::Queue", ends, scope)?),
        };
        letters.nothing_else()?;
        stream.nothing_else()?;
        let mut criteria = source.inner("FilterCriteria");
        let filters = filters(&mut criteria, scope)?;
        criteria.nothing_else()?;
        source.nothing_else()?;

        let mut target = pipe.inner("TargetParameters");
        let mut entry = target.inner("EventBridgeEventBusParameters");
        let field = entry.field("Source", scope)?;
        let source = field.ok_or_else(|| entry.unusable("Source is missing"))?;
        let field = entry.field("DetailType", scope)?;
        let detail_type = field.ok_or_else(|| entry.unusable("DetailType is missing"))?;
        let time = entry.field("Time", scope)?;
        entry.nothing_else()?;
        target.nothing_else()?;
        pipe.nothing_else()?;
        Ok(Self {
            name,
            table,
            enrichment,
            bus: scope.local_name(&bus).unwrap_or(&bus).to_owned(),
            running,
            from_the_beginning,
            batch_size,
            retries,
            bisect,
            dead_letter_queue,
            filters,
            source,
            detail_type,
            time,
            role,
            arns,
        })
    }

    /// Whether the pipe takes a record.
    pub fn takes(&self, record: &Value) -> bool {
        self.filters.is_empty() || self.filters.iter().any(|filter| filter.matches(record))
    }
}

fn filters(criteria: &mut Block<'_>, scope: &Scope) -> Result<Vec<Pattern>, TemplateError> {
    let filters = criteria.take("Filters").and_then(|filters| scope.resolve(filters)).unwrap_or_default();
    let filters = filters.as_array().into_iter().flatten();
    filters
        .map(|filter| {
            let pattern = filter["Pattern"]
                .as_str()
                .ok_or_else(|| "a filter has a Pattern, which is a text".to_owned());
            pattern.and_then(Pattern::parse).map_err(|why| criteria.unusable(&why))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::super::Template;

    const TEMPLATE: &str = r#"
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{ AttributeName: PK, AttributeType: S }]
      KeySchema: [{ AttributeName: PK, KeyType: HASH }]
      StreamSpecification: { StreamViewType: NEW_AND_OLD_IMAGES }
  OrderEvents:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { Binary: order-events } }
    Properties:
      Environment: { Variables: { BUS: !Ref Bus } }
  Bus: { Type: AWS::Events::EventBus, Properties: { Name: !Sub "${AWS::StackName}-orders" } }
  Letters: { Type: AWS::SQS::Queue }
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{ Effect: Allow, Principal: { Service: pipes.amazonaws.com }, Action: sts:AssumeRole }]
      Policies:
        - PolicyName: pipe
          PolicyDocument:
            Statement:
              - { Effect: Allow, Action: dynamodb:GetRecords, Resource: !GetAtt Table.StreamArn }
              - { Effect: Allow, Action: events:PutEvents, Resource: !GetAtt Bus.Arn }
  Pipe:
    Type: AWS::Pipes::Pipe
    Properties:
      RoleArn: !GetAtt Role.Arn
      Source: !GetAtt Table.StreamArn
      SourceParameters:
        DynamoDBStreamParameters:
          StartingPosition: TRIM_HORIZON
          BatchSize: 10
          MaximumBatchingWindowInSeconds: 1
          MaximumRetryAttempts: 5
          DeadLetterConfig: { Arn: !GetAtt Letters.Arn }
        FilterCriteria:
          Filters:
            - Pattern: '{"dynamodb":{"Keys":{"PK":{"S":[{"prefix":"ORDER#"}]}}}}'
      Enrichment: !GetAtt OrderEvents.Arn
      Target: !GetAtt Bus.Arn
      TargetParameters:
        EventBridgeEventBusParameters: { Source: shop.orders, DetailType: $.type }
"#;

    fn parse(old: &str, new: &str) -> Result<Template, String> {
        assert!(TEMPLATE.contains(old), "{old}");
        Template::parse(&TEMPLATE.replace(old, new), &BTreeMap::new()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_pipe_is_read_with_its_ends_its_filter_and_what_becomes_of_failures() {
        let template = parse("", "").unwrap();
        let pipe = template.pipe().unwrap();
        assert_eq!((&*pipe.name, &*pipe.table, &*pipe.enrichment), ("Pipe", "Table", "order-events"));
        assert_eq!(pipe.bus, "local-orders");
        let here = "ap-northeast-2:123456789012";
        assert_eq!(pipe.arns.stream, format!("arn:aws:dynamodb:{here}:table/Table/stream/newest"));
        assert_eq!(pipe.arns.enrichment, format!("arn:aws:lambda:{here}:function:OrderEvents"));
        assert_eq!(pipe.arns.bus, format!("arn:aws:events:{here}:event-bus/local-orders"));
        assert_eq!(pipe.arns.letters, format!("arn:aws:sqs:{here}:Letters"));
        assert_eq!(pipe.role.statements[0].resources, *std::slice::from_ref(&pipe.arns.stream));
        assert_eq!(pipe.role.statements[1].resources, *std::slice::from_ref(&pipe.arns.bus));
        assert_eq!(template.service_roles(), [&pipe.role]);
        assert_eq!((pipe.batch_size, pipe.retries, pipe.bisect), (10, Some(5), false));
        assert_eq!(pipe.dead_letter_queue.as_deref(), Some("Letters"));
        assert!(pipe.running && pipe.from_the_beginning);
        let record = |key: &str| json!({"dynamodb": {"Keys": {"PK": {"S": key}}}});
        assert!(pipe.takes(&record("ORDER#1")) && !pipe.takes(&record("PRODUCT#1")));
        let detail = json!({"type": "OrderPaid"});
        assert_eq!(
            (pipe.source.of(&detail), pipe.detail_type.of(&detail)),
            (Some("shop.orders"), Some("OrderPaid"))
        );
        assert_eq!(pipe.detail_type.of(&json!({"type": 1})), None);
        let bus = template.function("order-events").unwrap().environment["BUS"].clone();
        assert_eq!(bus.as_deref(), Some("local-orders"), "a function is told the same bus");
    }

    #[test]
    fn a_pipe_without_filters_takes_everything_and_minus_one_retries_for_ever() {
        let template = parse("MaximumRetryAttempts: 5", "MaximumRetryAttempts: -1").unwrap();
        assert_eq!(template.pipe().unwrap().retries, None);
        let template = parse("FilterCriteria", "FilterCriteria: {}\n      Tags").unwrap();
        assert!(template.pipe().unwrap().takes(&json!({})));
    }

    #[test]
    fn what_aws_would_refuse_or_this_machine_cannot_do_is_refused_by_name() {
        for (old, new, reason) in [
            ("!GetAtt Role.Arn", "!GetAtt Other.Arn", "there is no role Other"),
            ("!GetAtt Role.Arn", "arn:aws:iam::123456789012:role/x", "it has to be the Arn of a role"),
            ("pipes.amazonaws.com", "scheduler.amazonaws.com", "Role is not for pipes.amazonaws.com"),
            ("BatchSize: 10", "BatchSize: 11", "BatchSize is 1 to 10"),
            ("          BatchSize: 10\n", "", "BatchSize is 1 to 10"),
            ("TRIM_HORIZON", "AT_TIMESTAMP", "StartingPosition"),
            ("MaximumRetryAttempts: 5", "MaximumRetryAttempts: x", "no number"),
            ("MaximumRetryAttempts: 5", "ParallelizationFactor: 2", "ParallelizationFactor"),
            (
                "MaximumRetryAttempts: 5",
                "Surprise: 2",
                "pipe Pipe.SourceParameters.DynamoDBStreamParameters: Surprise",
            ),
            ("DetailType: $.type", "DetailType: '$.type[0]'", "$.type[0]"),
            ("DetailType: $.type", "Resources: []", "DetailType is missing"),
            (
                "Source: !GetAtt Table.StreamArn",
                "Source: !GetAtt Table.Arn",
                "Source has to be the StreamArn",
            ),
            ("Enrichment: !GetAtt OrderEvents.Arn", "Enrichment: !GetAtt Bus.Arn", "Enrichment has to be"),
            ("Target: !GetAtt Bus.Arn", "Target: !GetAtt Letters.Arn", "Target has to be"),
            ("!GetAtt Letters.Arn", "!GetAtt Table.Arn", "Arn has to be the Arn of an AWS::SQS::Queue"),
            (r#"{"prefix":"ORDER#"}"#, r#"{"wildcard":"*"}"#, "wildcard"),
            (
                "Enrichment: !GetAtt",
                "EnrichmentParameters: { InputTemplate: x }
      Enrichment: !GetAtt",
                "EnrichmentParameters",
            ),
        ] {
            let error = parse(old, new).map(|_| ()).unwrap_err();
            assert!(error.starts_with("pipe Pipe") && error.contains(reason), "{new}: {error}");
        }
        let second =
            TEMPLATE.replace("  Pipe:\n", "  Other: { Type: AWS::Pipes::Pipe, Properties: {} }\n  Pipe:\n");
        assert!(Template::parse(&second, &BTreeMap::new()).is_err());
    }
}
