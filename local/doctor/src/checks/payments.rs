//! PortOne, and what its newest payments tell: where its webhooks went and how they were answered, of which
//! kind the channel is, whether deposits arrive.

use serde_json::Value;

use crate::{
    portone::{Answer, Said},
    report::{Finding, Look},
    system::System,
};

const CHANNELS: &str = "PortOne's console: 결제 연동 → 연동 관리 → 채널 관리";
const WEBHOOKS: &str = "PortOne's console: 결제 연동 → 연동 관리 → 결제알림(Webhook) 관리";

/// The newest payments, if PortOne gave them.
pub(super) fn newest(answer: Option<&Answer>) -> Option<&[Value]> {
    match &answer?.said {
        Said::Yes(body) => Some(body["items"].as_array()?.as_slice()),
        Said::No { .. } | Said::Nothing(_) => None,
    }
}

pub(super) fn portone_v2(system: &System, answer: Option<&Answer>) -> Finding {
    let base = system.portone_base();
    let store = system.variable("PORTONE_STORE_ID");
    let look = Look::at("portone-v2", format!("GET {base}/payments of {store}"));
    let Some(answer) = answer else {
        return look.not_checked(
            "the secret has no v2ApiSecret that can be used",
            "a V1 shop needs none; otherwise mend the secret",
        );
    };
    match &answer.said {
        Said::Yes(body) => match body["items"].as_array() {
            Some(items) if items.is_empty() => {
                look.ok("the API secret is taken; no payment of this store in the last 90 days")
            }
            Some(items) => match items.iter().filter_map(|item| item["storeId"].as_str()).find(|id| *id != store) {
                Some(other) => look.fail(
                    format!("PortOne gives payments of the store {other}, and the deployment's store is {store}"),
                    "deploy with the parameter PortoneStoreId of the store whose payments these are, or take the API \
                     secret of the deployment's own store",
                ),
                None => look.ok("the API secret is taken, and the store's payments are given"),
            },
            None => look.fail("the answer is no list of payments", "PORTONE_API_BASE is not PortOne's address?"),
        },
        Said::No { status: 401, .. } => look.fail(
            "PortOne does not take v2ApiSecret (401): wrong, expired, or revoked",
            "issue a new V2 API secret in PortOne's console (결제 연동 → 연동 관리 → 식별코드・API Keys) and put it \
             into the secret; no redeploy is needed",
        ),
        Said::No { status: 403, .. } => look.fail(
            format!("PortOne does not let this API secret see {store} (403)"),
            "the parameter PortoneStoreId is another account's store: take the store id from the same console",
        ),
        Said::No { status, kind } => look.fail(
            format!("PortOne answers {status} ({kind})"),
            "ask again in a minute; if it lasts, see PortOne's status page",
        ),
        Said::Nothing(why) => look.fail(
            format!("PortOne is not reached: {why}"),
            "see whether this machine reaches that address at all; then PortOne's status page",
        ),
    }
}

pub(super) fn portone_v1(system: &System, answer: Option<&Answer>) -> Finding {
    let look = Look::at("portone-v1", format!("POST {}/users/getToken", system.portone_v1_base()));
    let Some(answer) = answer else {
        return look.ok("not used: the secret has no v1ApiKey and v1ApiSecret");
    };
    match &answer.said {
        Said::Yes(body) if body["code"].as_i64() == Some(0) => look.ok("key and secret are taken"),
        Said::Yes(_) | Said::No { status: 401 | 400, .. } => look.fail(
            "PortOne does not take v1ApiKey and v1ApiSecret",
            "take both from PortOne's console: 결제 연동 → 연동 관리 → 식별코드・API Keys → V1 API",
        ),
        Said::No { status, .. } => look.fail(
            format!("PortOne's V1 answers {status}"),
            "ask again in a minute; if it lasts, see PortOne's status page",
        ),
        Said::Nothing(why) => look.fail(
            format!("PortOne's V1 is not reached: {why}"),
            "see whether this machine reaches that address at all; then PortOne's status page",
        ),
    }
}

pub(super) fn webhook(system: &System, newest: Option<&[Value]>) -> Finding {
    let ours = &system.webhook_url;
    let look = Look::at("webhook", "the webhooks of the newest payments, as PortOne lists them");
    let instead = format!("{WEBHOOKS} (version 2024-04-25) must say {ours}");
    let Some(payments) = newest else {
        return look.not_checked("PortOne's payments could not be read", instead);
    };
    let mode = system.variable("PAYMENT_MODE");
    let of_our_mode = payments.iter().filter(|payment| {
        // LIVE and TEST channels have a webhook address each.
        payment["channel"]["type"].as_str().is_none_or(|kind| kind == mode)
    });
    let webhooks = of_our_mode.flat_map(|payment| payment["webhooks"].as_array().into_iter().flatten());
    // Those of V1 payments have no address.
    let sent = webhooks.filter(|webhook| webhook["url"].is_string() && webhook["status"].is_string());
    let Some(last) = sent.max_by_key(|webhook| webhook["triggeredAt"].as_str().unwrap_or_default()) else {
        return look.not_checked("no webhook was sent for any of them", instead);
    };
    // What follows the path may be somebody's token.
    let url = last["url"].as_str().unwrap_or_default();
    let went_to = url.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    if went_to != ours {
        return look.fail(format!("the last one went to {went_to}"), instead);
    }
    match (last["response"]["code"].as_str(), last["status"].as_str()) {
        (Some("200"), _) => look.ok(format!("the last one went to {ours} and was answered 200")),
        (Some("400"), _) => look.fail(
            "the last one was refused (400): its signature fits no key in v2WebhookSecrets",
            format!("put the webhook secret of the {mode} address into the secret: {WEBHOOKS}"),
        ),
        (Some(code), _) => look.fail(
            format!("the last one was answered {code}"),
            "see the log of the function webhook at that time",
        ),
        (None, status) => look.fail(
            format!("the last one did not arrive ({})", status.unwrap_or_default()),
            "see whether something before the API keeps PortOne out: a firewall, a WAF, a custom domain",
        ),
    }
}

pub(super) fn channel(system: &System, newest: Option<&[Value]>) -> Finding {
    let mode = system.variable("PAYMENT_MODE");
    let key = system.variable("PORTONE_CHANNEL_KEY");
    let look = Look::at("channel", format!("the newest payments on {key}, and PAYMENT_MODE {mode}"));
    let instead =
        format!("{CHANNELS}: the channel must be {} there", if mode == "TEST" { "테스트" } else { "실연동" });
    if !matches!(mode, "LIVE" | "TEST") {
        return look.fail("PAYMENT_MODE is neither LIVE nor TEST", "deploy with the parameter PaymentMode");
    }
    let Some(payments) = newest else {
        return look.not_checked("PortOne's payments could not be read", instead);
    };
    let kind = payments.iter().find(|payment| payment["channel"]["key"].as_str() == Some(key));
    match kind.and_then(|payment| payment["channel"]["type"].as_str()) {
        None => look
            .not_checked("no payment was made on this channel yet, and PortOne lists no channels", instead),
        Some(kind) if kind == mode => look.ok(format!("it is a {kind} channel")),
        Some(kind) => look.fail(
            format!("it is a {kind} channel: every payment on it is refused and given back"),
            format!("deploy with the key of a {mode} channel, or with PaymentMode={kind}; {CHANNELS}"),
        ),
    }
}

pub(super) fn virtual_accounts(newest: Option<&[Value]>) -> Finding {
    let look = Look::at("virtual-accounts", "virtual accounts among the newest payments");
    let instead = "the PG's own console: the address for deposit notices (입금통보 URL) must be PortOne's, as \
                   PortOne's guide for that PG says; then pay one account in";
    let Some(payments) = newest else {
        return look.not_checked("PortOne's payments could not be read", instead);
    };
    let accounts: Vec<_> = payments
        .iter()
        .filter(|payment| payment["method"]["type"].as_str() == Some("PaymentMethodVirtualAccount"))
        .collect();
    if accounts.is_empty() {
        return look.ok("none was issued lately, so no deposit is waited for");
    }
    if accounts.iter().any(|payment| payment["paidAt"].is_string()) {
        return look.ok("a deposit arrived");
    }
    let why = format!(
        "{} issued and no deposit has arrived; the PG's address for deposit notices cannot be read from here",
        accounts.len()
    );
    look.not_checked(why, instead)
}
