//! launchd: an agent of the user's session on macOS.
//!
//! Keys of the property list: launchd.plist(5). Subcommands: launchctl(1).

use super::{Error, MARK, Service, output, text, words};
use std::path::Path;

pub const LABEL: &str = "dev.tachograph.tacho";

/// The property list's text.
pub fn property_list(service: &Service, home: &Path) -> Result<String, Error> {
    let arguments: String = service
        .arguments()?
        .into_iter()
        .map(|word| format!("        <string>{}</string>\n", escaped(word)))
        .collect();
    let log = escaped(text(&home.join("Library/Logs/tacho.log"))?);
    Ok(format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- {MARK}; `tacho service remove` takes it away. -->
<plist version="1.0">
<dict>
    <key>Label</key>
    <string>{LABEL}</string>
    <key>ProgramArguments</key>
    <array>
{arguments}    </array>
    <key>RunAtLoad</key>
    <true/>
    <key>KeepAlive</key>
    <dict>
        <key>SuccessfulExit</key>
        <false/>
    </dict>
    <key>StandardErrorPath</key>
    <string>{log}</string>
</dict>
</plist>
"#
    ))
}

pub fn install_commands(file: &Path) -> Vec<Vec<String>> {
    // `-w` undoes a former disabling.
    vec![["launchctl", "load", "-w", &file.display().to_string()].map(str::to_owned).to_vec()]
}

pub fn stop_commands() -> Vec<Vec<String>> {
    vec![words(&format!("launchctl remove {LABEL}"))]
}

/// Enabled, running. A list in the folder is loaded at every login.
pub fn state(installed: bool) -> (Option<bool>, Option<bool>) {
    let running = output(&words(&format!("launchctl list {LABEL}"))).ok().map(|output| {
        let said = String::from_utf8_lossy(&output.stdout);
        output.status.success() && said.contains("\"PID\"")
    });
    (Some(installed), running)
}

fn escaped(word: &str) -> String {
    word.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
