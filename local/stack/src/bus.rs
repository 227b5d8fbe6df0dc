//! The event bus on one machine: what was published, in memory, for whoever looks. It has no rules and no
//! targets of its own.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;
use tokio::sync::watch;

/// Older events are forgotten, so that a system that runs for weeks does not grow.
const KEPT: usize = 10_000;

/// An event bus. Clones are the same bus.
#[derive(Clone)]
pub struct Bus {
    events: Arc<Mutex<VecDeque<Value>>>,
    published: watch::Sender<u64>,
}

impl Default for Bus {
    fn default() -> Self {
        Self { events: Arc::default(), published: watch::Sender::new(0) }
    }
}

impl Bus {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Value>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The events so far, oldest first: `id`, `time`, `source`, `detail-type`, `detail` and the others that
    /// a rule's target gets.
    pub fn events(&self) -> Vec<Value> {
        self.lock().iter().cloned().collect()
    }

    /// The first event that is so, whether it was published already or will be. A test that waits here in
    /// vain hangs: bound the whole test, not this.
    pub async fn wait_for(&self, mut is_it: impl FnMut(&Value) -> bool) -> Value {
        let mut published = self.published.subscribe();
        loop {
            published.borrow_and_update();
            if let Some(event) = self.lock().iter().find(|event| is_it(event)) {
                return event.clone();
            }
            // The sender lives as long as this bus.
            let _ = published.changed().await;
        }
    }

    /// Told of every publication: how many events there were so far.
    pub fn published(&self) -> watch::Receiver<u64> {
        self.published.subscribe()
    }

    /// Publishes events, all of them or, if this is not reached, none.
    pub(crate) fn publish(&self, events: Vec<Value>) {
        let count = u64::try_from(events.len()).unwrap_or_default();
        let mut kept = self.lock();
        kept.extend(events);
        let surplus = kept.len().saturating_sub(KEPT);
        kept.drain(..surplus);
        drop(kept);
        self.published.send_modify(|published| *published += count);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn an_event_is_waited_for_whether_it_came_already_or_comes_later() {
        let bus = Bus::default();
        bus.publish(vec![json!({"id": 1}), json!({"id": 2})]);
        assert_eq!(bus.wait_for(|event| event["id"] == 2).await, json!({"id": 2}));
        let later = bus.clone();
        let waiting = tokio::spawn(async move { later.wait_for(|event| event["id"] == 3).await });
        tokio::task::yield_now().await;
        bus.publish(vec![json!({"id": 3})]);
        assert_eq!(waiting.await.unwrap(), json!({"id": 3}));
        assert_eq!(bus.events().len(), 3);
        assert_eq!(*bus.published().borrow(), 3);
    }

    #[test]
    fn only_the_newest_events_are_kept() {
        let bus = Bus::default();
        bus.publish((0..KEPT).map(Value::from).collect());
        bus.publish(vec![json!("new")]);
        let events = bus.events();
        assert_eq!((events.len(), &events[0], events.last()), (KEPT, &json!(1), Some(&json!("new"))));
    }
}
