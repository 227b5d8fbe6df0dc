//! What makes a deployment of other settings a new version. SAM publishes one where code changed, but does not
//! look at the values of parameters: the alias would go on with the old ones. So `Release`, which stands in every
//! version's description, is made of the values that the functions are told.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use saphyr::{LoadableYamlNode as _, Yaml};
use sha2::{Digest as _, Sha256};

/// The parameter's name.
pub const RELEASE: &str = "Release";

/// `Release` for these values of the parameters: the same for the same settings of the functions, whatever else
/// changes.
pub fn release(template: &str, values: &BTreeMap<String, String>) -> anyhow::Result<String> {
    let told = told(template)?;
    let mut hash = Sha256::new();
    for (name, value) in values.iter().filter(|(name, _)| told.contains(*name)) {
        // As JSON, so that no value reads as another one's end.
        hash.update(serde_json::json!([name, value]).to_string());
    }
    Ok(hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}

/// The parameters that stand in a function's environment, without `Release` itself.
fn told(template: &str) -> anyhow::Result<BTreeSet<String>> {
    let documents = Yaml::load_from_str(template).context("template.yaml")?;
    let document = documents.first().context("template.yaml is empty")?;
    let names = |section: &str| {
        let section = document.as_mapping_get(section).and_then(Yaml::as_mapping);
        section.with_context(|| format!("template.yaml has no {section:?}"))
    };
    let mut texts = Vec::new();
    let globals = document.as_mapping_get("Globals").and_then(|globals| globals.as_mapping_get("Function"));
    let functions = names("Resources")?
        .iter()
        .filter(|(_, resource)| {
            resource.as_mapping_get("Type").and_then(Yaml::as_str) == Some("AWS::Serverless::Function")
        })
        .filter_map(|(_, resource)| resource.as_mapping_get("Properties"));
    for settings in globals.into_iter().chain(functions) {
        if let Some(environment) = settings.as_mapping_get("Environment") {
            scalars(environment, &mut texts);
        }
    }
    let parameters = names("Parameters")?.iter().filter_map(|(name, _)| name.as_str());
    let stands =
        |name: &&str| texts.iter().any(|text| text == name || text.contains(&format!("${{{name}}}")));
    Ok(parameters.filter(|name| *name != RELEASE).filter(stands).map(str::to_owned).collect())
}

/// Every text below a node, what `!Ref` and `!Sub` are given included.
fn scalars(node: &Yaml<'_>, texts: &mut Vec<String>) {
    match node {
        Yaml::Tagged(_, inner) => scalars(inner, texts),
        Yaml::Sequence(items) => items.iter().for_each(|item| scalars(item, texts)),
        Yaml::Mapping(members) => members.iter().for_each(|(_, member)| scalars(member, texts)),
        scalar => texts.extend(scalar.as_str().map(str::to_owned)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository::root;

    fn template() -> String {
        std::fs::read_to_string(root().join("template.yaml")).unwrap()
    }

    #[test]
    fn every_parameter_that_a_function_is_told_counts_and_no_other() {
        let told = told(&template()).unwrap();
        let told: Vec<_> = told.iter().map(String::as_str).collect();
        assert_eq!(
            told,
            [
                "AllowedOrigins",
                "LatePayment",
                "OrderTtlMinutes",
                "PaymentApproval",
                "PaymentMode",
                "PortoneChannelKey",
                "PortoneSecretId",
                "PortoneStoreId",
                "PortoneV1ChannelKey",
                "V1WebhookSources",
            ]
        );
    }

    #[test]
    fn another_store_is_another_release_and_another_alarm_address_is_not() {
        let text = template();
        let values = |store: &str, mail: &str| {
            let pairs = [("PortoneStoreId", store), ("AlarmEmail", mail), ("Release", "1")];
            pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
        };
        let of = |store: &str, mail: &str| release(&text, &values(store, mail)).unwrap();
        assert_eq!(of("store-1", "a@b.kr"), of("store-1", "c@d.kr"));
        assert_ne!(of("store-1", "a@b.kr"), of("store-2", "a@b.kr"));
        let release = of("store-1", "");
        assert!(release.len() == 16 && release.chars().all(|c| c.is_ascii_hexdigit()), "{release}");
    }
}
