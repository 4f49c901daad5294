//! systemd: a unit of the user's own manager.
//!
//! Syntax of units and the quoting of `ExecStart`: systemd.service(5), systemd.syntax(7).

use super::{Error, MARK, Service, output, words};

pub const UNIT: &str = "tacho.service";

/// The unit's text.
pub fn unit(service: &Service) -> Result<String, Error> {
    let command: Vec<_> = service.arguments()?.into_iter().map(quoted).collect();
    Ok(format!(
        "\
# {MARK}; `tacho service remove` takes it away.
[Unit]
Description=Tachograph, the flight recorder for AI agents
StartLimitIntervalSec=60
StartLimitBurst=5

[Service]
ExecStart={}
Restart=on-failure
RestartSec=1

[Install]
WantedBy=default.target
",
        command.join(" ")
    ))
}

pub fn install_commands() -> Vec<Vec<String>> {
    // `restart` and not `start`: a second installing may name another folder.
    [
        "systemctl --user daemon-reload",
        "systemctl --user enable tacho.service",
        "systemctl --user restart tacho.service",
    ]
    .map(words)
    .to_vec()
}

pub fn stop_commands() -> Vec<Vec<String>> {
    vec![words("systemctl --user disable --now tacho.service")]
}

pub fn forget_commands() -> Vec<Vec<String>> {
    vec![words("systemctl --user daemon-reload")]
}

/// Enabled, running; `None` where the user's manager does not answer.
pub fn state() -> (Option<bool>, Option<bool>) {
    (answer("is-enabled", "enabled"), answer("is-active", "active"))
}

/// Both questions print one word, and fail for every answer but yes; without a manager they print none.
fn answer(question: &str, yes: &str) -> Option<bool> {
    let output = output(&words(&format!("systemctl --user {question} {UNIT}"))).ok()?;
    let said = String::from_utf8_lossy(&output.stdout);
    match said.trim() {
        // How versions before 253 say that there is no such unit.
        "" if String::from_utf8_lossy(&output.stderr).contains("unit file state") => Some(false),
        "" => None,
        word => Some(word == yes),
    }
}

/// One word of `ExecStart`: `%` begins a specifier, `$` a variable, a backslash an escape.
fn quoted(word: &str) -> String {
    let escaped = word.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%").replace('$', "$$");
    let plain = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-:@+=".contains(&byte));
    if plain { escaped } else { format!("\"{escaped}\"") }
}
