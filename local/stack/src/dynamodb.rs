//! The table on one machine: dynoxide behind a listener, with the table that the template defines; or a table of
//! one's own in another implementation, which is given by its URL.
//!
//! What is stored is looked at and changed past the wire by [`DynamoDb::call`], whoever stores it.

mod elsewhere;

use std::{fs, path::Path};

use anyhow::{Context as _, bail};
use dynoxide::Database;
use lambda_gateway::template::Table;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::catalogue::Product;

/// The name of the embedded table.
pub const TABLE_NAME: &str = "orders";

/// A running DynamoDB with one table. A table elsewhere is deleted when this is dropped.
pub struct DynamoDb {
    table: String,
    place: Place,
    server: Option<Server>,
}

/// The listener before the embedded database.
struct Server {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// Where the table is. Cloning it copies no table.
#[derive(Clone)]
pub(crate) enum Place {
    Embedded(Database),
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
        let task = tokio::spawn(async move {
            let stopped = async move {
                let _ = stopped.wait_for(|stopped| *stopped).await;
            };
            let _ = dynoxide::server::serve_with_shutdown(listener, serving, stopped).await;
        });
        let server = Some(Server { stop, task });
        Ok(Self { table: TABLE_NAME.to_owned(), place: Place::Embedded(database), server })
    }

    /// A new table in the DynamoDB at `url`, under a name that no other stack has.
    pub fn elsewhere(url: &str, table: &Table) -> anyhow::Result<Self> {
        let name = format!("{TABLE_NAME}-{}", uuid::Uuid::new_v4().simple());
        let place = Place::Elsewhere { url: url.trim_end_matches('/').to_owned() };
        let elsewhere = Self { table: name, place, server: None };
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
            Place::Embedded(database) => Some(database),
            Place::Elsewhere { .. } => None,
        }
    }

    /// Where the table is.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// One call, past the wire: `PutItem`, `Scan` … in DynamoDB's JSON. Waits for its end.
    pub fn call(&self, operation: &str, request: Value) -> anyhow::Result<Value> {
        self.place.call(operation, request)
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
        if let Some(server) = &self.server {
            server.stop.send_replace(true);
            // Connections of killed functions end by themselves; nobody else is waited for.
            server.task.abort();
        }
    }
}

impl Drop for DynamoDb {
    fn drop(&mut self) {
        if matches!(self.place, Place::Elsewhere { .. }) {
            // Nobody is left to tell, and a table that stays harms nobody.
            let _ = self.call("DeleteTable", json!({ "TableName": self.table }));
        }
    }
}

impl Place {
    /// One call to the table or to its stream, in their JSON. Waits for its end.
    pub(crate) fn call(&self, operation: &str, request: Value) -> anyhow::Result<Value> {
        let database = match self {
            Self::Embedded(database) => database,
            Self::Elsewhere { url } => return elsewhere::call(url, operation, &request),
        };
        macro_rules! answer {
            ($method:ident) => {
                Ok(serde_json::to_value(database.$method(serde_json::from_value(request)?)?)?)
            };
        }
        match operation {
            "GetItem" => answer!(get_item),
            "PutItem" => answer!(put_item),
            "UpdateItem" => answer!(update_item),
            "DeleteItem" => answer!(delete_item),
            "Scan" => answer!(scan),
            "DescribeTable" => answer!(describe_table),
            "DescribeStream" => answer!(describe_stream),
            "GetShardIterator" => answer!(get_shard_iterator),
            "GetRecords" => answer!(get_records),
            other => bail!("{other} is not called past the wire"),
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
