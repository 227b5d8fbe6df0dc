//! The template's parameters: what each is, asked for in its own words, and whether a value can be one. The
//! rules are the template's, so that a wrong value is found before anything is built.

use std::{
    collections::BTreeMap,
    io::{BufRead, Write},
};

use anyhow::{Context as _, bail};
use regex_lite::Regex;
use saphyr::{LoadableYamlNode as _, Yaml};

/// One parameter of the template.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parameter {
    pub name: String,
    /// In Korean and in English.
    pub description: String,
    pub default: Option<String>,
    allowed: Vec<String>,
    pattern: Option<String>,
    least: Option<i64>,
    most: Option<i64>,
}

/// The parameters in the template's order.
pub fn read(template: &str) -> anyhow::Result<Vec<Parameter>> {
    let documents = Yaml::load_from_str(template).context("template.yaml")?;
    let parameters = documents.first().and_then(|document| document.as_mapping_get("Parameters"));
    let parameters = parameters.and_then(Yaml::as_mapping).context("template.yaml has no parameters")?;
    let parameter = |(name, about): (&Yaml<'_>, &Yaml<'_>)| {
        let member = |name: &str| about.as_mapping_get(name).and_then(scalar);
        let number = |name: &str| member(name).and_then(|text| text.parse().ok());
        let allowed = about.as_mapping_get("AllowedValues").and_then(Yaml::as_sequence);
        Some(Parameter {
            name: name.as_str()?.to_owned(),
            description: member("Description").unwrap_or_default(),
            default: member("Default"),
            allowed: allowed.into_iter().flatten().filter_map(scalar).collect(),
            pattern: member("AllowedPattern"),
            least: number("MinValue"),
            most: number("MaxValue"),
        })
    };
    Ok(parameters.iter().filter_map(parameter).collect())
}

fn scalar(value: &Yaml<'_>) -> Option<String> {
    value
        .as_str()
        .map(str::to_owned)
        .or_else(|| value.as_integer().map(|number| number.to_string()))
        .or_else(|| value.as_bool().map(|flag| flag.to_string()))
}

impl Parameter {
    /// Why this cannot be its value.
    pub fn fault(&self, value: &str) -> Option<String> {
        let name = &self.name;
        if value.is_empty() && self.default.as_deref() != Some("") {
            return Some(format!("{name}: a value is wanted"));
        }
        if is_placeholder(value) {
            return Some(format!("{name}: {value} is a placeholder; the shop's own value is wanted"));
        }
        if !self.allowed.is_empty() && !self.allowed.iter().any(|allowed| allowed == value) {
            return Some(format!("{name}: one of {}, not {value:?}", self.allowed.join(", ")));
        }
        // A pattern of Java's that this engine does not know is left to CloudFormation.
        let pattern =
            self.pattern.as_deref().and_then(|pattern| Regex::new(&format!("^(?:{pattern})$")).ok());
        if pattern.is_some_and(|pattern| !pattern.is_match(value)) {
            return Some(format!(
                "{name}: {value:?} is not of the form {}",
                self.pattern.as_deref().unwrap_or("")
            ));
        }
        if self.least.is_some() || self.most.is_some() {
            let fits = value.parse::<i64>().is_ok_and(|number| {
                self.least.is_none_or(|least| number >= least) && self.most.is_none_or(|most| number <= most)
            });
            if !fits {
                let bound = |bound: Option<i64>| bound.map_or("…".to_owned(), |bound| bound.to_string());
                return Some(format!("{name}: a number from {} to {}", bound(self.least), bound(self.most)));
            }
        }
        None
    }

    /// Asks until there is a value that can be one. An empty line takes what is offered.
    pub fn ask(
        &self,
        offered: Option<&str>,
        input: &mut dyn BufRead,
        output: &mut dyn Write,
    ) -> anyhow::Result<String> {
        let offered = offered.filter(|value| self.fault(value).is_none());
        writeln!(output, "\n{}\n  {}", self.name, self.description)?;
        if !self.allowed.is_empty() {
            writeln!(output, "  {}", self.allowed.join(" | "))?;
        }
        loop {
            match offered {
                Some("") => write!(output, "  [비움 · empty] > ")?,
                Some(value) => write!(output, "  [{value}] > ")?,
                None => write!(output, "  > ")?,
            }
            output.flush()?;
            let value = line(input).with_context(|| format!("{} is asked for", self.name))?;
            let value = match (value.as_str(), offered) {
                ("", Some(offered)) => offered.to_owned(),
                _ => value,
            };
            match self.fault(&value) {
                None => return Ok(value),
                Some(fault) => writeln!(output, "  {fault}")?,
            }
        }
    }
}

/// One line of what a person types.
pub fn line(input: &mut dyn BufRead) -> anyhow::Result<String> {
    let mut line = String::new();
    if input.read_line(&mut line)? == 0 {
        bail!("nobody answers: say everything with --set NAME=VALUE and --yes");
    }
    Ok(line.trim().to_owned())
}

/// A value that stands for another one: an origin kept for examples, dots, a key of one and the same character.
fn is_placeholder(value: &str) -> bool {
    let named_so = value.split(',').any(|entry| {
        let host = entry.trim().split("://").nth(1).unwrap_or_default();
        let host = host.split([':', '/']).next().unwrap_or_default();
        host.ends_with(".example")
            || ["example.com", "example.org", "example.net"].iter().any(|name| host.ends_with(name))
    });
    let key = value.strip_prefix("store-").or_else(|| value.strip_prefix("channel-key-"));
    let of_one_character = key.is_some_and(|key| {
        let mut characters = key.chars().filter(|c| *c != '-');
        let first = characters.next();
        characters.all(|c| Some(c) == first)
    });
    named_so || of_one_character || value.contains(['…', '<', '>']) || value.contains("...")
}

/// What every parameter is to be: what was said now, else what was said before, else the template's default;
/// asked for where `ask` says so, and where there is nothing else. All faults are told at once.
pub fn settle(
    parameters: &[Parameter],
    said: &BTreeMap<String, String>,
    before: &BTreeMap<String, String>,
    mut ask: impl FnMut(&Parameter, Option<&str>) -> Option<anyhow::Result<String>>,
) -> anyhow::Result<BTreeMap<String, String>> {
    let mut faults = Vec::new();
    for name in said.keys().filter(|name| !parameters.iter().any(|parameter| parameter.name == **name)) {
        faults.push(format!("the template has no parameter {name}"));
    }
    let mut values = BTreeMap::new();
    for parameter in parameters {
        let name = &parameter.name;
        let known = before.get(name).or(parameter.default.as_ref());
        let value = match said.get(name) {
            Some(value) => Some(value.clone()),
            None => match ask(parameter, known.map(String::as_str)) {
                Some(answer) => Some(answer?),
                None => known.cloned(),
            },
        };
        match value {
            None => faults.push(format!("{name} is wanted: --set {name}=…   ({})", parameter.description)),
            Some(value) => {
                faults.extend(parameter.fault(&value));
                values.insert(name.clone(), value);
            }
        }
    }
    if !faults.is_empty() {
        bail!("{}", faults.join("\n"));
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = r#"
Parameters:
  Mode: {Type: String, Default: LIVE, AllowedValues: [LIVE, TEST], Description: "모드 / Mode"}
  Origins: {Type: CommaDelimitedList, Default: "https://shop.example", Description: "출처 / Origins"}
  Minutes: {Type: Number, Default: 30, MinValue: 1, MaxValue: 60, Description: "분 / Minutes"}
  Store: {Type: String, AllowedPattern: "^store-[0-9a-z-]{1,9}$", Description: "상점 / Store"}
"#;

    fn said(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn unasked(_: &Parameter, _: Option<&str>) -> Option<anyhow::Result<String>> {
        None
    }

    #[test]
    fn every_fault_of_the_values_is_told_at_once_before_anything_is_built() {
        let wrong = said(&[("Mode", "live"), ("Minutes", "61"), ("Colour", "red"), ("Store", "shop-1")]);
        let error =
            settle(&read(TEMPLATE).unwrap(), &wrong, &BTreeMap::new(), unasked).unwrap_err().to_string();
        let lines: Vec<_> = error.lines().collect();
        assert_eq!(
            lines,
            [
                "the template has no parameter Colour",
                "Mode: one of LIVE, TEST, not \"live\"",
                "Origins: https://shop.example is a placeholder; the shop's own value is wanted",
                "Minutes: a number from 1 to 60",
                "Store: \"shop-1\" is not of the form ^store-[0-9a-z-]{1,9}$",
            ]
        );
        let error = settle(&read(TEMPLATE).unwrap(), &said(&[]), &BTreeMap::new(), unasked).unwrap_err();
        assert!(error.to_string().contains("Store is wanted: --set Store=…   (상점 / Store)"));
    }

    #[test]
    fn what_is_said_now_goes_before_what_was_said_before_and_that_before_the_default() {
        let before =
            said(&[("Store", "store-a1"), ("Mode", "TEST"), ("Origins", "https://a.kr"), ("Gone", "x")]);
        let values =
            settle(&read(TEMPLATE).unwrap(), &said(&[("Store", "store-b2")]), &before, unasked).unwrap();
        assert_eq!(
            values,
            said(&[("Mode", "TEST"), ("Origins", "https://a.kr"), ("Minutes", "30"), ("Store", "store-b2")])
        );
    }

    #[test]
    fn a_person_is_told_what_a_parameter_is_and_asked_again_after_a_placeholder() {
        let parameters = read(TEMPLATE).unwrap();
        let mut answers = "\nhttps://shop.example\nhttps://shop.kr\n".as_bytes();
        let mut shown = Vec::new();
        let value = parameters[1].ask(Some("https://shop.example"), &mut answers, &mut shown).unwrap();
        assert_eq!(value, "https://shop.kr");
        let shown = String::from_utf8(shown).unwrap();
        assert!(shown.contains("Origins\n  출처 / Origins\n"), "{shown}");
        assert!(!shown.contains("[https://shop.example]"), "a placeholder is not offered: {shown}");
        assert!(shown.contains("is a placeholder"), "{shown}");
        assert_eq!(parameters[0].ask(Some("LIVE"), &mut "\n".as_bytes(), &mut Vec::new()).unwrap(), "LIVE");
        assert!(parameters[3].ask(None, &mut "".as_bytes(), &mut Vec::new()).is_err());
    }

    #[test]
    fn placeholders_are_told_from_values() {
        assert!(
            [
                "https://shop.example",
                "https://a.kr, https://www.example.com",
                "store-0000-0000",
                "store-…",
                "channel-key-xxxx",
                "<store>"
            ]
            .into_iter()
            .all(is_placeholder)
        );
        assert!(
            !["", "https://shop.kr", "store-4ff4af41", "portone", "30", "https://example.co.kr"]
                .into_iter()
                .any(is_placeholder)
        );
    }

    #[test]
    fn every_parameter_of_this_repositorys_template_is_described_in_both_languages() {
        let text = std::fs::read_to_string(crate::repository::root().join("template.yaml")).unwrap();
        let parameters = read(&text).unwrap();
        assert!(parameters.len() > 5);
        for parameter in parameters {
            let (korean, english) = parameter.description.split_once(" / ").expect(&parameter.name);
            assert!(korean.chars().any(|c| ('가'..='힣').contains(&c)), "{}", parameter.name);
            assert!(!english.is_empty(), "{}", parameter.name);
        }
    }
}
