//! What to say of each member.
//!
//! Owns the words; must not know which members there are, as a test compares.

/// What each member is, by object and name.
pub(super) const WORDS: &[(&str, &str)] = &[
    (
        "session.id",
        "Names the session, and with `.json` its file.",
    ),
    ("session.title", "A line for the user's list of sessions."),
    ("session.created_at", "When the session was begun."),
    ("session.updated_at", "When it was last added to."),
    ("session.metadata", "Directory, model and settings."),
    (
        "session.agent",
        "The agent, or its mode, that runs the session.",
    ),
    ("session.messages", "What was said, oldest first."),
    ("session.tool_uses", "Tools that were run, oldest first."),
    ("session.usage", "Tokens spent."),
    (
        "metadata.directory",
        "The working directory the session belongs to.",
    ),
    (
        "metadata.directory_bytes",
        "Base64 of a directory that is not UTF-8, beside its lossy text.",
    ),
    ("metadata.model", "The model that answers."),
    (
        "metadata.knowledge_snapshot",
        "The knowledge the session was begun with.",
    ),
    ("metadata.provenance", "Where the session came from."),
    (
        "metadata.auto_apply_edits",
        "Whether edits are applied without asking; false if missing.",
    ),
    (
        "metadata.allow_network",
        "Whether tools may use the network; false if missing.",
    ),
    (
        "metadata.slash_autocomplete",
        "Whether slash commands are completed; true if missing.",
    ),
    (
        "metadata.use_worktree",
        "Whether the agent works in a worktree of its own; true if missing.",
    ),
    (
        "metadata.shared",
        "Whether the session is shared; false if missing.",
    ),
    ("metadata.share_url", "Where it is shared."),
    ("metadata.rlm", "Settings for recursive language models."),
    ("usage.prompt_tokens", "Tokens sent."),
    ("usage.completion_tokens", "Tokens received."),
    ("usage.total_tokens", "Both."),
    (
        "usage.cache_read_tokens",
        "Tokens read from the provider's cache.",
    ),
    (
        "usage.cache_write_tokens",
        "Tokens written to the provider's cache.",
    ),
    ("tool_use.id", "The id of the call."),
    ("tool_use.name", "The tool."),
    ("tool_use.input", "What it was given."),
    ("tool_use.output", "What it gave back."),
    ("tool_use.success", "Whether it succeeded."),
    (
        "message.role",
        "Who says it: `system`, `user`, `assistant`, `tool`, `developer`, or another name.",
    ),
    ("message.content", "What is said, in parts."),
    ("text.text", "Plain text."),
    (
        "image.url",
        "Where the picture is, often a `data:` URL with the picture in it.",
    ),
    ("image.mime_type", "Its media type."),
    ("file.path", "Where the file is."),
    ("file.mime_type", "Its media type."),
    (
        "tool_call.id",
        "Names the call, for the result to refer to.",
    ),
    ("tool_call.name", "The tool."),
    (
        "tool_call.arguments",
        "What the tool is given: JSON text inside a string.",
    ),
    (
        "tool_call.thought_signature",
        "The provider's signature of the thought that led to the call.",
    ),
    ("tool_result.tool_call_id", "The call it belongs to."),
    ("tool_result.content", "What the tool gave back."),
    (
        "thinking.text",
        "What the model thought before it answered.",
    ),
    (
        "thinking.signature",
        "The provider's signature of the thought.",
    ),
];
