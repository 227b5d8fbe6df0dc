//! The API as a browser and PortOne meet it.

use std::time::SystemTime;

use reqwest::{Method, Response, header};

use super::or_ok;
use crate::{
    portone::{ahead, unreached},
    report::{Finding, Look},
    system::System,
};

/// Clocks that agree, as far as a network and whole seconds let one see.
const AGREE_S: i64 = 30;
/// From here on signatures are refused: five minutes is what PortOne's and AWS's schemes allow.
const REFUSED_S: i64 = 240;
/// An origin that is nobody's.
const STRANGER: &str = "https://stranger.invalid";

/// The findings, and how far the API's clock is ahead of this machine's.
pub(super) async fn endpoint(system: &System, signed: bool) -> (Vec<Finding>, Option<i64>) {
    let products = format!("{}/products", system.api_url);
    let look = Look::at("endpoint", format!("GET {products}"));
    let (finding, ahead_s) = match system.http.get(&products).send().await {
        Err(error) => (unreachable(&look, &error), None),
        Ok(response) => {
            let ahead_s = ahead(response.headers(), SystemTime::now());
            let finding = match response.status().as_u16() {
                200 => look.ok("the API answers"),
                status => look.fail(format!("the API answers {status}"), cause_of(status)),
            };
            (finding, ahead_s)
        }
    };
    let mut findings = vec![finding];
    if signed {
        let look = Look::at("endpoint", format!("an unsigned POST {}", system.webhook_url));
        let sent = system
            .http
            .post(&system.webhook_url)
            .header(header::CONTENT_TYPE, "application/json")
            .body("{}")
            .send()
            .await;
        findings.push(match sent {
            Err(error) => unreachable(&look, &error),
            Ok(response) => match response.status().as_u16() {
                400 => look.ok("the webhook is there and refuses what is not signed"),
                200 => look.fail(
                    "the webhook takes what is not signed",
                    "something else answers there: compare the address with the stack's output WebhookUrl",
                ),
                status => look.fail(format!("the webhook answers {status}, not 400"), cause_of(status)),
            },
        });
    }
    (findings, ahead_s)
}

fn unreachable(look: &Look, error: &reqwest::Error) -> Finding {
    look.fail(
        format!("not reached: {}", unreached(error)),
        "compare the address with the stack's outputs; see whether this machine reaches it at all",
    )
}

fn cause_of(status: u16) -> &'static str {
    match status {
        403 => "something before the API refuses: a WAF, a resource policy, a custom domain",
        404 => "the route is missing: deploy the whole stack, and compare the address with its outputs",
        429 => "too many requests at once: see the API's throttling, and the item `concurrency`",
        500..=599 => {
            "the function does not start or does not answer: its log has one line that names what is missing \
             or wrong (a variable, the secret)"
        }
        _ => "another program answers there: compare the address with the stack's outputs",
    }
}

pub(super) fn clock(api_ahead_s: Option<i64>, portone_ahead_s: Option<i64>) -> Finding {
    let look = Look::at("clock", "the Date of the API's and of PortOne's answers");
    match (api_ahead_s, portone_ahead_s) {
        (Some(api), Some(portone)) if (api - portone).abs() > AGREE_S => {
            let says = format!("the API's clock and PortOne's are {} s apart", (api - portone).abs());
            let cure = "webhooks are refused from five minutes on; on a machine of one's own: switch NTP on";
            if (api - portone).abs() > REFUSED_S { look.fail(says, cure) } else { look.warn(says, cure) }
        }
        (Some(ahead), _) | (None, Some(ahead)) if ahead.abs() > AGREE_S => {
            let word = if ahead > 0 { "behind" } else { "ahead" };
            look.warn(
                format!("this machine's clock is {} s {word}", ahead.abs()),
                "switch NTP on: from five minutes on AWS refuses what is signed here, operators' calls too",
            )
        }
        (Some(_), Some(_)) => look.ok("they agree"),
        (None, None) => look.not_checked("neither answered with a date", "look at them once they answer"),
        (None, Some(_)) => look.not_checked("the API answered without a date", "look once it answers"),
        (Some(_), None) => look.not_checked("PortOne answered without a date", "look once it answers"),
    }
}

pub(super) async fn cors(system: &System) -> Vec<Finding> {
    let origins = system.origins();
    let orders = format!("{}/orders", system.api_url);
    let look = Look::at("cors", format!("preflights of POST {orders}"));
    let mut faults = Vec::new();
    if origins.is_empty() {
        faults.push(look.fail("ALLOWED_ORIGINS is empty", "deploy with the parameter AllowedOrigins"));
    }
    for origin in &origins {
        let is_local = ["http://127.0.0.1", "http://localhost"].iter().any(|start| origin.starts_with(start));
        if is_placeholder(origin) {
            let cure = "deploy with the parameter AllowedOrigins: the shop's own origins";
            faults.push(look.fail(format!("{origin} is a placeholder"), cure));
        } else if system.is_live() && origin.starts_with("http://") && !is_local {
            let cure = "serve the shop over https and deploy with that origin";
            faults.push(look.warn(format!("{origin} is not https"), cure));
        }
        match preflight(system, &orders, origin).await {
            Err(why) => faults.push(look.fail(format!("no answer for {origin}: {why}"), cause_of(502))),
            Ok(allowed) if allowed.as_deref() == Some(origin) => {}
            Ok(_) => faults.push(look.fail(
                format!("pages of {origin} may not call the API"),
                "deploy anew: the API's allow-list and ALLOWED_ORIGINS come from the one parameter AllowedOrigins",
            )),
        }
    }
    if let Ok(Some(allowed)) = preflight(system, &orders, STRANGER).await {
        faults.push(look.fail(
            format!("pages of any origin may call the API ({allowed})"),
            "take * out of the API's allow-list: it comes from the parameter AllowedOrigins",
        ));
    }
    or_ok(&look, faults, format!("{} may call the API, others may not", origins.join(" and ")))
}

/// Whether the shop's origin is still the one that the template begins with, or a name for examples.
pub(super) fn is_placeholder(origin: &str) -> bool {
    let host = origin.split("://").nth(1).unwrap_or(origin).split([':', '/']).next().unwrap_or_default();
    let name = host.rsplit('.').take(2).collect::<Vec<_>>();
    matches!(name.as_slice(), ["example", ..] | ["com" | "org" | "net", "example"])
}

async fn preflight(system: &System, url: &str, origin: &str) -> Result<Option<String>, String> {
    let request = system
        .http
        .request(Method::OPTIONS, url)
        .header(header::ORIGIN, origin)
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
        .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "content-type,idempotency-key");
    let response: Response = request.send().await.map_err(|error| unreached(&error))?;
    let allowed = response.headers().get(header::ACCESS_CONTROL_ALLOW_ORIGIN);
    Ok(allowed.and_then(|origin| origin.to_str().ok()).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Verdict;

    #[test]
    fn clocks_that_are_apart_are_told_by_how_much_and_whose_they_are() {
        let cases = [
            (Some(1), Some(-2), Verdict::Ok, "they agree"),
            (Some(0), Some(45), Verdict::Warn, "the API's clock and PortOne's are 45 s apart"),
            (Some(-400), Some(0), Verdict::Fail, "the API's clock and PortOne's are 400 s apart"),
            (Some(90), Some(91), Verdict::Warn, "this machine's clock is 90 s behind"),
            (None, Some(-90), Verdict::Warn, "this machine's clock is 90 s ahead"),
            (None, None, Verdict::NotChecked, "neither answered with a date"),
            (Some(0), None, Verdict::NotChecked, "PortOne answered without a date"),
        ];
        for (api, portone, verdict, says) in cases {
            let finding = clock(api, portone);
            assert_eq!((finding.verdict, finding.says.as_str()), (verdict, says));
        }
    }

    #[test]
    fn names_kept_for_examples_are_placeholders() {
        assert!(
            ["https://shop.example", "https://example.com", "https://www.example.org:8443"]
                .into_iter()
                .all(is_placeholder)
        );
        assert!(
            !["https://shop.kr", "https://example.co.kr", "http://localhost:3000"]
                .into_iter()
                .any(is_placeholder)
        );
    }
}
