//! The fields of a hook's payload that become attributes.

use super::Agent;
use std::borrow::Cow;
use tacho_event::json::{self, Kind};

macro_rules! payload {
    ($($field:ident),+ $(,)?) => {
        /// Text fields by their names in the payload; those that are no string are absent.
        #[derive(Default)]
        pub(super) struct Payload<'a> {
            $(pub(super) $field: Option<Cow<'a, str>>,)+
        }

        impl<'a> Payload<'a> {
            pub(super) fn read(object: &'a [u8]) -> Self {
                let mut payload = Self::default();
                for (key, value) in json::members(object) {
                    let field = match std::str::from_utf8(key) {
                        $(Ok(stringify!($field)) => &mut payload.$field,)+
                        _ => continue,
                    };
                    if json::kind(value) == Kind::String {
                        *field = Some(json::text(value));
                    }
                }
                payload.session_id = payload.session_id.filter(|session| !session.is_empty());
                payload.agent_id = payload.agent_id.filter(|agent| !agent.is_empty());
                payload
            }
        }
    };
}

payload! {
    hook_event_name, session_id, cwd, transcript_path, prompt_id, turn_id, agent_id, agent_type, tool_use_id,
    tool_name, model, prompt, last_assistant_message, delta, error,
}

impl Payload<'_> {
    /// The agent's name and the project's folder.
    pub(super) fn source(&self, agent: Agent) -> String {
        let project = project(self.cwd.as_deref(), self.transcript_path.as_deref());
        source_of(agent, project)
    }

    /// The turn of the conversation: a prompt and everything that follows from it.
    pub(super) fn turn(&self) -> Option<&str> {
        self.prompt_id.as_deref().or(self.turn_id.as_deref())
    }

    /// Type and id. Inside a subagent there is an `agent_id`, and nowhere else.
    pub(super) fn actor(&self, agent: Agent) -> (&'static str, &str) {
        if let Some(subagent) = &self.agent_id {
            return ("agent", subagent);
        }
        match self.hook_event_name.as_deref() {
            Some("UserPromptSubmit") if is_synthetic(self.prompt.as_deref().unwrap_or_default()) => {
                ("system", agent.name())
            }
            Some("UserPromptSubmit" | "UserPromptExpansion") => ("user", "user"),
            _ => ("agent", agent.name()),
        }
    }

    /// Some hooks say the model; it is nobody's when the actor is the user.
    pub(super) fn actor_model(&self) -> Option<&str> {
        let is_prompt = self.hook_event_name.as_deref().is_some_and(|name| name.starts_with("UserPrompt"));
        self.model.as_deref().filter(|_| !is_prompt)
    }
}

/// The end of a background agent comes back as a prompt that nobody typed.
pub(crate) fn is_synthetic(prompt: &str) -> bool {
    prompt.trim_start().starts_with("<task-notification>")
}

/// `/claude-code/<project>`, percent-encoded where a URI reference must be.
pub(crate) fn source_of(agent: Agent, project: Option<&str>) -> String {
    let mut source = format!("/{}", agent.name());
    if let Some(project) = project {
        source.push('/');
        push_path_part(project, &mut source);
    }
    source
}

/// Appends at most the first 200 bytes of a name as one part of a path.
pub(crate) fn push_path_part(name: &str, source: &mut String) {
    const LONGEST_BYTES: usize = 200;
    for byte in tacho_event::head(name, LONGEST_BYTES).bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=@".contains(&byte) {
            source.push(char::from(byte));
        } else {
            source.push_str(&format!("%{byte:02X}"));
        }
    }
}

/// The project's folder name. A session's transcripts stand in a folder named after the project's path, so
/// the source stays the same while the agent works in subfolders.
pub(crate) fn project<'a>(cwd: Option<&'a str>, transcript_path: Option<&str>) -> Option<&'a str> {
    let cwd = cwd?.trim_end_matches(['/', '\\']);
    let slug = transcript_path.and_then(|path| path.split("/projects/").nth(1)?.split('/').next());
    if let Some(slug) = slug {
        let mut folder = cwd;
        while !folder.is_empty() {
            if is_slug(folder, slug) {
                return last_part(folder);
            }
            folder = folder.rsplit_once(['/', '\\']).map_or("", |(parent, _)| parent);
        }
    }
    last_part(cwd)
}

/// Whether Claude Code names the folder of this path so: every other character is a dash.
fn is_slug(path: &str, slug: &str) -> bool {
    let dashed = |character: char| if character.is_ascii_alphanumeric() { character } else { '-' };
    path.chars().map(dashed).eq(slug.chars())
}

fn last_part(path: &str) -> Option<&str> {
    path.rsplit(['/', '\\']).next().filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources() {
        let source = |cwd, transcript| source_of(Agent::ClaudeCode, project(cwd, transcript));
        let transcript = Some("/home/dev/.claude/projects/-home-dev-my-demo/x.jsonl");
        assert_eq!(source(Some("/home/dev/my-demo"), transcript), "/claude-code/my-demo");
        assert_eq!(source(Some("/home/dev/my-demo/src/a"), transcript), "/claude-code/my-demo");
        assert_eq!(source(Some("/srv/other"), transcript), "/claude-code/other");
        assert_eq!(source(Some("/home/dev/Mein Büro/"), None), "/claude-code/Mein%20B%C3%BCro");
        assert_eq!(source(Some("/"), None), "/claude-code");
        assert_eq!(source(None, transcript), "/claude-code");
        assert_eq!(source(Some("C:\\work\\demo"), None), "/claude-code/demo");
    }
}
