//! Parked deliveries: V1 webhooks that could not be worked off when they came.
//!
//! V1 sends a webhook once (its webhook guide: resends only for shops that asked for them), so what
//! cannot be worked off is kept here and answered.

use order::Timestamp;

use super::{Store, StoreError, item};
use crate::dynamodb::{DeleteItem, Item, PutItem, Query};

/// A V1 delivery to be worked off later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkedDelivery {
    /// PortOne's id of the attempt.
    pub imp_uid: String,
    /// When it was parked last.
    pub parked_at: Timestamp,
}

/// How many parked deliveries are looked at in one go.
pub const PARKED_PAGE: usize = 100;

impl Store {
    /// Access pattern 7: keeps a delivery. Another one about the same attempt takes its place: it is the
    /// same hint, to be worked off after this moment.
    pub async fn park(&self, delivery: &ParkedDelivery) -> Result<(), StoreError> {
        let mut new = item::parked_key(&delivery.imp_uid);
        new.insert("impUid".to_owned(), item::text(&delivery.imp_uid));
        new.insert("parkedAt".to_owned(), item::number(delivery.parked_at.as_millis()));
        let write = PutItem { table_name: &self.table, item: new, ..PutItem::default() };
        self.held(&write).await.map(|_| ())
    }

    /// Access pattern 8: parked deliveries, at most a hundred. What is broken is left out.
    pub async fn parked(&self) -> Result<Vec<ParkedDelivery>, StoreError> {
        let query = Query {
            table_name: &self.table,
            limit: Some(PARKED_PAGE as u16),
            key_condition_expression: "PK = :parked",
            expression_attribute_values: item::values([(":parked", item::text(item::PARKED))]),
            ..Query::default()
        };
        let delivery = |found: &Item| {
            let parked_at = Timestamp::from_millis(item::as_number(found.get("parkedAt")?)?);
            Some(ParkedDelivery { imp_uid: item::as_str(found.get("impUid")?)?.to_owned(), parked_at })
        };
        Ok(self.dynamodb.read(&query).await?.items.iter().filter_map(delivery).collect())
    }

    /// Access pattern 9: forgets a delivery that was worked off, unless it was parked again since it was
    /// read. It was a hint; what came of it is in its order. Forgetting it twice changes nothing.
    pub async fn unpark(&self, delivery: &ParkedDelivery) -> Result<(), StoreError> {
        let write = DeleteItem {
            table_name: &self.table,
            key: item::parked_key(&delivery.imp_uid),
            condition_expression: Some("parkedAt = :read"),
            expression_attribute_values: item::values([(
                ":read",
                item::number(delivery.parked_at.as_millis()),
            )]),
        };
        self.held(&write).await.map(|_| ())
    }
}
