//! Reading payments, attempts and money events. Lists take their input as a JSON body on GET or as the
//! query `requestBody`, as the official clients send it.

use axum::{
    Json,
    extract::{Query, State},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    At,
    error::ApiError,
    filter::{Filter, Moment, WINDOW_MILLIS},
    read, render,
};
use crate::{
    clock::Timestamp,
    payment::{Payment, Refusal},
    simulator::Simulator,
    switches::ListWithoutStore,
    world::World,
};

const PAGE_REACH: i64 = 60_000;
const CURSOR_SIZE_MAX: usize = 1000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StoreQuery {
    pub store_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListQuery {
    request_body: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ListBody {
    page: Option<Page>,
    filter: Option<Filter>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct Page {
    number: Option<i32>,
    size: Option<i32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct CursorBody {
    store_id: Option<String>,
    from: Option<Moment>,
    until: Option<Moment>,
    cursor: Option<String>,
    size: Option<usize>,
}

/// `GET /payments/{paymentId}`.
pub(super) async fn payment(
    State(simulator): State<Simulator>,
    At(id): At<String>,
    Query(query): Query<StoreQuery>,
) -> Result<Json<Value>, ApiError> {
    simulator.read(|world| {
        let visible = world.switches.pre_registered_visible;
        let store = own_store(world, query.store_id.as_deref())?;
        match in_store(world, &id, store) {
            Ok(payment) => Ok(Json(render::payment(world, payment))),
            Err(refused) => {
                let registered = render::registered(world, &id, store).filter(|_| visible);
                registered.map(Json).ok_or(refused.into())
            }
        }
    })
}

/// `GET /payments/{paymentId}/transactions`.
pub(super) async fn transactions(
    State(simulator): State<Simulator>,
    At(id): At<String>,
    Query(query): Query<StoreQuery>,
) -> Result<Json<Value>, ApiError> {
    simulator.read(|world| {
        let payment = readable(world, &id, query.store_id.as_deref())?;
        let items = payment.transactions.iter().map(|tx| render::transaction(world, payment, tx));
        Ok(Json(json!({ "items": items.collect::<Vec<_>>() })))
    })
}

/// `GET /payments`.
pub(super) async fn list(
    State(simulator): State<Simulator>,
    Query(query): Query<ListQuery>,
    body: Bytes,
) -> Result<Json<Value>, ApiError> {
    let ListBody { page, filter } = input(&query, &body)?;
    let page = page.unwrap_or_default();
    let (number, size) = (page.number.unwrap_or(0), page.size.unwrap_or(10));
    let reach = (i64::from(number) + 1) * i64::from(size);
    if number < 0 || size < 1 || reach > PAGE_REACH {
        return Err(ApiError::invalid("page: (number + 1) * size must be between 1 and 60000"));
    }
    let filter = filter.unwrap_or_default();
    let now = Timestamp::wall();
    simulator.read(|world| {
        let stores = listed_stores(world, filter.store_id.as_deref())?;
        let loose = world.switches.v1_escapes_filter;
        let mut found: Vec<&Payment> = world
            .shown_in_v2()
            .filter(|payment| stores.contains(&payment.store_id.as_str()))
            .filter(|payment| filter.passes(payment, now, loose))
            .collect();
        filter.sort(&mut found);
        let skipped = usize::try_from(reach - i64::from(size)).unwrap_or(usize::MAX);
        let taken = usize::try_from(size).unwrap_or(0);
        let shown = found.iter().skip(skipped).take(taken).map(|payment| render::payment(world, payment));
        Ok(Json(json!({
            "items": shown.collect::<Vec<_>>(),
            "page": { "number": number, "size": size, "totalCount": found.len() },
        })))
    })
}

/// `GET /payments-by-cursor`: by creation, oldest first. Without `storeId` of the credential's own store
/// (`GetAllPaymentsByCursorBody.storeId` of the V2 schema).
pub(super) async fn by_cursor(
    State(simulator): State<Simulator>,
    Query(query): Query<ListQuery>,
    body: Bytes,
) -> Result<Json<Value>, ApiError> {
    let body: CursorBody = input(&query, &body)?;
    let (from, until, size) = bounds(&body)?;
    let after = body.cursor.as_deref().map(place).transpose()?;
    simulator.read(|world| {
        let store = own_store(world, body.store_id.as_deref())?;
        let mut found: Vec<(&Timestamp, &String, &Payment)> = world
            .shown_in_v2()
            .filter(|payment| (from..=until).contains(&payment.created_at))
            .filter(|payment| payment.store_id == store)
            .map(|payment| (&payment.created_at, &payment.id, payment))
            .filter(|(at, id, _)| after.as_ref().is_none_or(|(t, last)| (*at, *id) > (t, last)))
            .collect();
        found.sort_by_key(|(at, id, _)| (*at, *id));
        let items = found.into_iter().take(size).map(|(at, id, payment)| {
            json!({ "payment": render::payment(world, payment), "cursor": cursor(*at, id) })
        });
        Ok(Json(json!({ "items": items.collect::<Vec<_>>() })))
    })
}

/// `GET /payment-events-by-cursor`: money that moved, oldest first, of the stores that `GET /payments` lists
/// (`GetAllPaymentEventsByCursorBody.storeId` has the same words).
pub(super) async fn events(
    State(simulator): State<Simulator>,
    Query(query): Query<ListQuery>,
    body: Bytes,
) -> Result<Json<Value>, ApiError> {
    let body: CursorBody = input(&query, &body)?;
    let (from, until, size) = bounds(&body)?;
    simulator.read(|world| {
        let stores = listed_stores(world, body.store_id.as_deref())?;
        let ledger = &world.book.ledger;
        let start = match &body.cursor {
            None => 0,
            Some(cursor) => {
                let (_, last) = place(cursor)?;
                let at = ledger.iter().position(|entry| entry.id == last);
                at.ok_or_else(|| ApiError::invalid("cursor is unknown"))? + 1
            }
        };
        let items = ledger[start..]
            .iter()
            .filter(|entry| (from..=until).contains(&entry.at))
            .filter(|entry| {
                let payment = world.payment(&entry.payment_id).ok();
                let listed = payment.filter(|payment| stores.contains(&payment.store_id.as_str()));
                listed.is_some_and(|payment| world.shows_in_v2(payment))
            })
            .filter_map(|entry| Some((entry, render::event(world, entry)?)))
            .take(size)
            .map(|(entry, event)| json!({ "paymentEvent": event, "cursor": cursor(entry.at, &entry.id) }));
        Ok(Json(json!({ "items": items.collect::<Vec<_>>() })))
    })
}

/// The payment that a call is about, if the credential may name the store and the payment is one of that store.
///
/// A payment of another store is PAYMENT_NOT_FOUND: the schema has no other 404 here, and a credential learns
/// nothing about stores that it does not name.
pub(super) fn readable<'w>(world: &'w World, id: &str, store: Option<&str>) -> Result<&'w Payment, ApiError> {
    let store = own_store(world, store)?;
    Ok(in_store(world, id, store)?)
}

fn in_store<'w>(world: &'w World, id: &str, store: &str) -> Result<&'w Payment, Refusal> {
    let payment = world.payment(id)?;
    let shown = world.shows_in_v2(payment) && payment.store_id == store;
    if shown { Ok(payment) } else { Err(Refusal::PaymentNotFound) }
}

/// The store of a call: the one it names if the credential may act for it, else the credential's own. "Only
/// stores that the credential may access; without it the store of the credential is used" (member `storeId` of
/// `CancelPaymentBody`, `ConfirmPaymentBody`, `PreRegisterPaymentBody`, `ResendWebhookBody` and query `storeId`
/// of `GET /payments/{paymentId}` and `…/virtual-account/close`).
pub(super) fn own_store<'a>(world: &'a World, store: Option<&'a str>) -> Result<&'a str, ApiError> {
    match store {
        None => Ok(&world.config.store_id),
        Some(store) if world.knows_store(store) => Ok(store),
        Some(_) => Err(ApiError::forbidden()),
    }
}

/// The stores of a list: unlike every other call, a list of a company credential without `storeId` is of all
/// stores of the company (`PaymentFilterInput.storeId` of the V2 schema). See
/// [`Switches::list_without_store`](crate::Switches::list_without_store).
fn listed_stores<'a>(world: &'a World, store: Option<&'a str>) -> Result<Vec<&'a str>, ApiError> {
    let named = own_store(world, store)?;
    Ok(match (store, world.switches.list_without_store) {
        (Some(_), _) | (None, ListWithoutStore::OwnStore) => vec![named],
        (None, ListWithoutStore::Company) => {
            let others = world.config.sub_stores.iter().map(String::as_str);
            others.chain([named]).collect()
        }
    })
}

fn input<T: DeserializeOwned>(query: &ListQuery, body: &Bytes) -> Result<T, ApiError> {
    match &query.request_body {
        Some(text) => read(text.as_bytes()),
        None => read(body),
    }
}

fn bounds(body: &CursorBody) -> Result<(Timestamp, Timestamp, usize), ApiError> {
    let until = body.until.map_or_else(Timestamp::wall, |moment| moment.0);
    let from = body.from.map_or(until.plus_millis(-WINDOW_MILLIS), |moment| moment.0);
    let size = body.size.unwrap_or(10);
    if !(1..=CURSOR_SIZE_MAX).contains(&size) {
        return Err(ApiError::invalid("size must be between 1 and 1000"));
    }
    Ok((from, until, size))
}

/// A cursor is the place of an item in its order; opaque to whoever holds it.
fn cursor(at: Timestamp, id: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}.{id}", at.millis()))
}

fn place(cursor: &str) -> Result<(Timestamp, String), ApiError> {
    let read = || {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        let (at, id) = text.split_once('.')?;
        Some((Timestamp::from_millis(at.parse().ok()?), id.to_owned()))
    };
    read().ok_or_else(|| ApiError::invalid("cursor is unknown"))
}
