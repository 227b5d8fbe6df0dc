//! The template's gates, which a deployment runs as well.

use std::{collections::BTreeSet, fs, process::Command};

use anyhow::{Context as _, bail};
use saphyr::{LoadableYamlNode as _, Yaml};

use crate::{process, repository::root, tools};

/// The findings of checkov that are meant so, with reasons.
const EXCEPTIONS: &str = "checkov.yaml";

/// `sam validate --lint`, `cfn-lint` and checkov. None of them needs credentials or the network.
pub fn check() -> anyhow::Result<()> {
    let bin = tools::python_tools()?;
    let mut sam = Command::new(bin.join("sam"));
    sam.args(["validate", "--lint", "--template", "template.yaml"])
        // It wants a region to choose the rules by.
        .env("AWS_DEFAULT_REGION", "ap-northeast-2")
        .env("SAM_CLI_TELEMETRY", "0");
    process::run(sam.current_dir(root()))?;
    let mut cfn_lint = Command::new(bin.join("cfn-lint"));
    process::run(cfn_lint.current_dir(root()).arg("template.yaml"))?;
    checkov()
}

fn checkov() -> anyhow::Result<()> {
    let mut checkov = Command::new(tools::checkov()?.join("checkov"));
    checkov.current_dir(root()).args(["--file", "template.yaml", "--framework", "cloudformation"]);
    // Its exit status knows nothing of the exceptions; without a download it asks nobody for more rules.
    checkov.args(["--output", "json", "--quiet", "--compact", "--soft-fail", "--skip-download"]);
    eprintln!("    $ {}", process::line(&checkov));
    let report = process::output(&mut checkov)?;
    let exceptions = fs::read_to_string(root().join(EXCEPTIONS)).context(EXCEPTIONS)?;
    let faults = faults(&findings(&report)?, &exceptions_of(&exceptions)?);
    if !faults.is_empty() {
        bail!("{}", faults.join("\n"));
    }
    Ok(())
}

/// One check that one resource fails.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    check: String,
    resource: String,
    says: String,
}

/// What checkov found, from its report.
fn findings(report: &str) -> anyhow::Result<Vec<Finding>> {
    let report = document(report).context("checkov's report")?;
    let number = |name: &str| member(member(&report, "summary")?, name)?.as_integer();
    // A template that it cannot read has no findings either.
    if number("parsing_errors") != Some(0) || number("resource_count").is_none_or(|count| count < 1) {
        bail!("checkov could not read the template");
    }
    let failed = member(&report, "results").and_then(|results| member(results, "failed_checks"));
    let failed = failed.and_then(Yaml::as_sequence).context("checkov's report has no failed_checks")?;
    failed
        .iter()
        .map(|failed| {
            let text = |name: &str| Some(member(failed, name)?.as_str()?.to_owned());
            let finding = text("check_id").zip(text("resource")).zip(text("check_name"));
            let ((check, resource), says) = finding.context("a finding of checkov's has another form")?;
            Ok(Finding { check, resource, says })
        })
        .collect()
}

/// A check that is excused, and for which resource; `*` at the end is any.
type Exception = (String, String);

fn exceptions_of(text: &str) -> anyhow::Result<Vec<Exception>> {
    let file = document(text).context(EXCEPTIONS)?;
    let mut exceptions = Vec::new();
    for (check, entry) in file.as_mapping().with_context(|| format!("{EXCEPTIONS} is no mapping"))? {
        let check = check.as_str().with_context(|| format!("{EXCEPTIONS}: a check's id is a text"))?;
        if member(entry, "why").and_then(Yaml::as_str).is_none_or(|why| why.trim().is_empty()) {
            bail!("{EXCEPTIONS}: {check} has no reason");
        }
        let resources = member(entry, "resources").and_then(Yaml::as_sequence);
        for resource in resources.with_context(|| format!("{EXCEPTIONS}: {check} names no resources"))? {
            let resource = resource.as_str().with_context(|| format!("{EXCEPTIONS}: {check}"))?;
            exceptions.push((check.to_owned(), resource.to_owned()));
        }
    }
    Ok(exceptions)
}

/// Findings that are not excused, and exceptions that excuse nothing.
fn faults(findings: &[Finding], exceptions: &[Exception]) -> Vec<String> {
    let covers = |(check, pattern): &Exception, finding: &Finding| {
        *check == finding.check
            && match pattern.strip_suffix('*') {
                Some(start) => finding.resource.starts_with(start),
                None => *pattern == finding.resource,
            }
    };
    let excused = |finding: &Finding| exceptions.iter().any(|exception| covers(exception, finding));
    let open: BTreeSet<_> = findings
        .iter()
        .filter(|finding| !excused(finding))
        .map(|Finding { check, resource, says }| format!("{check} {resource}: {says}"))
        .collect();
    let stale = exceptions
        .iter()
        .filter(|exception| !findings.iter().any(|finding| covers(exception, finding)))
        .map(|(check, resource)| {
            format!("{EXCEPTIONS}: {check} is excused for {resource}, which does not need it")
        });
    open.into_iter().chain(stale).collect()
}

fn document(text: &str) -> anyhow::Result<Yaml<'_>> {
    Yaml::load_from_str(text)?.into_iter().next().context("empty")
}

fn member<'a, 'b>(node: &'a Yaml<'b>, name: &str) -> Option<&'a Yaml<'b>> {
    node.as_mapping()?.iter().find(|(key, _)| key.as_str() == Some(name)).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"{
        "results": {"failed_checks": [
            {"check_id": "CKV_1", "resource": "AWS::A.One", "check_name": "one", "bc_check_id": null},
            {"check_id": "CKV_2", "resource": "AWS::A.Two", "check_name": "two", "bc_check_id": null}
        ]},
        "summary": {"parsing_errors": 0, "resource_count": 2}
    }"#;

    fn judged(exceptions: &str) -> Vec<String> {
        faults(&findings(REPORT).unwrap(), &exceptions_of(exceptions).unwrap())
    }

    #[test]
    fn a_finding_without_an_exception_and_an_exception_without_a_finding_are_named() {
        let one = "CKV_1: { why: because, resources: [AWS::A.One] }\n";
        assert_eq!(judged(one), ["CKV_2 AWS::A.Two: two"]);
        assert!(judged(&format!("{one}CKV_2: {{ why: because, resources: [\"AWS::A.*\"] }}")).is_empty());
        let stale = format!("{one}CKV_2: {{ why: because, resources: [AWS::A.Two, AWS::A.Three] }}");
        assert_eq!(
            judged(&stale),
            ["checkov.yaml: CKV_2 is excused for AWS::A.Three, which does not need it"]
        );
    }

    #[test]
    fn an_exception_has_a_reason_and_names_resources() {
        assert!(exceptions_of("CKV_1: { resources: [A] }").is_err());
        assert!(exceptions_of("CKV_1: { why: \" \", resources: [A] }").is_err());
        assert!(exceptions_of("CKV_1: { why: because }").is_err());
    }

    #[test]
    fn a_template_that_cannot_be_read_is_no_clean_one() {
        assert!(findings(r#"{"passed": 0, "failed": 0}"#).is_err());
        assert!(findings(&REPORT.replace("\"parsing_errors\": 0", "\"parsing_errors\": 1")).is_err());
        assert!(findings(&REPORT.replace("\"resource_count\": 2", "\"resource_count\": 0")).is_err());
    }
}
