//! A system in the cloud as its stack tells it: parameters, outputs, resources, and its functions as they are
//! configured now. Only calls that describe.

use std::{collections::BTreeMap, fmt::Debug};

use anyhow::Context as _;
use aws_config::SdkConfig;
use aws_sdk_cloudformation::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_lambda::operation::get_function_configuration::GetFunctionConfigurationOutput as Configuration;

use crate::report::{Finding, Look};

/// A resource of the stack.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    /// Its name in the template.
    pub(crate) logical: String,
    /// `AWS::Lambda::Function` …
    pub(crate) kind: String,
    /// Its name in the account, or its ARN or URL.
    pub(crate) physical: String,
}

/// The stack, and clients for what it is made of.
pub(crate) struct Cloud {
    pub(crate) stack: String,
    pub(crate) status: String,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) outputs: BTreeMap<String, String>,
    pub(crate) resources: Vec<Resource>,
    /// Each function's configuration by its name in the template, or why it cannot be read.
    pub(crate) functions: BTreeMap<String, Result<Configuration, String>>,
    pub(crate) lambda: aws_sdk_lambda::Client,
    pub(crate) pipes: aws_sdk_pipes::Client,
    pub(crate) scheduler: aws_sdk_scheduler::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) sns: aws_sdk_sns::Client,
    pub(crate) cloudwatch: aws_sdk_cloudwatch::Client,
    pub(crate) logs: aws_sdk_cloudwatchlogs::Client,
}

impl Cloud {
    /// Reads the stack. An error is the caller's to mend: no credentials, no such stack, no right to look.
    pub(crate) async fn read(stack: &str, config: &SdkConfig) -> anyhow::Result<Self> {
        let client = aws_sdk_cloudformation::Client::new(config);
        let described = client.describe_stacks().stack_name(stack).send().await;
        let described = described.map_err(|error| anyhow::anyhow!(told(&error)))?;
        let found = described.stacks().first().context("AWS knows no such stack")?;
        let pairs = |pairs: Vec<(Option<&str>, Option<&str>)>| {
            let whole =
                pairs.into_iter().filter_map(|(name, value)| Some((name?.to_owned(), value?.to_owned())));
            whole.collect::<BTreeMap<_, _>>()
        };
        let mut resources = Vec::new();
        let mut pages = client.list_stack_resources().stack_name(stack).into_paginator().items().send();
        while let Some(resource) = pages.next().await {
            let resource = resource.map_err(|error| anyhow::anyhow!(told(&error)))?;
            let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
            resources.push(Resource {
                logical: text(resource.logical_resource_id()),
                kind: text(resource.resource_type()),
                physical: text(resource.physical_resource_id()),
            });
        }
        let mut cloud = Self {
            stack: stack.to_owned(),
            status: found.stack_status().map(|status| status.as_str().to_owned()).unwrap_or_default(),
            parameters: pairs(
                found.parameters().iter().map(|p| (p.parameter_key(), p.parameter_value())).collect(),
            ),
            outputs: pairs(found.outputs().iter().map(|o| (o.output_key(), o.output_value())).collect()),
            resources,
            functions: BTreeMap::new(),
            lambda: aws_sdk_lambda::Client::new(config),
            pipes: aws_sdk_pipes::Client::new(config),
            scheduler: aws_sdk_scheduler::Client::new(config),
            sqs: aws_sdk_sqs::Client::new(config),
            sns: aws_sdk_sns::Client::new(config),
            cloudwatch: aws_sdk_cloudwatch::Client::new(config),
            logs: aws_sdk_cloudwatchlogs::Client::new(config),
        };
        for function in cloud.of_kind("AWS::Lambda::Function") {
            let name = &function.physical;
            let got = cloud.lambda.get_function_configuration().function_name(name).send().await;
            cloud.functions.insert(function.logical.clone(), got.map_err(|error| told(&error)));
        }
        Ok(cloud)
    }

    /// The resources of one type.
    pub(crate) fn of_kind(&self, kind: &str) -> Vec<Resource> {
        self.resources.iter().filter(|resource| resource.kind == kind).cloned().collect()
    }

    /// The functions' variables, those of all of them together: each has at least its share.
    pub(crate) fn environment(&self) -> BTreeMap<String, String> {
        let functions = self.functions.values().filter_map(|function| function.as_ref().ok());
        functions.flat_map(variables).collect()
    }
}

/// A function's variables.
pub(crate) fn variables(function: &Configuration) -> BTreeMap<String, String> {
    let variables = function.environment().and_then(|environment| environment.variables());
    variables.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Why a call to AWS did not succeed, in a few words.
pub(crate) fn told<E, R>(error: &SdkError<E, R>) -> String
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: Debug + Send + Sync + 'static,
{
    match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        _ => DisplayErrorContext(error).to_string().lines().next().unwrap_or_default().to_owned(),
    }
}

/// What a call that did not succeed means: a thing that is not there is a fault, a thing that could not be
/// looked at is not.
pub(crate) fn missing_or_unread<E, R>(look: &Look, error: &SdkError<E, R>, cure: &str) -> Finding
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: Debug + Send + Sync + 'static,
{
    let is_missing = error.code().is_some_and(|code| {
        ["NotFound", "NonExistent", "DoesNotExist"].iter().any(|word| code.contains(word))
    });
    if is_missing {
        return look.fail(format!("it is not there ({})", error.code().unwrap_or_default()), cure);
    }
    look.not_checked(told(error), READ_ONLY)
}

/// For whoever may not look.
pub(crate) const READ_ONLY: &str = "ask with credentials that may read this (docs/GOING-LIVE.md lists the actions), or once more in a minute";
