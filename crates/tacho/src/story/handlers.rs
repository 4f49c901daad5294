//! The handlers of the story. They need nothing but the system's shell, and no program beside it.

use anyhow::Result;
use std::path::Path;

/// A warm worker: JSON-RPC, a line a message. The first `"id":` of a request is its own.
const REVIEW: &str = r#"
while IFS= read -r line; do
  id=${line#*\"id\":}; id=${id%%[,\}]*}
  case $line in
    *'"method":"handle"'*) result='{"events":[{"type":"review.finished","data":{"verdict":"approved","comments":0}}]}' ;;
    *) result='{}' ;;
  esac
  printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$id" "$result"
done
"#;

/// A process for each event. The registry that it publishes to is away for the first four attempts.
const PUBLISH: &str = r#"
while IFS= read -r line; do :; done
tries=0
[ -r registry-tries ] && read -r tries <registry-tries
echo $((tries + 1)) >registry-tries
if [ "$tries" -lt 4 ]; then
  echo 'the registry is away: connection refused' >&2
  exit 1
fi
echo '{"type":"release.published","data":{"registry":"packages.example.com"}}'
"#;

/// As `[[handler]]` would say it; they work in the folder.
pub fn handlers(folder: &Path) -> Result<[toml::Value; 2]> {
    let folder = std::path::absolute(folder)?.display().to_string();
    let review = toml::toml! {
        name = "review"
        on = "claude.subagent_stop"
        run = { command = ["/bin/sh", "-c"], mode = "warm" }
        concurrency = 2
        capabilities = ["review"]
    };
    let publish = toml::toml! {
        name = "publish"
        on = { type = "release.requested", source = "/ci/*" }
        run = { command = ["/bin/sh", "-c"] }
        order = "none"
        retry = { attempts = 2, first = "150ms", jitter = 0.0 }
        breaker = { failures = 3, open = "500ms" }
    };
    Ok([(review, REVIEW), (publish, PUBLISH)].map(|(mut handler, script)| {
        if let Some(run) = handler.get_mut("run").and_then(toml::Value::as_table_mut) {
            if let Some(command) = run.get_mut("command").and_then(toml::Value::as_array_mut) {
                command.push(script.into());
            }
            run.insert("directory".to_owned(), folder.clone().into());
        }
        handler.into()
    }))
}
