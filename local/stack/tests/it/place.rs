//! A system of its own making: a table with a stream, a pipe, one function, a bucket.

use std::{
    fs,
    path::{Path, PathBuf},
};

use lambda_gateway::{CapturedLog, LogSink};
use local_stack::{Products, Stack, StackOptions};
use reqwest::{
    Client,
    header::{AUTHORIZATION, HeaderMap, HeaderValue},
};

pub const TEMPLATE: &str = r#"
Parameters:
  AllowedOrigins: { Type: CommaDelimitedList, Default: "https://shop.example" }
  PortoneSecretId: { Type: String }
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{ AttributeName: PK, AttributeType: S }, { AttributeName: SK, AttributeType: S }]
      KeySchema: [{ AttributeName: PK, KeyType: HASH }, { AttributeName: SK, KeyType: RANGE }]
      StreamSpecification: { StreamViewType: NEW_AND_OLD_IMAGES }
  OrderEvents:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { Binary: order-events } }
    Properties:
      Timeout: 5
      Environment: { Variables: { EXPORT_BUCKET: !Ref ExportBucket } }
      Policies: [{ Statement: { Effect: Allow, Action: "s3:*", Resource: "*" } }]
  Bus: { Type: AWS::Events::EventBus }
  Letters: { Type: AWS::SQS::Queue }
  ExportBucket: { Type: AWS::S3::Bucket }
  PipeRole:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{ Effect: Allow, Principal: { Service: pipes.amazonaws.com }, Action: sts:AssumeRole }]
      Policies:
        - PolicyName: pipe
          PolicyDocument:
            Statement:
              - Effect: Allow
                Action: [dynamodb:DescribeStream, dynamodb:GetRecords, dynamodb:GetShardIterator]
                Resource: !GetAtt Table.StreamArn
              - { Effect: Allow, Action: dynamodb:ListStreams, Resource: "*" }
              - { Effect: Allow, Action: lambda:InvokeFunction, Resource: !GetAtt OrderEvents.Arn }
              - { Effect: Allow, Action: events:PutEvents, Resource: !GetAtt Bus.Arn }
              - { Effect: Allow, Action: sqs:SendMessage, Resource: !GetAtt Letters.Arn }
  Pipe:
    Type: AWS::Pipes::Pipe
    Properties:
      RoleArn: !GetAtt PipeRole.Arn
      Source: !GetAtt Table.StreamArn
      SourceParameters:
        DynamoDBStreamParameters:
          StartingPosition: TRIM_HORIZON
          BatchSize: 4
          MaximumRetryAttempts: 2
          DeadLetterConfig: { Arn: !GetAtt Letters.Arn }
        FilterCriteria: { Filters: [{ Pattern: '{"dynamodb":{"Keys":{"PK":{"S":[{"prefix":"ORDER#"}]}}}}' }] }
      Enrichment: !GetAtt OrderEvents.Arn
      Target: !GetAtt Bus.Arn
      TargetParameters: { EventBridgeEventBusParameters: { Source: shop.orders, DetailType: $.type } }
"#;

/// A client whose calls say that this function makes them.
pub fn client_of(function: &str) -> Client {
    let signed = format!(
        "AWS4-HMAC-SHA256 Credential={function}/20261123/ap-northeast-2/s3/aws4_request, SignedHeaders=host, Signature=0"
    );
    let mut headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_str(&signed).unwrap())]);
    headers.insert("x-amz-date", HeaderValue::from_static("20261123T000000Z"));
    Client::builder().no_proxy().default_headers(headers).build().unwrap()
}

/// A system with a table, a pipe and one function, in a folder of its own.
pub struct Place {
    pub folder: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self::with(TEMPLATE)
    }

    pub fn with(template: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("template.yaml"), template).unwrap();
        let function = folder.path().join("order-events");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_probe-events"), function).unwrap();
        Self { folder }
    }

    pub fn changed(old: &str, new: &str) -> Self {
        assert!(TEMPLATE.contains(old));
        Self::with(&TEMPLATE.replace(old, new))
    }

    pub fn poison(&self) -> PathBuf {
        self.folder.path().join("poison")
    }

    pub fn options(&self, data: Option<&Path>) -> (StackOptions, CapturedLog) {
        let (log, captured) = LogSink::capture();
        let poison = self.poison().display().to_string();
        let options = StackOptions {
            root: self.folder.path().to_owned(),
            products: Products::None,
            data: data.map(Path::to_owned),
            extra_env: [("PROBE_POISON".to_owned(), poison)].into(),
            log,
            ..StackOptions::new(self.folder.path())
        };
        (options, captured)
    }

    pub async fn start(&self) -> Stack {
        Stack::start(self.options(None).0).await.unwrap()
    }
}
