//! `cargo xtask products load` ends in this program: a catalogue file into the table, in the cloud with the
//! usual AWS credentials, or locally with `--endpoint-url`.

use std::{collections::HashMap, path::PathBuf, process::ExitCode};

use anyhow::{Context as _, bail};
use aws_sdk_dynamodb::{Client, types::AttributeValue};
use local_stack::catalogue::{self, Product};
use serde_json::Value;

const USAGE: &str = "catalogue-load FILE [--table NAME] [--endpoint-url URL]";

struct Options {
    file: PathBuf,
    table: String,
    endpoint_url: Option<String>,
}

fn main() -> ExitCode {
    let outcome = options().and_then(|options| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(load(options))
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn options() -> anyhow::Result<Options> {
    use lexopt::prelude::{Long, Value, ValueExt as _};

    let (mut file, mut table, mut endpoint_url) = (None, None, None);
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("table") => table = Some(arguments.value()?.string()?),
            Long("endpoint-url") => endpoint_url = Some(arguments.value()?.string()?),
            Value(value) if file.is_none() => file = Some(value.into()),
            other => return Err(other.unexpected()).context(USAGE),
        }
    }
    let table = table.or_else(|| std::env::var("TABLE_NAME").ok());
    Ok(Options {
        file: file.context(USAGE)?,
        table: match (table, &endpoint_url) {
            (Some(table), _) => table,
            (None, Some(_)) => local_stack::dynamodb::TABLE_NAME.to_owned(),
            (None, None) => bail!("which table? --table NAME, or the variable TABLE_NAME"),
        },
        endpoint_url,
    })
}

async fn load(options: Options) -> anyhow::Result<()> {
    let content = std::fs::read(&options.file).with_context(|| options.file.display().to_string())?;
    // The whole file is checked before anything is written.
    let products = match catalogue::parse(content) {
        Ok(products) => products,
        Err(faults) => bail!("{}:\n{faults}", options.file.display()),
    };
    let client = client(options.endpoint_url).await;
    for product in &products {
        write(&client, &options.table, product)
            .await
            .with_context(|| format!("product {} is not written", product.id.as_str()))?;
    }
    println!("{} products written to {}", products.len(), options.table);
    Ok(())
}

async fn client(endpoint_url: Option<String>) -> Client {
    let mut loader = aws_config::defaults(aws_config::BehaviorVersion::latest());
    if let Some(url) = endpoint_url {
        // A local endpoint takes any credentials; none of the real ones are sent to it.
        loader = loader
            .endpoint_url(url)
            .region(aws_config::Region::new(lambda_gateway::REGION))
            .credentials_provider(aws_sdk_dynamodb::config::Credentials::new(
                "local", "local", None, None, "local",
            ));
    }
    Client::new(&loader.load().await)
}

async fn write(client: &Client, table: &str, product: &Product) -> anyhow::Result<()> {
    let request = product.load_request(table);
    let names = strings(&request["ExpressionAttributeNames"]);
    client
        .update_item()
        .table_name(table)
        .set_key(Some(attributes(&request["Key"])?))
        .update_expression(request["UpdateExpression"].as_str().unwrap_or_default())
        .set_expression_attribute_names(Some(names))
        .set_expression_attribute_values(Some(attributes(&request["ExpressionAttributeValues"])?))
        .send()
        .await
        .map_err(aws_sdk_dynamodb::Error::from)?;
    Ok(())
}

fn strings(object: &Value) -> HashMap<String, String> {
    let members = object.as_object().into_iter().flatten();
    members.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
}

/// DynamoDB's JSON as the SDK's values; a catalogue item has these three types only.
fn attributes(object: &Value) -> anyhow::Result<HashMap<String, AttributeValue>> {
    let members = object.as_object().into_iter().flatten();
    members
        .map(|(name, value)| {
            let value = match (value["S"].as_str(), value["N"].as_str(), value["BOOL"].as_bool()) {
                (Some(text), _, _) => AttributeValue::S(text.to_owned()),
                (_, Some(number), _) => AttributeValue::N(number.to_owned()),
                (_, _, Some(flag)) => AttributeValue::Bool(flag),
                _ => bail!("{name} has a type that no catalogue item has"),
            };
            Ok((name.clone(), value))
        })
        .collect()
}
