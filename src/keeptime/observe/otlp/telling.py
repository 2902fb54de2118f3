"""Which attributes of a span are shown to whoever may look.

Guarantees: nothing that people wrote to a model or were answered, no header, no query: those can hold what nobody
else is to read.
"""

_NEVER = (
    "gen_ai.input",
    "gen_ai.output",
    "gen_ai.prompt",
    "gen_ai.completion",
    "gen_ai.system_instructions",
    "gen_ai.tool",
    "llm.prompts",
    "llm.completions",
    "http.request.header",
    "http.response.header",
    "http.request.body",
    "http.response.body",
    "http.url",
    "http.target",
    "url.full",
    "url.query",
    "db.statement",
    "db.query",
    "exception.",
    "enduser.",
    "user.",
    "messaging.message.body",
)


def is_told(key: str) -> bool:
    return not key.lower().startswith(_NEVER)
