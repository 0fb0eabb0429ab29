"""The rules of the house as data; test_architecture.py holds the code to them."""

# Who may not import what: for a folder or module, the forbidden prefixes.
FORBIDDEN_IMPORTS: dict[str, tuple[str, ...]] = {
    "pages": (
        "sqlmodel",
        "sqlalchemy",
        "requests",
        "aiohttp",
        "twilio",
        "lib.models",
        "lib.database",
        "lib.migrate",
        "lib.vault.keys",
        "lib.vault.seals",
        "lib.http",
        "lib.http_session",
        "lib.worker",
        "webhook_receiver",
    ),
    "app.py": ("sqlmodel", "sqlalchemy", "requests", "twilio", "lib.models", "webhook_receiver"),
    "lib/providers": (
        "streamlit",
        "sqlmodel",
        "sqlalchemy",
        "lib.models",
        "lib.database",
        "lib.hub",
        "lib.vault.keys",
        "lib.vault.seals",
        "lib.ui",
        "lib.worker",
        "webhook_receiver",
        "pages",
    ),
    "lib/models": ("streamlit", "requests", "aiohttp", "lib.ui", "lib.hub", "lib.database"),
    "lib/ui": ("sqlmodel", "requests", "aiohttp", "twilio", "lib.models", "webhook_receiver"),
    "lib": ("webhook_receiver", "pages", "app"),
    "webhook_receiver": ("streamlit", "lib.ui", "lib.worker", "pages"),
}
# A module that reaches further than its folder may, how far, and why.
FURTHER_IMPORTS: dict[str, dict[str, str]] = {
    "lib/cli/commands.py": {
        "webhook_receiver": "an entry: the demo is sent through the real receiver"
    },
}
# The one part of lib that may import streamlit or be imported by screens alone.
SCREENS = "lib/ui"

# What the two small processes never load, for each would cost them megabytes for nothing.
SMALL_PROCESSES = ("webhook_receiver.__main__", "lib.worker.__main__")
NEVER_LOADED = (
    "aiohttp",
    "alembic",
    "pandas",
    "requests",
    "rich",
    "streamlit",
    "twilio",
    "typer",
    "watchfiles",
    "websockets",
)

MAX_FILE_LINES = 300
MAX_PAGE_LINES = 120
MAX_ENTRY_LINES = 60
MAX_FUNCTION_LINES = 40
MAX_PARAMETERS = 6
MAX_NESTING = 3
MAX_LINE = 100
# The generator writes revisions, and no one edits one that has been released.
NO_LENGTH_BUDGET = ("lib/migrations/versions",)
# A framework calls these, so their signatures are its own; the reason stands beside each.
FOREIGN_SIGNATURES: dict[str, str] = {}

# The edges that may catch everything: each logs what it was and goes on or ends.
BROAD_EXCEPT_AT: dict[str, str] = {
    "lib/worker/delivering.py": "the delivery attempt: one bad destination stops no other",
    "lib/worker/settling.py": "an attempt that cannot be recorded holds up no other",
    "lib/worker/__main__.py": "process start-up",
    "webhook_receiver/__main__.py": "process start-up",
}

# Where a provider's slug may stand outside its folder, and why.
SLUGS_ALLOWED_IN: dict[str, str] = {
    "lib/providers/registry.py": "it is the list of providers",
    "lib/settings.py": "the names of environment variables and vendor addresses",
    "lib/demo": "it plays the part of the vendors",
}
# A slug that is also a word of ours may be a word: the value is what else it names.
SLUGS_THAT_ARE_WORDS: dict[str, str] = {
    "make": "a verb",
    "webhook": "a noun of the field",
}

GUARD = "require_user"
