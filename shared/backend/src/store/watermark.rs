//! How far the comparison with PortOne's own list came.

use order::{Generation, Timestamp};

use super::{Store, StoreError, item};
use crate::dynamodb::UpdateItem;

impl Store {
    /// Access pattern 14: up to which moment everything of this generation was compared, if ever.
    pub async fn watermark(&self, generation: Generation) -> Result<Option<Timestamp>, StoreError> {
        let found = self.get(item::watermark_key(generation.word())).await?;
        Ok(found.and_then(|found| item::as_number(found.get("until")?)).map(Timestamp::from_millis))
    }

    /// Access pattern 15: moves the mark forward, never back.
    pub async fn move_watermark(&self, generation: Generation, until: Timestamp) -> Result<(), StoreError> {
        let write = UpdateItem {
            table_name: &self.table,
            key: item::watermark_key(generation.word()),
            condition_expression: Some("attribute_not_exists(PK) OR #until < :until"),
            update_expression: "SET #until = :until",
            expression_attribute_names: [("#until".to_owned(), "until".to_owned())].into(),
            expression_attribute_values: item::values([(":until", item::number(until.as_millis()))]),
            ..UpdateItem::default()
        };
        self.held(&write).await.map(|_| ())
    }
}
