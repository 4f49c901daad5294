//! The built-in rules, one line each: what finds them first, what decides, what the reference says.

use super::{assignment, credential};
use std::ops::Range;

/// A kind of secret that is found by its form.
pub struct Rule {
    /// Stands in the text instead of the secret: `[redacted:<name>]`.
    pub name: &'static str,
    /// What it finds, for the reference.
    pub finds: &'static str,
    /// What it looks like, for the reference.
    pub example: &'static str,
    /// Lower-case texts, at least three bytes each, one of which is in every such secret.
    pub(super) triggers: &'static [&'static str],
    /// Whether a trigger in bytes may be one of a secret; says no early where a trigger is frequent. The bytes
    /// may be JSON, escapes and all: what stands before the trigger says nothing.
    pub(super) is_plausible: fn(&[u8], usize) -> bool,
    /// Where what the trigger announces begins. When that is inside a secret which the same rule already
    /// found, nothing new can come of it: so the work is linear whatever the text repeats.
    pub(super) begin: fn(&str, usize) -> Option<usize>,
    /// The secret around a trigger that starts at this byte of the text.
    pub(super) find: fn(&str, usize) -> Option<Range<usize>>,
}

fn always(_: &[u8], _: usize) -> bool {
    true
}

fn itself(_: &str, at: usize) -> Option<usize> {
    Some(at)
}

macro_rules! rules {
    ($($name:literal, $finds:literal, $example:literal, [$($trigger:literal),+],
        $plausible:path, $begin:path, $find:path;)+) => {
        /// Every built-in rule. The first one whose secret begins earliest names what is cut out.
        pub const RULES: &[Rule] = &[$(Rule {
            name: $name, finds: $finds, example: $example, triggers: &[$($trigger),+],
            is_plausible: $plausible, begin: $begin, find: $find,
        }),+];
    };
}

/// The rule whose marks are named after what the value was given to: `[redacted:password]`.
pub const ASSIGNMENT: &str = "assignment";

rules! {
    "anthropic_key", "Anthropic API keys", "sk-ant-api03-…", ["sk-ant-"], always, itself, credential::anthropic;
    "openai_key", "OpenAI API keys", "sk-…, sk-proj-…", ["sk-"], always, itself, credential::openai;
    "github_token", "GitHub tokens", "ghp_… gho_… ghu_… ghs_… ghr_… github_pat_…",
        ["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"], always, itself, credential::github;
    "gitlab_token", "GitLab tokens", "glpat-…", ["glpat-"], always, itself, credential::gitlab;
    "aws_key_id", "AWS access key ids", "AKIA… ASIA…", ["akia", "asia"], always, itself, credential::aws_key_id;
    "google_key", "Google API keys", "AIza…", ["aiza"], always, itself, credential::google;
    "slack_token", "Slack tokens", "xoxb-… xoxa-… xoxp-… xoxr-… xoxs-…", ["xox"], always, itself, credential::slack_token;
    "slack_webhook", "Slack webhook addresses", "https://hooks.slack.com/services/…",
        ["hooks.slack.com"], always, itself, credential::slack_webhook;
    "stripe_key", "Stripe keys", "sk_live_… rk_live_… sk_test_… whsec_…",
        ["k_live_", "k_test_", "whsec_"], always, itself, credential::stripe;
    "npm_token", "npm tokens", "npm_…", ["npm_"], always, itself, credential::npm;
    "pypi_token", "PyPI tokens", "pypi-…", ["pypi-"], always, itself, credential::pypi;
    "huggingface_token", "Hugging Face tokens", "hf_…", ["hf_"], always, itself, credential::huggingface;
    "jwt", "JSON Web Tokens", "eyJ….eyJ….…", ["eyj"], always, itself, credential::jwt;
    "private_key", "private keys in PEM form, to their END line",
        "-----BEGIN PRIVATE KEY-----…", ["-----begin"], always, itself, credential::private_key;
    "connection_string", "passwords in addresses and storage account keys",
        "postgres://user:PASSWORD@host, AccountKey=…", ["://", "accountkey="],
        credential::may_hold_password, itself, credential::connection_string;
    "bearer_token", "bearer tokens", "Bearer …", ["bearer"], always, itself, credential::bearer;
    "assignment", "values given to a name like password, secret, token, api_key, authorization, cookie",
        "password=…, \"api_key\": \"…\", Authorization: Basic …, AWS_SECRET_ACCESS_KEY=…",
        ["passw", "passphrase", "secret", "token", "authorization", "cookie", "api_key", "apikey", "api-key",
            "private_key", "private-key", "privatekey"],
        assignment::is_secret_name, assignment::begin, assignment::find;
}
