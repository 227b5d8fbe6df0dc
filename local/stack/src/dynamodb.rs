//! The table on one machine: dynoxide behind a listener, with the table that the template defines; or a table of
//! one's own in another implementation, which is given by its URL.
//!
//! What is stored is looked at and changed past the wire by [`DynamoDb::call`], whoever stores it.

mod elsewhere;

use std::{fs, path::Path};

use anyhow::{Context as _, bail};
use dynoxide::Database;
use lambda_gateway::template::Table;
use serde_json::Value;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::catalogue::Product;

/// The name of the embedded table.
pub const TABLE_NAME: &str = "orders";

/// A running DynamoDB with one table.
pub struct DynamoDb {
    table: String,
    place: Place,
}

enum Place {
    Embedded { database: Database, stop: watch::Sender<bool>, server: JoinHandle<()> },
    Elsewhere { url: String },
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
        Ok(Self { table: TABLE_NAME.to_owned(), place: Place::Embedded { database, stop, server } })
    }

    /// A new table in the DynamoDB at `url`, under a name that no other stack has.
    pub fn elsewhere(url: &str, table: &Table) -> anyhow::Result<Self> {
        let name = format!("{TABLE_NAME}-{}", uuid::Uuid::new_v4().simple());
        let place = Place::Elsewhere { url: url.trim_end_matches('/').to_owned() };
        let elsewhere = Self { table: name, place };
        elsewhere.call("CreateTable", table.create_request(&elsewhere.table))?;
        Ok(elsewhere)
    }

    /// The table's name.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// The embedded database, if it is that.
    pub fn database(&self) -> Option<&Database> {
        match &self.place {
            Place::Embedded { database, .. } => Some(database),
            Place::Elsewhere { .. } => None,
        }
    }

    /// One call, past the wire: `PutItem`, `Scan` … in DynamoDB's JSON. Waits for its end.
    pub fn call(&self, operation: &str, request: Value) -> anyhow::Result<Value> {
        let database = match &self.place {
            Place::Embedded { database, .. } => database,
            Place::Elsewhere { url } => return elsewhere::call(url, operation, &request),
        };
        Ok(match operation {
            "GetItem" => serde_json::to_value(database.get_item(serde_json::from_value(request)?)?)?,
            "PutItem" => serde_json::to_value(database.put_item(serde_json::from_value(request)?)?)?,
            "UpdateItem" => serde_json::to_value(database.update_item(serde_json::from_value(request)?)?)?,
            "DeleteItem" => serde_json::to_value(database.delete_item(serde_json::from_value(request)?)?)?,
            "Scan" => serde_json::to_value(database.scan(serde_json::from_value(request)?)?)?,
            other => bail!("{other} is not called past the wire"),
        })
    }

    /// Writes products. With `keep`, those that the table already has are left as they are, so that stock
    /// that was sold stays sold.
    pub fn load(&self, products: &[Product], keep: bool) -> anyhow::Result<()> {
        for product in products {
            let mut request = product.load_request(&self.table);
            if keep {
                request["ConditionExpression"] = Value::from("attribute_not_exists(PK)");
            }
            match self.call("UpdateItem", request) {
                Ok(_) => {}
                Err(error) if keep && is_condition(&error) => {}
                Err(error) => bail!("product {}: {error}", product.id.as_str()),
            }
        }
        Ok(())
    }

    pub(crate) fn stop(&self) {
        if let Place::Embedded { stop, server, .. } = &self.place {
            stop.send_replace(true);
            // Connections of killed functions end by themselves; nobody else is waited for.
            server.abort();
        }
    }
}

fn is_condition(error: &anyhow::Error) -> bool {
    let embedded = error.downcast_ref::<dynoxide::DynoxideError>();
    matches!(embedded, Some(dynoxide::DynoxideError::ConditionalCheckFailedException(..)))
        || error.to_string().contains("ConditionalCheckFailedException")
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
