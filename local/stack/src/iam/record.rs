//! What the functions, the pipe and the schedules asked for, over every system that was started with the same record: one line of JSON for
//! each thing. After the stories it says which part of a role nobody needed.

use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io::Write as _,
    path::Path,
    sync::{Mutex, PoisonError},
};

use anyhow::{Context as _, ensure};
use lambda_gateway::Template;
use serde::{Deserialize, Serialize};

/// One thing that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Use {
    /// The function's name, or that of a service's role.
    pub function: String,
    /// Such as `dynamodb:PutItem`.
    pub action: String,
    /// The resource as the role grants it, or the one that was not granted.
    pub resource: String,
    /// Whether the role grants it.
    pub granted: bool,
}

/// A file of uses, to which any number of processes append.
pub struct Record {
    file: File,
    known: Mutex<BTreeSet<Use>>,
}

impl Record {
    /// Opens or makes the file.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let opened = path.parent().map_or(Ok(()), fs::create_dir_all);
        let opened = opened.and_then(|()| OpenOptions::new().create(true).append(true).open(path));
        Ok(Self { file: opened.with_context(|| path.display().to_string())?, known: Mutex::default() })
    }

    /// Writes a use down, once.
    pub(super) fn add(&self, used: Use) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.contains(&used) {
            return;
        }
        // In one write, so that lines of several processes do not mix.
        let line = serde_json::json!(used).to_string() + "\n";
        if (&self.file).write_all(line.as_bytes()).is_ok() {
            known.insert(used);
        }
    }
}

/// What is wrong with the template's roles after the stories: what was asked for and is not granted, and what is
/// granted and nobody asked for. Each is one line that names it.
///
/// # Errors
/// The record cannot be read, or says nothing.
pub fn faults(template: &Template, record: &Path) -> anyhow::Result<Vec<String>> {
    let text = fs::read_to_string(record).with_context(|| record.display().to_string())?;
    let uses: Result<BTreeSet<Use>, _> = text.lines().map(serde_json::from_str).collect();
    let uses = uses.with_context(|| record.display().to_string())?;
    ensure!(!uses.is_empty(), "{}: no call was recorded", record.display());

    let refused = uses.iter().filter(|used| !used.granted);
    let mut faults: Vec<_> = refused
        .map(|used| format!("{} asks for {} on {}, not granted", used.function, used.action, used.resource))
        .collect();
    let of_functions = template.functions().iter().map(|function| (&function.name, &function.policies));
    let of_services = template.service_roles().into_iter().map(|role| (&role.name, &role.statements));
    for (who, statements) in of_functions.chain(of_services) {
        for statement in statements {
            for (action, resource) in statement
                .actions
                .iter()
                .flat_map(|action| statement.resources.iter().map(move |it| (action, it)))
            {
                let used = Use {
                    function: who.clone(),
                    action: action.clone(),
                    resource: resource.clone(),
                    granted: true,
                };
                if !uses.contains(&used) {
                    faults.push(format!("{who} may {action} on {resource}, never used"));
                }
            }
        }
    }
    Ok(faults)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const TEMPLATE: &str = r#"
Resources:
  ExportBucket: { Type: AWS::S3::Bucket }
  F:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { Binary: f } }
    Properties:
      Policies:
        - Statement: { Effect: Allow, Action: [s3:GetObject, s3:PutObject], Resource: !Sub "${ExportBucket.Arn}/*" }
"#;

    #[test]
    fn what_is_granted_and_unused_or_used_and_not_granted_is_named() {
        let template = Template::parse(TEMPLATE, &BTreeMap::new()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep/used.jsonl");
        let used = |action: &str, resource: &str, granted| Use {
            function: "f".to_owned(),
            action: action.to_owned(),
            resource: resource.to_owned(),
            granted,
        };
        assert!(faults(&template, &file).is_err(), "no record is no proof");
        let (one, other) = (Record::open(&file).unwrap(), Record::open(&file).unwrap());
        assert!(faults(&template, &file).is_err(), "nor is an empty one");
        let all = "arn:aws:s3:::export-bucket/*";
        one.add(used("s3:PutObject", all, true));
        one.add(used("s3:PutObject", all, true));
        assert_eq!(faults(&template, &file).unwrap(), [format!("f may s3:GetObject on {all}, never used")]);
        other.add(used("s3:GetObject", all, true));
        assert_eq!(faults(&template, &file).unwrap(), [""; 0]);
        other.add(used("s3:ListBucket", "arn:aws:s3:::x", false));
        let refused = "f asks for s3:ListBucket on arn:aws:s3:::x, not granted";
        assert_eq!(faults(&template, &file).unwrap(), [refused]);
        assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 3);
    }
}
