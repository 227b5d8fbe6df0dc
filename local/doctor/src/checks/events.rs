//! From the table to the event bus: the pipe, and what it could not deliver.

use aws_sdk_pipes::types::PipeState;
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::Value;

use super::or_ok;
use crate::{
    cloud::{self, Cloud},
    portone::unreached,
    report::{Finding, Look},
    system::System,
};

const REDEPLOY: &str = "`cargo xtask deploy` makes it again";
const REDRIVE: &str = "docs/EVENTS.md says how they are looked at and sent again";

pub(super) async fn pipe(cloud: &Cloud) -> Vec<Finding> {
    let pipes = cloud.of_kind("AWS::Pipes::Pipe");
    let look = Look::at("pipe", "the stack's pipe");
    let mut faults = Vec::new();
    if pipes.is_empty() {
        faults.push(look.fail("there is none", REDEPLOY));
    }
    for pipe in pipes {
        let look = Look::at("pipe", format!("the pipe {}", pipe.physical));
        match cloud.pipes.describe_pipe().name(&pipe.physical).send().await {
            Err(error) => faults.push(cloud::missing_or_unread(&look, &error, REDEPLOY)),
            Ok(found) if found.current_state() == Some(&PipeState::Running) => {}
            Ok(found) => {
                let state = found.current_state().map_or("unknown", |state| state.as_str());
                let why = found.state_reason().map_or(String::new(), |why| format!(": {why}"));
                faults.push(look.fail(
                    format!("it is {state}{why}"),
                    "start it (aws pipes start-pipe --name …) within 24 hours: so long does the stream keep its records",
                ));
            }
        }
    }
    or_ok(&look, faults, "it is running")
}

pub(super) async fn dead_letters(cloud: &Cloud) -> Vec<Finding> {
    let queues = cloud.of_kind("AWS::SQS::Queue");
    let look = Look::at("dead-letters", format!("{} queues of the stack", queues.len()));
    let mut faults = Vec::new();
    if queues.is_empty() {
        faults.push(look.fail("there is none", REDEPLOY));
    }
    for queue in queues {
        let look = Look::at("dead-letters", format!("the queue {}", queue.logical));
        let number = QueueAttributeName::ApproximateNumberOfMessages;
        let asked =
            cloud.sqs.get_queue_attributes().queue_url(&queue.physical).attribute_names(number.clone());
        match asked.send().await {
            Err(error) => faults.push(cloud::missing_or_unread(&look, &error, REDEPLOY)),
            Ok(found) => match found.attributes().and_then(|all| all.get(&number)).map(String::as_str) {
                Some("0") => {}
                Some(waiting) => faults.push(look.fail(format!("{waiting} wait in it"), REDRIVE)),
                None => faults.push(look.not_checked("AWS does not say how many wait", REDRIVE)),
            },
        }
    }
    or_ok(&look, faults, "none waits")
}

pub(super) async fn local_dead_letters(system: &System) -> Finding {
    let url = format!("{}/console/overview", system.api_url);
    let look = Look::at("dead-letters", url.as_str());
    let instead = format!("{}/console/ shows them", system.api_url);
    let overview: Value = match system.http.get(&url).send().await {
        Err(error) => return look.not_checked(unreached(&error), instead),
        Ok(response) => response.json().await.unwrap_or_default(),
    };
    match overview["deadLetters"].as_array().map(Vec::len) {
        Some(0) => look.ok("none waits"),
        Some(waiting) => {
            look.fail(format!("{waiting} wait in it"), format!("{instead} and sends them again"))
        }
        None => look.not_checked("the console does not say how many wait", instead),
    }
}
