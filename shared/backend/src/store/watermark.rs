//! How far the comparison with PortOne's own list came.

use order::{Generation, Timestamp};

use super::{Store, StoreError, held, item};

impl Store {
    /// Access pattern 14: up to which moment everything of this generation was compared, if ever.
    pub async fn watermark(&self, generation: Generation) -> Result<Option<Timestamp>, StoreError> {
        let request = self.client.get_item().table_name(&self.table).consistent_read(true);
        let answer = request.set_key(Some(item::watermark_key(generation.word()))).send().await;
        let found = answer.map_err(StoreError::of("GetItem"))?.item;
        Ok(found.and_then(|item| item.get("until")?.as_n().ok()?.parse().ok()).map(Timestamp::from_millis))
    }

    /// Access pattern 15: moves the mark forward, never back.
    pub async fn move_watermark(&self, generation: Generation, until: Timestamp) -> Result<(), StoreError> {
        let sent = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item::watermark_key(generation.word())))
            .condition_expression("attribute_not_exists(PK) OR #until < :until")
            .update_expression("SET #until = :until")
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":until", item::number(until.as_millis()))
            .send()
            .await;
        held(sent).map(|_| ())
    }
}
