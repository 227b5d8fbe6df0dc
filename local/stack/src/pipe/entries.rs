//! What the enrichment answered, as events for the bus, by the rules of Pipes and of PutEvents.

use lambda_gateway::{ACCOUNT_ID, REGION, template::Pipe};
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

/// As many entries as PutEvents takes at once. Pipes calls no target with more.
const ENTRIES_MAX: usize = 10;

/// The events of an answer. An empty answer is none; an object alone is one.
pub(super) fn entries(pipe: &Pipe, answer: Value, now: OffsetDateTime) -> Result<Vec<Value>, String> {
    let details = match answer {
        Value::Array(details) => details,
        Value::Null => Vec::new(),
        Value::String(text) if text.is_empty() => Vec::new(),
        Value::Object(members) if members.is_empty() => Vec::new(),
        detail @ Value::Object(_) => vec![detail],
        other => return Err(format!("the enrichment answered neither a list nor an object: {other}")),
    };
    if details.len() > ENTRIES_MAX {
        return Err(format!(
            "{} events of one batch: an event bus takes {ENTRIES_MAX} at once",
            details.len()
        ));
    }
    details.into_iter().map(|detail| event(pipe, detail, now)).collect()
}

fn event(pipe: &Pipe, detail: Value, now: OffsetDateTime) -> Result<Value, String> {
    if !detail.is_object() {
        return Err(format!("an event's detail is an object, not {detail}"));
    }
    let source = pipe.source.of(&detail).filter(|text| !text.is_empty());
    let source = source.ok_or_else(|| format!("no source in {detail}"))?.to_owned();
    let detail_type = pipe.detail_type.of(&detail).filter(|text| !text.is_empty());
    let detail_type = detail_type.ok_or_else(|| format!("no detail type in {detail}"))?.to_owned();
    let time = match &pipe.time {
        None => now,
        Some(field) => field
            .of(&detail)
            .and_then(|time| OffsetDateTime::parse(time, &Rfc3339).ok())
            .ok_or_else(|| format!("no time in {detail}"))?,
    };
    let time = time.to_offset(time::UtcOffset::UTC).replace_nanosecond(0).unwrap_or(time);
    Ok(json!({
        "version": "0",
        // A new one for every publication, also of the same event: what is stable is in the detail.
        "id": Uuid::new_v4().to_string(),
        "detail-type": detail_type,
        "source": source,
        "account": ACCOUNT_ID,
        "time": time.format(&Rfc3339).unwrap_or_default(),
        "region": REGION,
        "resources": [],
        "detail": detail,
    }))
}

#[cfg(test)]
mod tests {
    use lambda_gateway::template::{Field, PipeArns, Role};
    use time::macros::datetime;

    use super::*;

    fn pipe() -> Pipe {
        Pipe {
            name: "Pipe".to_owned(),
            table: "Table".to_owned(),
            enrichment: "order-events".to_owned(),
            bus: "orders".to_owned(),
            running: true,
            from_the_beginning: true,
            batch_size: 10,
            retries: Some(1),
            bisect: false,
            dead_letter_queue: None,
            filters: Vec::new(),
            source: Field::Text("shop.orders".to_owned()),
            detail_type: Field::Path(vec!["type".to_owned()]),
            time: None,
            role: Role { name: "PipeRole".to_owned(), statements: Vec::new() },
            arns: PipeArns::default(),
        }
    }

    fn of(answer: Value) -> Result<Vec<Value>, String> {
        entries(&pipe(), answer, datetime!(2026-11-23 03:00:00.5 UTC))
    }

    #[test]
    fn each_element_of_the_answer_is_an_event() {
        let detail = json!({"type": "OrderPaid", "orderId": "01JD"});
        let mut events = of(json!([detail, {"type": "OrderCancelled"}])).unwrap();
        assert_eq!(events[1]["detail-type"], "OrderCancelled");
        assert_ne!(events[0]["id"], events[1]["id"]);
        let id = events[0]["id"].take();
        assert_eq!(id.as_str().unwrap().len(), 36);
        assert_eq!(
            events[0],
            json!({
                "version": "0", "id": null, "detail-type": "OrderPaid", "source": "shop.orders",
                "account": "123456789012", "time": "2026-11-23T03:00:00Z", "region": "ap-northeast-2",
                "resources": [], "detail": detail,
            })
        );
        assert_eq!(of(detail).unwrap().len(), 1);
    }

    #[test]
    fn an_empty_answer_is_no_event() {
        for answer in [json!([]), json!({}), json!(""), json!(null)] {
            assert_eq!(of(answer), Ok(vec![]));
        }
    }

    #[test]
    fn an_events_time_is_what_its_detail_says_where_the_pipe_asks_for_it() {
        let timed = Pipe { time: Some(Field::Path(vec!["at".to_owned()])), ..pipe() };
        let at = |at: &str| {
            let answer = json!([{"type": "OrderPaid", "at": at}]);
            entries(&timed, answer, datetime!(2026-11-23 03:00:00 UTC))
                .map(|events| events[0]["time"].clone())
        };
        assert_eq!(at("2026-11-23T12:00:01.250+09:00"), Ok(json!("2026-11-23T03:00:01Z")));
        assert!(at("yesterday").is_err());
    }

    #[test]
    fn what_the_bus_would_not_take_is_a_failure_of_the_whole_batch() {
        let events = |count: usize| Value::from(vec![json!({"type": "OrderPaid"}); count]);
        assert_eq!(of(events(10)).unwrap().len(), 10);
        for (answer, reason) in [
            (events(11), "takes 10 at once"),
            (json!([{"type": "OrderPaid"}, {"kind": "x"}]), "no detail type"),
            (json!([{"type": ""}]), "no detail type"),
            (json!(["OrderPaid"]), "is an object"),
            (json!(7), "neither a list nor an object"),
        ] {
            let error = of(answer.clone()).unwrap_err();
            assert!(error.contains(reason), "{answer}: {error}");
        }
    }
}
