//! The going-live checklist: one table, which `doctor` works off and `docs/GOING-LIVE.md` explains under the
//! same numbers. What a machine cannot see is in it too, with a person's name on it.

/// Who can find out whether an item is as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// `doctor`, of any system.
    Doctor,
    /// `doctor`, of a system in the cloud: on one machine there is no such thing.
    DoctorInTheCloud,
    /// A person, in a console or on the phone.
    Person,
}

/// One item.
#[derive(Debug, PartialEq, Eq)]
pub struct Item {
    /// Its name, stable: what `--json` and scripts go by.
    pub name: &'static str,
    /// What is the case when it is fulfilled.
    pub title: &'static str,
    /// Who looks.
    pub who: Who,
}

const fn item(who: Who, name: &'static str, title: &'static str) -> Item {
    Item { name, title, who }
}

use Who::{Doctor, DoctorInTheCloud as Cloud, Person};

/// Every item, in the order in which one thing depends on another.
pub const CHECKLIST: &[Item] = &[
    item(Cloud, "stack", "The stack is deployed, and no parameter is a placeholder"),
    item(Doctor, "secret", "The secret is there and every member is what its name says"),
    item(Doctor, "portone-v2", "PortOne V2 is reached and takes the API secret, for this store"),
    item(Doctor, "portone-v1", "PortOne V1 is reached and takes key and secret, if V1 is used"),
    item(Doctor, "clock", "The clocks of the API, of PortOne and of this machine agree"),
    item(Doctor, "endpoint", "The API answers, and its webhook refuses what is not signed"),
    item(Doctor, "webhook", "PortOne's webhooks go to this system and are taken"),
    item(Doctor, "channel", "The channel is of the kind that PAYMENT_MODE says"),
    item(Doctor, "virtual-accounts", "Deposits into virtual accounts reach PortOne"),
    item(Doctor, "cors", "The shop's pages may call the API, and others may not"),
    item(Doctor, "table", "The table is as the template says"),
    item(Doctor, "catalogue", "There is something to sell, and no product is broken"),
    item(Cloud, "functions", "The functions are active, and traffic reaches what was deployed last"),
    item(Cloud, "concurrency", "The account allows enough functions at once"),
    item(Cloud, "schedules", "The schedules are enabled"),
    item(Cloud, "pipe", "The pipe from the table to the event bus runs"),
    item(Doctor, "dead-letters", "No event waits in the dead-letter queue"),
    item(Cloud, "alarms", "The alarms exist, are switched on and are quiet"),
    item(Cloud, "subscribers", "Somebody is told when an alarm goes off"),
    item(Cloud, "logs", "Logs are kept for a time, and not for ever"),
    item(Person, "contract", "The PG's contract and its review of the shop are through, for LIVE"),
    item(Person, "console", "PortOne's console says what this system expects"),
    item(Person, "first-payment", "A real payment was made, looked at and given back"),
    item(Person, "alarm-rings", "An alarm was set off on purpose, and somebody's phone rang"),
    item(Person, "operators", "Who may give money back is written down, and nobody else can"),
    item(Person, "restore", "The table was restored once into another one"),
];

/// The item of this name, and its number.
pub(crate) fn find(name: &'static str) -> (usize, &'static Item) {
    let index = CHECKLIST.iter().position(|item| item.name == name);
    let index = index.expect("a check is one of the checklist's");
    (index + 1, &CHECKLIST[index])
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn the_paper_has_the_same_items_under_the_same_numbers() {
        let paper = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/GOING-LIVE.md");
        let paper = fs::read_to_string(paper).unwrap();
        let written: Vec<_> = paper.lines().filter_map(|line| line.strip_prefix("### ")).collect();
        let wanted: Vec<_> = CHECKLIST
            .iter()
            .enumerate()
            .map(|(index, item)| format!("{}. {} (`{}`)", index + 1, item.title, item.name))
            .collect();
        assert_eq!(written, wanted);
        for (index, item) in CHECKLIST.iter().enumerate() {
            let heading = format!("### {}. ", index + 1);
            let body = paper.split(&heading).nth(1).unwrap().split("\n### ").next().unwrap();
            let by_a_person = body.contains("**사람이 · By a person.**");
            assert_eq!(by_a_person, item.who == Person, "{}", item.name);
        }
    }
}
