//! The pipe on one machine: reads the table's stream in order, has a function make events of its records and
//! publishes them on the bus, at least once. Batches, filter, retries, halving and dead letters are those of
//! the template's pipe, and so is the role that it works under. It waits for no window, and tries again sooner than AWS does.

mod entries;
mod letters;
mod stream;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use lambda_gateway::{ACCOUNT_ID, Gateway, InvokeError, LogLine, LogSink, REGION, template::Pipe};
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::{sync::watch, task::JoinHandle};
use uuid::Uuid;

pub use letters::DeadLetter;

use crate::{bus::Bus, dynamodb::DynamoDb, iam::Roles};
use letters::Memory;
use stream::{From, Stream, sequence_number};

/// How often the stream is looked at; AWS looks four times a second.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Looking takes longer the longer the stream is; at most this part of the time is spent on it.
const LOOK_SHARE: u32 = 20;
/// The pause before the second try, which doubles with every other one.
const RETRY_FIRST: Duration = Duration::from_millis(10);
const RETRY_LAST: Duration = Duration::from_secs(5);

/// A running pipe. Dropping it stops it; a batch that is under way comes again at the next start.
pub(crate) struct RunningPipe {
    runner: Arc<Runner>,
    task: JoinHandle<()>,
}

struct Runner {
    pipe: Pipe,
    stream: Stream,
    gateway: Arc<Gateway>,
    roles: Arc<Roles>,
    bus: Bus,
    log: LogSink,
    file: Option<PathBuf>,
    memory: Mutex<Memory>,
    /// Told of every step forward.
    progress: watch::Sender<Option<String>>,
    paused: watch::Sender<bool>,
    /// Held while a batch is under way: one at a time, by the pipe itself or by a redrive.
    turn: tokio::sync::Mutex<()>,
}

/// Why a batch is not done with.
enum Unfinished {
    /// The pipe was paused or the system is being stopped: it comes again.
    Later,
    /// It failed, for this reason.
    Failed(String),
}

impl RunningPipe {
    /// Goes on where `file` says, or starts where the template says.
    pub(crate) fn start(
        pipe: Pipe,
        dynamodb: &DynamoDb,
        gateway: Arc<Gateway>,
        roles: Arc<Roles>,
        bus: Bus,
        file: Option<PathBuf>,
        log: LogSink,
    ) -> anyhow::Result<Self> {
        let (stream, newest) = Stream::open(dynamodb)?;
        let kept = file.as_deref().map(Memory::load).transpose()?.flatten();
        let memory = kept.unwrap_or_else(|| Memory {
            position: newest.filter(|_| !pipe.from_the_beginning),
            dead_letters: Vec::new(),
        });
        memory.save(file.as_ref())?;
        let runner = Arc::new(Runner {
            stream,
            gateway,
            roles,
            bus,
            log,
            file,
            progress: watch::Sender::new(memory.position.clone()),
            memory: Mutex::new(memory),
            paused: watch::Sender::new(!pipe.running),
            turn: tokio::sync::Mutex::default(),
            pipe,
        });
        let task = tokio::spawn(runner.clone().run());
        Ok(Self { runner, task })
    }

    /// Resolves when no batch is under way; none is begun until [`RunningPipe::resume`].
    pub(crate) async fn pause(&self) {
        self.runner.paused.send_replace(true);
        drop(self.runner.turn.lock().await);
    }

    pub(crate) fn resume(&self) {
        self.runner.paused.send_replace(false);
    }

    /// Resolves when every record that is in the stream now is done with.
    pub(crate) async fn caught_up(&self) -> anyhow::Result<()> {
        let Some(newest) = self.runner.stream.newest().await? else { return Ok(()) };
        let mut progress = self.runner.progress.subscribe();
        progress.wait_for(|position| position.as_ref() >= Some(&newest)).await?;
        Ok(())
    }

    pub(crate) fn dead_letters(&self) -> Vec<DeadLetter> {
        self.runner.memory().dead_letters.clone()
    }

    pub(crate) async fn redrive(&self) -> anyhow::Result<usize> {
        self.runner.redrive().await
    }

    /// Told of every step forward, and of every redrive.
    pub(crate) fn progress(&self) -> watch::Receiver<Option<String>> {
        self.runner.progress.subscribe()
    }

    pub(crate) fn stop(&self) {
        self.task.abort();
    }
}

impl Drop for RunningPipe {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Runner {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn run(self: Arc<Self>) {
        loop {
            // The sender lives as long as this.
            let _ = self.paused.subscribe().wait_for(|paused| !*paused).await;
            let began = Instant::now();
            let pause = match self.step().await {
                Ok(true) => continue,
                Ok(false) => LOOK_EVERY.max(began.elapsed() * LOOK_SHARE),
                Err(error) => {
                    self.say(&format!("{error:#}"));
                    RETRY_LAST
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Whether the pipe's role grants this.
    fn may(&self, action: &str, resource: &str) -> Result<(), String> {
        let asked = self.roles.permit(&self.pipe.role.name, action, resource);
        asked.map_err(|denial| denial.to_string())
    }

    /// What AWS asks the role for before a stream is read ("Permissions" of the guide to Pipes).
    fn may_read(&self) -> anyhow::Result<()> {
        let stream = &self.pipe.arns.stream;
        let of_stream =
            ["DescribeStream", "GetShardIterator", "GetRecords"].map(|action| (action, stream.as_str()));
        for (action, resource) in of_stream.into_iter().chain([("ListStreams", "*")]) {
            self.may(&format!("dynamodb:{action}"), resource).map_err(anyhow::Error::msg)?;
        }
        Ok(())
    }

    /// Works off one batch; false if there is none or it has to come again.
    async fn step(&self) -> anyhow::Result<bool> {
        let _turn = self.turn.lock().await;
        if *self.paused.borrow() {
            return Ok(false);
        }
        self.may_read()?;
        let from = self.memory().position.clone().map_or(From::Beginning, From::After);
        let records = self.stream.read(from, self.pipe.batch_size).await?;
        let Some(last) = records.last().map(|record| sequence_number(record).to_owned()) else {
            return Ok(false);
        };
        let batch: Vec<Value> = records.into_iter().filter(|record| self.pipe.takes(record)).collect();
        let Some(letters) = self.deliver(batch).await else { return Ok(false) };
        {
            let mut memory = self.memory();
            memory.position = Some(last.clone());
            memory.dead_letters.extend(letters);
            memory.save(self.file.as_ref())?;
        }
        self.progress.send_replace(Some(last));
        Ok(true)
    }

    /// Takes a batch to the bus. Answers what could not be brought there; `None` if it has to come again.
    async fn deliver(&self, batch: Vec<Value>) -> Option<Vec<DeadLetter>> {
        let mut letters = Vec::new();
        let mut parts = vec![batch];
        while let Some(part) = parts.pop() {
            if part.is_empty() {
                continue;
            }
            let halves = self.pipe.bisect && part.len() > 1;
            match self.insist(&part, if halves { Some(0) } else { self.pipe.retries }).await {
                Ok(()) => {}
                Err(Unfinished::Later) => return None,
                Err(Unfinished::Failed(_)) if halves => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second.to_vec(), first.to_vec()]);
                }
                Err(Unfinished::Failed(reason)) => letters.extend(self.letter(&part, reason)),
            }
        }
        Some(letters)
    }

    /// Tries a batch until it is through, or as often as it may be.
    async fn insist(&self, batch: &[Value], retries: Option<u32>) -> Result<(), Unfinished> {
        let mut pause = RETRY_FIRST;
        let mut tries = 0;
        loop {
            match self.attempt(batch).await {
                Err(Unfinished::Failed(reason)) => {
                    self.say(&format!("a batch of {} failed: {reason}", batch.len()));
                    if retries.is_some_and(|retries| tries >= retries) {
                        return Err(Unfinished::Failed(reason));
                    }
                }
                other => return other,
            }
            tries += 1;
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(RETRY_LAST);
            if *self.paused.borrow() {
                return Err(Unfinished::Later);
            }
        }
    }

    async fn attempt(&self, batch: &[Value]) -> Result<(), Unfinished> {
        let arns = &self.pipe.arns;
        self.may("lambda:InvokeFunction", &arns.enrichment).map_err(Unfinished::Failed)?;
        let answer = match self.gateway.invoke(&self.pipe.enrichment, &Value::from(batch)).await {
            Ok(answer) => answer,
            Err(InvokeError::ShuttingDown) => return Err(Unfinished::Later),
            Err(error) => return Err(Unfinished::Failed(error.to_string())),
        };
        let events = entries::entries(&self.pipe, answer, OffsetDateTime::now_utc());
        let events = events.map_err(Unfinished::Failed)?;
        self.may("events:PutEvents", &arns.bus).map_err(Unfinished::Failed)?;
        self.bus.publish(events);
        Ok(())
    }

    /// The message for the dead-letter queue; without one, the batch is lost, as it is on AWS.
    fn letter(&self, batch: &[Value], reason: String) -> Option<DeadLetter> {
        let Some(queue) = self.pipe.dead_letter_queue.clone() else {
            self.say("the batch is lost: the pipe has no dead-letter queue");
            return None;
        };
        if let Err(why) = self.may("sqs:SendMessage", &self.pipe.arns.letters) {
            self.say(&format!("the batch is lost: {why}"));
            return None;
        }
        let arrival = |record: Option<&Value>| {
            let seconds =
                record.and_then(|record| record["dynamodb"]["ApproximateCreationDateTime"].as_f64());
            // Whole seconds, as dynoxide has them.
            let at = OffsetDateTime::from_unix_timestamp(seconds.unwrap_or_default() as i64);
            at.ok().and_then(|at| at.format(&Rfc3339).ok())
        };
        let message = json!({
            "context": {
                "partnerResourceArn": format!("arn:aws:pipes:{REGION}:{ACCOUNT_ID}:pipe/{}", self.pipe.name),
                "condition": "RetryAttemptsExhausted",
            },
            "version": "1.0",
            "timestamp": OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default(),
            "DDBStreamBatchInfo": {
                "shardId": self.stream.shard(),
                "startSequenceNumber": batch.first().map(sequence_number),
                "endSequenceNumber": batch.last().map(sequence_number),
                "approximateArrivalOfFirstRecord": arrival(batch.first()),
                "approximateArrivalOfLastRecord": arrival(batch.last()),
                "batchSize": batch.len(),
                "streamArn": self.stream.cloud_arn(),
            },
        });
        Some(DeadLetter { id: Uuid::new_v4().to_string(), queue, message, reason })
    }

    /// Reads the records of every dead letter from the stream again and tries each batch once. Those that
    /// come through are no dead letters any more. Answers how many did.
    async fn redrive(&self) -> anyhow::Result<usize> {
        let _turn = self.turn.lock().await;
        let letters = self.memory().dead_letters.clone();
        let mut done = 0;
        for letter in letters {
            let info = &letter.message["DDBStreamBatchInfo"];
            let number = |name: &str| info[name].as_str().unwrap_or_default().to_owned();
            let (start, end) = (number("startSequenceNumber"), number("endSequenceNumber"));
            let mut batch = self.stream.read(From::At(start), self.pipe.batch_size).await?;
            batch.retain(|record| sequence_number(record) <= end.as_str() && self.pipe.takes(record));
            let outcome = self.attempt(&batch).await;
            let mut memory = self.memory();
            match outcome {
                Ok(()) => {
                    memory.dead_letters.retain(|other| other.id != letter.id);
                    done += 1;
                }
                Err(Unfinished::Later) => break,
                Err(Unfinished::Failed(reason)) => {
                    let kept = memory.dead_letters.iter_mut().find(|other| other.id == letter.id);
                    kept.into_iter().for_each(|kept| kept.reason.clone_from(&reason));
                }
            }
            memory.save(self.file.as_ref())?;
        }
        self.progress.send_modify(|_| ());
        Ok(done)
    }

    fn say(&self, text: &str) {
        self.log.write(LogLine {
            function: self.pipe.name.clone(),
            pid: 0,
            stream: lambda_gateway::Stream::Platform,
            text: text.to_owned(),
        });
    }
}
