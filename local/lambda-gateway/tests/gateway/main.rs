//! The gateway with a real function process behind it. One binary, one file per subject.

mod environments;
mod http;
mod operators;
mod orphans;
mod schedules;
mod template;

use std::collections::BTreeMap;

use lambda_gateway::{Gateway, GatewayConfig, LogSink, OperatorKeys, Template};
use tokio::net::TcpListener;

const TEMPLATE: &str = r#"
Parameters:
  AllowedOrigins: { Type: CommaDelimitedList, Default: "https://shop.example" }
Resources:
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties:
      CorsConfiguration:
        AllowOrigins: !Ref AllowedOrigins
        AllowMethods: [GET, POST]
        AllowHeaders: [content-type]
        ExposeHeaders: [retry-after]
  Probe:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { Binary: probe } }
    Properties:
      Timeout: 1
      MemorySize: 256
      Environment:
        Variables: { TABLE_NAME: !Ref Table, TTL: 30, PROBE_INIT: "" }
      Events:
        Tick:
          Type: ScheduleV2
          Properties:
            ScheduleExpression: rate(1 minute)
            Input: '{"task":"open"}'
            RoleArn: !GetAtt SchedulerRole.Arn
            DeadLetterConfig: { Arn: !GetAtt Letters.Arn }
  Letters: { Type: AWS::SQS::Queue }
  SchedulerRole:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{ Effect: Allow, Principal: { Service: scheduler.amazonaws.com }, Action: sts:AssumeRole }]
  ProbeIntegration:
    Type: AWS::ApiGatewayV2::Integration
    Properties: { IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt Probe.Arn, PayloadFormatVersion: "2.0" }
  ProbePermission:
    Type: AWS::Lambda::Permission
    Properties: { FunctionName: !GetAtt Probe.Arn, Principal: apigateway.amazonaws.com }
  Post:
    Type: AWS::ApiGatewayV2::Route
    Properties: { RouteKey: POST /probe, Target: !Sub "integrations/${ProbeIntegration}" }
  Get:
    Type: AWS::ApiGatewayV2::Route
    Properties: { RouteKey: "GET /probe/{id}", Target: !Sub "integrations/${ProbeIntegration}" }
  Guarded:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      { RouteKey: POST /guarded, Target: !Sub "integrations/${ProbeIntegration}", AuthorizationType: AWS_IAM }
  # Nobody listens at its issuer.
  Authorizer:
    Type: AWS::ApiGatewayV2::Authorizer
    Properties:
      AuthorizerType: JWT
      IdentitySource: [$request.header.Authorization]
      JwtConfiguration: { Issuer: "http://127.0.0.1:1", Audience: [console] }
  Jwt:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      RouteKey: POST /jwt
      Target: !Sub "integrations/${ProbeIntegration}"
      AuthorizationType: JWT
      AuthorizerId: !Ref Authorizer
  Custom:
    Type: AWS::ApiGatewayV2::Route
    Properties: { RouteKey: POST /custom, Target: !Sub "integrations/${ProbeIntegration}", AuthorizationType: CUSTOM }
"#;

async fn free_port() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a port is free")
}

/// A gateway over the probe function with these values for the variables the template declares.
async fn gateway(values: &[(&str, &str)], max_environments: usize, log: LogSink) -> Gateway {
    Gateway::start(config(values, max_environments, log).await).await.expect("the gateway starts")
}

async fn config(values: &[(&str, &str)], max_environments: usize, log: LogSink) -> GatewayConfig {
    GatewayConfig {
        listener: free_port().await,
        runtime_listener: free_port().await,
        template: Template::parse(TEMPLATE, &BTreeMap::new()).expect("the template is sound"),
        binaries: BTreeMap::from([("probe".to_owned(), env!("CARGO_BIN_EXE_probe-function").into())]),
        environment: values.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        platform_environment: BTreeMap::from([("AWS_ENDPOINT_URL".to_owned(), "http://local".to_owned())]),
        max_environments,
        run_schedules: false,
        operator: OperatorKeys::default(),
        permit: std::sync::Arc::new(|_, _, _| Ok(())),
        fallback: axum::Router::new().route("/", axum::routing::get(|| async { "the shop" })),
        log,
    }
}
