//! Writing an order's next state, with an exception for operators where DynamoDB rejects the write.

use order::{FindingKind, Order, Timestamp};

use super::Sync;
use crate::{
    store::{AdvanceError, Finding, StoreError},
    telemetry::chain,
};

impl Sync {
    /// [`Store::advance`](crate::store::Store::advance). A write that DynamoDB rejects for good is also recorded as a
    /// finding: the order stays behind PortOne until an operator acts.
    pub(super) async fn advance(
        &self,
        before: &Order,
        next: &Order,
        now: Timestamp,
    ) -> Result<Order, AdvanceError> {
        let written = self.store.advance(before, next).await;
        if let Err(AdvanceError::Store(StoreError::Rejected { operation, code })) = &written {
            let facts = [
                ("operation", (*operation).to_owned()),
                ("code", code.clone()),
                ("status", before.status.word().to_owned()),
                ("nextStatus", next.status.word().to_owned()),
            ];
            let finding = Finding {
                kind: FindingKind::WriteRejected,
                subject: before.id.as_str().to_owned(),
                facts: facts.map(|(name, value)| (name.to_owned(), value)).into(),
                // It stands until it settles, so its date is the first one.
                changed_at: Timestamp::from_millis(0),
            };
            // The table may reject this as well: the alarm on `table.rejected` is independent of it.
            if let Err(error) = self.store.record_finding(&finding, now).await {
                tracing::error!(event = "finding.lost", order_id = %before.id, error = chain(&error));
            }
        }
        written
    }
}
