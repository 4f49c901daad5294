//! The price table: what this program brings, with what the configuration puts in front, and the event that puts it
//! in force.

use super::Look;
use crate::error::WatchError;
use std::fmt::Write;
use tacho_event::{derived_id, json};
use thiserror::Error;

/// Prices of models, checked in with their source and dates.
const BUILT_IN: &str = include_str!("../../data/prices.json");
const TYPE: &str = "tacho.prices";

/// The price of a model that the configuration names, in US dollars a million tokens.
#[derive(Debug, Clone, PartialEq)]
pub struct Price {
    /// A pattern of models; `*` matches any run of characters.
    pub model: String,
    /// A day, such as `2026-01-31`; since ever where it is empty.
    pub effective: String,
    pub input: f64,
    pub output: f64,
    /// As input where it is not named.
    pub cache_read: Option<f64>,
    pub cache_write_5m: Option<f64>,
    pub cache_write_1h: Option<f64>,
}

/// Why a price cannot be used.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum PriceError {
    #[error("the price of {0:?} is not between 0 and 1,000,000 dollars a million tokens")]
    OutOfRange(String),
}

/// The table in force. A configured price goes before the built-in ones of the same pattern: since its day, or, where it
/// names none, for ever.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Prices {
    configured: Vec<Price>,
}

impl Prices {
    pub fn new(configured: Vec<Price>) -> Result<Self, PriceError> {
        for price in &configured {
            let others = [price.cache_read, price.cache_write_5m, price.cache_write_1h];
            let mut all = [price.input, price.output].into_iter().chain(others.into_iter().flatten());
            if !all.all(|dollars| (0.0..=1e6).contains(&dollars)) {
                return Err(PriceError::OutOfRange(price.model.clone()));
            }
        }
        Ok(Self { configured })
    }

    /// Version and payload of the event.
    fn table(&self) -> (String, String) {
        let mut built_in = Vec::new();
        // It is checked by a test.
        let _ = json::minify(BUILT_IN.as_bytes(), 8, &mut built_in);
        let text = |name| json::member(&built_in, name).map(json::text).unwrap_or_default();
        let is_replaced = |price: &&[u8]| {
            let model = json::member(price, "model").map(json::text).unwrap_or_default();
            self.configured.iter().any(|own| own.effective.is_empty() && own.model == model)
        };
        let mut prices: Vec<String> = json::elements(json::member(&built_in, "prices").unwrap_or(b"[]"))
            .filter(|price| !is_replaced(price))
            .map(|price| String::from_utf8_lossy(price).into_owned())
            .collect();
        prices.extend(self.configured.iter().map(Price::to_json));
        let mut version = text("version").into_owned();
        if !self.configured.is_empty() {
            let own = prices[prices.len() - self.configured.len()..].join(",");
            let _ = write!(version, "+{}", &derived_id("prices", &[&own])[..8]);
        }
        let data = format!(
            "{{\"version\":\"{version}\",\"source\":{},\"prices\":[{}]}}",
            quoted(&text("source")),
            prices.join(",")
        );
        (version, data)
    }
}

impl Price {
    fn to_json(&self) -> String {
        let mut out = format!("{{\"model\":{}", quoted(&self.model));
        if !self.effective.is_empty() {
            let _ = write!(out, ",\"effective\":{}", quoted(&self.effective));
        }
        let others = [
            ("cache_read", self.cache_read),
            ("cache_write_5m", self.cache_write_5m),
            ("cache_write_1h", self.cache_write_1h),
        ];
        let named = others.into_iter().filter_map(|(name, dollars)| Some((name, dollars?)));
        for (name, dollars) in [("input", self.input), ("output", self.output)].into_iter().chain(named) {
            let _ = write!(out, ",\"{name}\":{dollars}");
        }
        out.push('}');
        out
    }
}

impl Look<'_> {
    /// Puts this program's table in force, once something is there to be priced.
    pub(super) async fn prices(&self) -> Result<(), WatchError> {
        let (version, data) = self.engine.config().watch.prices.table();
        let (in_force, is_needed) = self.engine.price_table().await?;
        if !is_needed || in_force.as_deref() == Some(&version) {
            return Ok(());
        }
        let moment = self.now.0;
        let event = self.event(
            TYPE,
            "tacho/prices".to_owned(),
            "/tacho/prices",
            // A table may come into force again, after another one.
            format!("{version}@{moment}"),
            data,
        )?;
        self.say(vec![event]).await
    }
}

fn quoted(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len() + 2);
    json::write_string(text, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(model: &str, input: f64) -> Price {
        Price {
            model: model.to_owned(),
            effective: String::new(),
            input,
            output: 2.5,
            cache_read: Some(0.25),
            cache_write_5m: None,
            cache_write_1h: None,
        }
    }

    #[test]
    fn the_built_in_table_is_whole() {
        let (version, data) = Prices::default().table();
        assert!(version.starts_with("20"));
        let data: serde_json::Value = serde_json::from_str(&data).unwrap();
        for price in data["prices"].as_array().unwrap() {
            let dollars = |name: &str| price[name].as_f64();
            assert!(dollars("input") < dollars("output"), "{price}");
            assert!(dollars("cache_read") < dollars("input"), "{price}");
            assert!(dollars("above_tokens").is_none_or(|tokens| tokens >= 100_000.0), "{price}");
            assert!(
                tacho_event::Timestamp::from_rfc3339(&format!(
                    "{}T00:00:00Z",
                    price["effective"].as_str().unwrap()
                ))
                .is_some()
            );
        }
    }

    #[test]
    fn a_configuration_makes_another_version_with_its_prices_behind() {
        let own = Prices::new(vec![price("local-*", 0.5)]).unwrap();
        let (version, data) = own.table();
        assert_ne!(version, Prices::default().table().0);
        assert!(
            data.ends_with(r#"{"model":"local-*","input":0.5,"output":2.5,"cache_read":0.25}]}"#),
            "{data}"
        );
        let (_, data) = Prices::new(vec![price("gpt-5", 0.5)]).unwrap().table();
        assert_eq!(data.matches("\"model\":\"gpt-5\",").count(), 1, "the built-in one would win by its day");
        assert_eq!(Prices::new(vec![price("x", -1.0)]).unwrap_err(), PriceError::OutOfRange("x".to_owned()));
    }
}
