//! What the functions say to CloudWatch, in its embedded metric format.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{Shop, in_time};

impl Shop {
    /// Waits until a function has told this metric at least `lines` times, and answers the values in their order.
    ///
    /// Each line must be one that CloudWatch takes: the namespace, the one dimension and the metric by name.
    pub async fn told(&self, function: &str, metric: &str, lines: usize) -> Vec<u64> {
        let look = async {
            loop {
                let values = self.values(function, metric);
                if values.len() >= lines {
                    return values;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        in_time(&format!("{function} tells {metric}"), look).await
    }

    /// The values that a function has told of this metric so far.
    pub fn values(&self, function: &str, metric: &str) -> Vec<u64> {
        let lines = self.metric_lines(function).into_iter();
        let lines = lines.filter(|line| line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"] == metric);
        let value = |line: Value| {
            let directives = line["_aws"]["CloudWatchMetrics"].as_array().map_or(0, Vec::len);
            let directive = &line["_aws"]["CloudWatchMetrics"][0];
            assert_eq!((directives, &directive["Namespace"]), (1, &json!("PortonePayments")), "{line}");
            assert_eq!(directive["Dimensions"], json!([["Stack"]]), "{line}");
            assert_eq!(line["Stack"], "local", "{line}");
            assert!(line["_aws"]["Timestamp"].as_u64().is_some_and(|at| at > 0), "{line}");
            assert_eq!(line["function"], function, "{line}");
            line[metric].as_u64().unwrap_or_else(|| panic!("{metric} has a number: {line}"))
        };
        lines.map(value).collect()
    }

    /// All lines of a function that CloudWatch makes metrics of.
    pub fn metric_lines(&self, function: &str) -> Vec<Value> {
        let lines = self.log.of(function).into_iter();
        let lines = lines.filter_map(|line| serde_json::from_str::<Value>(&line).ok());
        lines.filter(|line| line.get("_aws").is_some()).collect()
    }
}
