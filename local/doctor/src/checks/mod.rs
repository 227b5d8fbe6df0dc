//! The looks, in the checklist's order. What several of them need is asked once.

mod alarms;
mod api;
mod deployment;
mod events;
mod payments;
mod table;

use crate::{
    cloud,
    portone::{self, Answer},
    report::{Finding, Look, Report},
    secret::{self, Credentials},
    system::System,
};

pub(crate) async fn all(system: &System) -> Report {
    let mut findings = Vec::new();
    if let Some(cloud) = &system.cloud {
        findings.push(deployment::stack(cloud));
    }

    let (about_the_secret, credentials) = the_secret(system).await;
    findings.extend(about_the_secret);
    let (v2, v1) = ask_portone(system, &credentials).await;
    findings.push(payments::portone_v2(system, v2.as_ref()));
    findings.push(payments::portone_v1(system, v1.as_ref()));
    let newest = payments::newest(v2.as_ref());

    let (endpoint, api_ahead_s) = api::endpoint(system, credentials.v2_api_secret.is_some()).await;
    let portone_ahead_s = v2.as_ref().or(v1.as_ref()).and_then(|answer| answer.ahead_s);
    findings.push(api::clock(api_ahead_s, portone_ahead_s));
    findings.extend(endpoint);
    findings.push(payments::webhook(system, newest));
    findings.push(payments::channel(system, newest));
    findings.push(payments::virtual_accounts(newest));
    findings.extend(api::cors(system).await);
    findings.extend(table::table(system).await);
    findings.extend(table::catalogue(system).await);

    match &system.cloud {
        None => findings.push(events::local_dead_letters(system).await),
        Some(cloud) => {
            findings.extend(deployment::functions(cloud).await);
            findings.push(deployment::concurrency(cloud).await);
            findings.extend(deployment::schedules(cloud).await);
            findings.extend(events::pipe(cloud).await);
            findings.extend(events::dead_letters(cloud).await);
            let (alarms, topics) = alarms::alarms(cloud).await;
            findings.extend(alarms);
            findings.extend(alarms::subscribers(cloud, topics).await);
            findings.extend(alarms::logs(cloud).await);
        }
    }
    Report { system: system.title.clone(), in_the_cloud: system.cloud.is_some(), findings }
}

/// What is wrong, or one finding that nothing is.
fn or_ok(look: &Look, faults: Vec<Finding>, says: impl Into<String>) -> Vec<Finding> {
    if faults.is_empty() { vec![look.ok(says)] } else { faults }
}

async fn the_secret(system: &System) -> (Vec<Finding>, Credentials) {
    let id = system.variable("PORTONE_SECRET_ID");
    let look = Look::at("secret", format!("the secret {id} in Secrets Manager"));
    let create = format!("create it as README.md shows: aws secretsmanager create-secret --name {id} …");
    let got = match system.secrets.get_secret_value().secret_id(id).send().await {
        Ok(got) => got,
        Err(error) => {
            return (vec![cloud::missing_or_unread(&look, &error, &create)], Credentials::default());
        }
    };
    let Some(text) = got.secret_string() else {
        return (vec![look.fail("the secret is binary", create)], Credentials::default());
    };
    let (findings, credentials) = secret::judge(&look, text);
    let generations = match (&credentials.v2_api_secret, &credentials.v1) {
        (Some(_), Some(_)) => "V2 and V1",
        (Some(_), None) => "V2",
        _ => "V1",
    };
    (or_ok(&look, findings, format!("every member is as it should be, for {generations}")), credentials)
}

async fn ask_portone(system: &System, credentials: &Credentials) -> (Option<Answer>, Option<Answer>) {
    let v2 = async {
        let secret = credentials.v2_api_secret.as_deref()?;
        let store = system.variable("PORTONE_STORE_ID");
        Some(portone::newest_payments(&system.http, system.portone_base(), secret, store).await)
    };
    let v1 = async {
        let (key, secret) = credentials.v1.as_ref()?;
        Some(portone::v1_token(&system.http, system.portone_v1_base(), key, secret).await)
    };
    tokio::join!(v2, v1)
}
