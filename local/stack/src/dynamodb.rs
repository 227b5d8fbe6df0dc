//! The table on one machine: dynoxide behind a listener, with the table that the template defines. The
//! embedded database is given out as it is, for looking at what is stored and for sweeping expired items.

use std::{fs, path::Path};

use anyhow::{Context as _, bail};
use dynoxide::Database;
use lambda_gateway::template::Table;
use serde_json::Value;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::catalogue::Product;

/// The name of the local table.
pub const TABLE_NAME: &str = "orders";

/// A running DynamoDB with one table.
pub struct DynamoDb {
    database: Database,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
}

impl DynamoDb {
    /// Serves `listener` from a file in `folder`, or from memory, and creates the table if it is not there.
    /// A file whose table was made from another definition is refused, not migrated.
    pub fn start(listener: TcpListener, folder: Option<&Path>, table: &Table) -> anyhow::Result<Self> {
        let database = match folder {
            Some(folder) => {
                let file = folder.join("dynamodb.sqlite");
                Database::new(&file.to_string_lossy()).with_context(|| file.display().to_string())?
            }
            None => Database::memory()?,
        };
        create(&database, table, folder.map(|folder| folder.join("table.json")).as_deref())?;
        let (stop, mut stopped) = watch::channel(false);
        let serving = database.clone();
        let server = tokio::spawn(async move {
            let stopped = async move {
                let _ = stopped.wait_for(|stopped| *stopped).await;
            };
            let _ = dynoxide::server::serve_with_shutdown(listener, serving, stopped).await;
        });
        Ok(Self { database, stop, server })
    }

    /// The embedded database.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Writes products. With `keep`, those that the table already has are left as they are, so that stock
    /// that was sold stays sold.
    pub fn load(&self, products: &[Product], keep: bool) -> anyhow::Result<()> {
        for product in products {
            let mut request = product.load_request(TABLE_NAME);
            if keep {
                request["ConditionExpression"] = Value::from("attribute_not_exists(PK)");
            }
            match self.database.update_item(serde_json::from_value(request)?) {
                Ok(_) => {}
                Err(dynoxide::DynoxideError::ConditionalCheckFailedException(..)) if keep => {}
                Err(error) => bail!("product {}: {error}", product.id.as_str()),
            }
        }
        Ok(())
    }

    pub(crate) fn stop(&self) {
        self.stop.send_replace(true);
        // Connections of killed functions end by themselves; nobody else is waited for.
        self.server.abort();
    }
}

fn create(database: &Database, table: &Table, record: Option<&Path>) -> anyhow::Result<()> {
    let wanted = table.create_request(TABLE_NAME);
    let known = database.list_tables(serde_json::from_value(Value::Object(serde_json::Map::new()))?)?;
    if known.table_names.iter().any(|name| name == TABLE_NAME) {
        let made_from: Option<Value> = record
            .and_then(|record| fs::read_to_string(record).ok())
            .and_then(|text| serde_json::from_str(&text).ok());
        if made_from.as_ref() != Some(&wanted) {
            bail!("the kept table was made from another definition than template.yaml's; start with --fresh");
        }
        return Ok(());
    }
    database.create_table(serde_json::from_value(wanted.clone())?)?;
    if let Some(expiry) = table.time_to_live_request(TABLE_NAME) {
        database.update_time_to_live(serde_json::from_value(expiry)?)?;
    }
    if let Some(record) = record {
        fs::write(record, wanted.to_string()).with_context(|| record.display().to_string())?;
    }
    Ok(())
}
