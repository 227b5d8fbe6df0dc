//! What was found: one finding after the other, as text for a person and as JSON for a script. Nothing of a
//! secret is ever in a finding.

use std::fmt;

use serde_json::{Value, json};

use crate::checklist::{self, CHECKLIST, Who};

/// How one look ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It could not be looked at; the finding says why and where a person looks.
    NotChecked,
    /// It works, and somebody should look.
    Warn,
    /// It does not work, or not safely.
    Fail,
}

impl Verdict {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NotChecked => "not checked",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The checklist's item.
    pub check: &'static str,
    /// What was looked at.
    pub looked_at: String,
    /// How it ended.
    pub verdict: Verdict,
    /// The verdict in a sentence.
    pub says: String,
    /// How to mend it; nothing where nothing is to be mended.
    pub cure: Option<String>,
}

/// A look at one thing, before its verdict.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    check: &'static str,
    looked_at: String,
}

impl Look {
    pub(crate) fn at(check: &'static str, looked_at: impl Into<String>) -> Self {
        Self { check, looked_at: looked_at.into() }
    }

    pub(crate) fn ok(&self, says: impl Into<String>) -> Finding {
        self.finding(Verdict::Ok, says.into(), None)
    }

    pub(crate) fn warn(&self, says: impl Into<String>, cure: impl Into<String>) -> Finding {
        self.finding(Verdict::Warn, says.into(), Some(cure.into()))
    }

    pub(crate) fn fail(&self, says: impl Into<String>, cure: impl Into<String>) -> Finding {
        self.finding(Verdict::Fail, says.into(), Some(cure.into()))
    }

    pub(crate) fn not_checked(&self, why: impl Into<String>, instead: impl Into<String>) -> Finding {
        self.finding(Verdict::NotChecked, why.into(), Some(instead.into()))
    }

    fn finding(&self, verdict: Verdict, says: String, cure: Option<String>) -> Finding {
        Finding { check: self.check, looked_at: self.looked_at.clone(), verdict, says, cure }
    }
}

/// Everything found about one system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Which system.
    pub system: String,
    /// Whether it is in the cloud.
    pub in_the_cloud: bool,
    /// In the checklist's order.
    pub findings: Vec<Finding>,
}

impl Report {
    /// How many findings ended so.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.findings.iter().filter(|finding| finding.verdict == verdict).count()
    }

    /// The findings of one check.
    pub fn of(&self, check: &str) -> Vec<&Finding> {
        self.findings.iter().filter(|finding| finding.check == check).collect()
    }

    /// Items that are no business of this system.
    fn left_out(&self) -> Vec<&'static str> {
        let cloud = CHECKLIST.iter().filter(|item| item.who == Who::DoctorInTheCloud && !self.in_the_cloud);
        cloud.map(|item| item.name).collect()
    }

    fn for_people() -> Vec<&'static str> {
        CHECKLIST.iter().filter(|item| item.who == Who::Person).map(|item| item.name).collect()
    }

    /// As JSON.
    pub fn json(&self) -> Value {
        let findings = self.findings.iter().map(|finding| {
            json!({
                "number": checklist::find(finding.check).0,
                "check": finding.check,
                "lookedAt": finding.looked_at,
                "verdict": finding.verdict.as_str(),
                "says": finding.says,
                "cure": finding.cure,
            })
        });
        json!({
            "system": self.system,
            "ok": self.count(Verdict::Ok),
            "notChecked": self.count(Verdict::NotChecked),
            "warn": self.count(Verdict::Warn),
            "fail": self.count(Verdict::Fail),
            "findings": findings.collect::<Vec<_>>(),
            "leftOut": self.left_out(),
            "forPeople": Self::for_people(),
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.system)?;
        for finding in &self.findings {
            let (number, item) = checklist::find(finding.check);
            writeln!(f, "{:<11} {number:>2} {}: {}", finding.verdict.as_str(), item.name, finding.says)?;
            writeln!(f, "               looked at: {}", finding.looked_at)?;
            if let Some(cure) = &finding.cure {
                writeln!(f, "               what to do: {cure}")?;
            }
        }
        let left_out = self.left_out();
        if !left_out.is_empty() {
            writeln!(f, "\nleft out, since only the cloud has them: {}", left_out.join(", "))?;
        }
        writeln!(f, "\nfor a person to look at: {}", Self::for_people().join(", "))?;
        writeln!(f, "each item by its number: docs/GOING-LIVE.md")?;
        write!(
            f,
            "\n{} ok, {} warn, {} fail, {} not checked",
            self.count(Verdict::Ok),
            self.count(Verdict::Warn),
            self.count(Verdict::Fail),
            self.count(Verdict::NotChecked),
        )
    }
}
