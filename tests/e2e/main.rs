//! The promises of the API, told as stories through real processes: API gateway, functions, DynamoDB,
//! Secrets Manager and PortOne, with what goes wrong between them.
//!
//! One binary, since linking is most of the time. `FUNCTIONS_DIR` says where the functions are.

#![allow(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

mod alarms;
mod at_once;
mod back_office;
mod back_office_days;
mod back_office_search;
mod bounds;
mod broken_body;
mod cancel_limits;
mod cancel_order;
mod cancel_outcomes;
mod cancel_unpaid;
mod cancel_v1;
mod closed_accounts;
mod confirm;
mod create_order;
mod create_order_faults;
mod dead_letters;
mod deadlines;
mod disputes;
mod entered_text;
mod enumeration;
mod events;
mod expiry;
mod first_call;
mod generations;
mod idempotency;
mod init;
mod logs;
mod metrics;
mod mismatch;
mod mismatch_crash;
mod money_back;
mod operator_tokens;
mod outside_cancellations;
mod paying;
mod portone_faults;
mod promotions;
mod reading;
mod reconcile;
mod reconcile_damage;
mod reconcile_lists;
mod rounds;
mod rush;
mod secrets;
mod stock;
mod stores;
mod table_faults;
mod tax_free;
mod told;
mod traces;
mod undecided;
mod unknown_payments;
mod unreadable;
mod v1;
mod v1_beside_v2;
mod v1_faults;
mod v1_modes;
mod v1_money_back;
mod v1_oddities;
mod v1_prepare;
mod v1_through_v2;
mod v1_token;
mod v1_virtual_account;
mod v1_webhook;
mod webhook;
