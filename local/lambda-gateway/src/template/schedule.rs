//! The schedules of a template's functions (`ScheduleV2`), as EventBridge Scheduler would run them: when,
//! and with which event. Rates, and one time of day; what else `cron` can say is refused by name.

use std::time::Duration;

use serde_json::{Value, json};
use time::{
    Date, Duration as Span, OffsetDateTime, Time, UtcOffset, format_description::well_known::Rfc3339,
};
use uuid::Uuid;

use super::{ACCOUNT_ID, REGION, Role, TemplateError, scope::Scope, scope::text};

/// A schedule of one function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The event's name in the template.
    pub name: String,
    /// The binary's name of the function.
    pub function: String,
    /// When it runs.
    pub when: When,
    /// `Input`: the whole event, as JSON.
    pub input: Option<String>,
    /// `State`; a disabled schedule runs by hand only.
    pub enabled: bool,
    /// The ARN that it invokes: of the function's alias, if that has one.
    pub target: String,
    /// Under which role it does; none where SAM makes one that fits.
    pub role: Option<Role>,
    /// The ARN of the queue for runs that did not come about.
    pub dead_letter_queue: Option<String>,
}

/// When a schedule runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Again and again, for the first time one interval after the start.
    Every(Duration),
    /// Once a day at this time of this place.
    Daily(Time, UtcOffset),
}

impl When {
    /// How long from `now` to the next run.
    pub fn wait(self, now: OffsetDateTime) -> Duration {
        match self {
            Self::Every(interval) => interval,
            Self::Daily(time, offset) => {
                let now = now.to_offset(offset);
                let on = |day: Date| day.with_time(time).assume_offset(offset);
                let today = on(now.date());
                let next = if today > now { today } else { today + Span::DAY };
                (next - now).try_into().unwrap_or_default()
            }
        }
    }
}

impl Schedule {
    /// Without its target and its role, which are not its own block's alone.
    pub(super) fn new(
        function: &str,
        name: &str,
        properties: &Value,
        scope: &Scope,
    ) -> Result<Self, TemplateError> {
        let member = |member: &str| {
            properties.get(member).and_then(|value| scope.resolve(value)).as_ref().and_then(text)
        };
        let unusable =
            |why: String| TemplateError::Unusable(format!("{function}: the schedule {name}: {why}"));
        let expression = member("ScheduleExpression")
            .ok_or_else(|| unusable("ScheduleExpression is missing".to_owned()))?;
        let zone = member("ScheduleExpressionTimezone").unwrap_or_else(|| "UTC".to_owned());
        let when = when(&expression, &zone).map_err(unusable)?;
        let input = member("Input");
        if let Some(input) = &input
            && let Err(error) = serde_json::from_str::<Value>(input)
        {
            return Err(unusable(format!("Input is no JSON: {error}")));
        }
        Ok(Self {
            name: name.to_owned(),
            function: function.to_owned(),
            when,
            input,
            enabled: member("State").as_deref() != Some("DISABLED"),
            target: String::new(),
            role: None,
            dead_letter_queue: None,
        })
    }

    /// The event for a run at `at`: the template's `Input` with Scheduler's context attributes in it ("Adding
    /// context attributes" of its guide), or Scheduler's own notification, whose `detail` is a text.
    pub fn event(&self, at: OffsetDateTime) -> Value {
        let at = at.replace_nanosecond(0).unwrap_or(at).format(&Rfc3339).unwrap_or_default();
        let arn = format!("arn:aws:scheduler:{REGION}:{ACCOUNT_ID}:schedule/default/{}", self.name);
        let id = Uuid::new_v4().to_string();
        let notification = || {
            json!({
                "version": "0",
                "id": id,
                "detail-type": "Scheduled Event",
                "source": "aws.scheduler",
                "account": ACCOUNT_ID,
                "time": at,
                "region": REGION,
                "resources": [arn],
                "detail": "{}",
            })
        };
        match &self.input {
            None => notification(),
            Some(input) => {
                let filled = input
                    .replace("<aws.scheduler.schedule-arn>", &arn)
                    .replace("<aws.scheduler.scheduled-time>", &at)
                    .replace("<aws.scheduler.execution-id>", &id)
                    .replace("<aws.scheduler.attempt-number>", "1");
                serde_json::from_str(&filled).unwrap_or_else(|_| Value::from(filled))
            }
        }
    }
}

fn when(expression: &str, zone: &str) -> Result<When, String> {
    let inside = |kind: &str| expression.strip_prefix(kind)?.strip_prefix('(')?.strip_suffix(')');
    if let Some(rate) = inside("rate") {
        return every(rate).ok_or_else(|| format!("{expression} is no rate of minutes, hours or days"));
    }
    let Some(cron) = inside("cron") else {
        return Err(format!("{expression} is neither rate(…) nor cron(…)"));
    };
    let fields: Vec<_> = cron.split_whitespace().collect();
    let [minute, hour, "*", "*", "?", "*"] = fields.as_slice() else {
        return Err(format!("{expression}: of cron only a time of day runs here, cron(m h * * ? *)"));
    };
    let number = |field: &str| field.parse::<u8>().ok();
    let time =
        number(hour).zip(number(minute)).and_then(|(hour, minute)| Time::from_hms(hour, minute, 0).ok());
    let time = time.ok_or_else(|| format!("{expression}: of cron only one minute and one hour run here"))?;
    // Korea has no summer time; a place that has one would need a database of them.
    let offset = match zone {
        "UTC" => UtcOffset::UTC,
        "Asia/Seoul" => UtcOffset::from_hms(9, 0, 0).map_err(|error| error.to_string())?,
        other => return Err(format!("ScheduleExpressionTimezone {other}: only UTC and Asia/Seoul run here")),
    };
    Ok(When::Daily(time, offset))
}

fn every(rate: &str) -> Option<When> {
    let (value, unit) = rate.trim().split_once(' ')?;
    let value: u64 = value.parse().ok().filter(|value| *value > 0)?;
    let minutes = match unit.trim() {
        "minute" | "minutes" => 1,
        "hour" | "hours" => 60,
        "day" | "days" => 60 * 24,
        _ => return None,
    };
    Some(When::Every(Duration::from_secs(value.checked_mul(minutes * 60)?)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use time::macros::{datetime, offset, time};

    use super::*;

    fn schedule(properties: Value) -> Result<Schedule, TemplateError> {
        let scope = Scope::new(&json!({}), &BTreeMap::new()).unwrap();
        Schedule::new("reconcile", "Tick", &properties, &scope)
    }

    #[test]
    fn a_rate_and_a_time_of_day_are_understood_and_all_else_is_refused_by_name() {
        let of = |expression: &str, zone: &str| {
            schedule(json!({"ScheduleExpression": expression, "ScheduleExpressionTimezone": zone}))
                .map(|schedule| schedule.when)
                .map_err(|error| error.to_string())
        };
        let minutes = |minutes: u64| Ok(When::Every(Duration::from_secs(minutes * 60)));
        assert_eq!(of("rate(5 minutes)", "UTC"), minutes(5));
        assert_eq!(of("rate(1 hour)", "UTC"), minutes(60));
        assert_eq!(of("cron(30 1 * * ? *)", "Asia/Seoul"), Ok(When::Daily(time!(1:30), offset!(+9))));
        for (expression, zone, reason) in [
            ("rate(0 minutes)", "UTC", "no rate"),
            ("rate(5 seconds)", "UTC", "no rate"),
            ("rate(5)", "UTC", "no rate"),
            ("cron(0/5 * * * ? *)", "UTC", "one minute and one hour"),
            ("cron(0 25 * * ? *)", "UTC", "one minute and one hour"),
            ("cron(0 1 ? * MON *)", "UTC", "a time of day"),
            ("cron(0 1 * * ? *)", "America/New_York", "only UTC and Asia/Seoul"),
            ("at(2026-11-23T00:00:00)", "UTC", "neither"),
        ] {
            let error = of(expression, zone).unwrap_err();
            assert!(error.starts_with("reconcile: the schedule Tick: "), "{error}");
            assert!(error.contains(reason), "{expression}: {error}");
        }
        assert!(schedule(json!({})).is_err());
    }

    #[test]
    fn a_time_of_day_is_waited_for_until_today_or_tomorrow() {
        let daily = When::Daily(time!(1:00), offset!(+9));
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        assert_eq!(daily.wait(datetime!(2026-11-22 15:00 UTC)), hours(1));
        assert_eq!(daily.wait(datetime!(2026-11-22 16:00 UTC)), hours(24));
        assert_eq!(daily.wait(datetime!(2026-11-22 17:00 UTC)), hours(23));
    }

    #[test]
    fn the_input_is_the_whole_event_with_schedulers_words_filled_in() {
        let expression = "rate(5 minutes)";
        let input = r#"{"task":"open","at":"<aws.scheduler.scheduled-time>"}"#;
        let at = datetime!(2026-11-23 03:00:00.5 UTC);
        let with = schedule(json!({"ScheduleExpression": expression, "Input": input})).unwrap();
        assert_eq!(with.event(at), json!({"task": "open", "at": "2026-11-23T03:00:00Z"}));
        let faulty = schedule(json!({"ScheduleExpression": expression, "Input": "task"}));
        assert!(faulty.unwrap_err().to_string().contains("Input is no JSON"));

        let without = schedule(json!({"ScheduleExpression": expression})).unwrap().event(at);
        assert_eq!(without["detail-type"], "Scheduled Event");
        assert_eq!(without["source"], "aws.scheduler");
        assert_eq!(without["time"], "2026-11-23T03:00:00Z");
        assert_eq!(
            without["resources"],
            json!(["arn:aws:scheduler:ap-northeast-2:123456789012:schedule/default/Tick"])
        );
    }
}
