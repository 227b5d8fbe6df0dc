//! Each fault is made in a real local system, or told by an AWS that answers as AWS does, and the doctor has to
//! see it and name the cure. `FUNCTIONS_DIR` says where the functions are.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod account;
mod cloud;
mod here;
mod program;

use doctor::{Finding, Report, Verdict};

/// Every finding that is not ok, as `verdict check: says`.
fn faults(report: &Report) -> Vec<String> {
    let faults = report.findings.iter().filter(|finding| finding.verdict != Verdict::Ok);
    faults.map(line).collect()
}

fn line(finding: &Finding) -> String {
    format!("{} {}: {}", finding.verdict.as_str(), finding.check, finding.says)
}

/// The report has this fault, with a cure that says this.
#[track_caller]
fn assert_told(report: &Report, fault: &str, cure: &str) {
    let found = report.findings.iter().find(|finding| line(finding).starts_with(fault));
    let found = found.unwrap_or_else(|| panic!("no {fault:?} in {:#?}", faults(report)));
    assert!(found.cure.as_deref().is_some_and(|text| text.contains(cure)), "{found:?}");
}
