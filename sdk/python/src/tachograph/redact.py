"""Secrets are cut out before an event leaves the agent's call: neither the disk nor the console gets them.

A secret is known by its form, or by the name that its value is given to, as the server knows it. The server looks once
more, with more rules.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import partial
from typing import Any

#: How names of secrets end, in lower case and without separators, and what the mark in their place is named after.
_ENDINGS = {
    "password": "password",
    "passwd": "password",
    "passphrase": "password",
    "secret": "secret",
    "secretkey": "secret",
    "secretaccesskey": "secret",
    "authorization": "authorization",
    "cookie": "cookie",
    "cookies": "cookie",
    "apikey": "api_key",
    "privatekey": "private_key",
    "token": "token",
}
_SEPARATORS = re.compile(r"[-_. ]")

#: Secrets by their form. Of a form with groups the last one is the secret.
_FORMS = [
    (rule, re.compile(pattern, re.ASCII | flags))
    for rule, pattern, flags in (
        ("private_key", r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*-----|\Z)", re.DOTALL),
        ("anthropic_key", r"\bsk-ant-[\w-]{8,}", 0),
        ("openai_key", r"(?<![\w-])sk-(?=[\w-]*\d)[\w-]{20,}", 0),
        ("github_token", r"\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}", 0),
        ("gitlab_token", r"\bglpat-[\w-]{16,}", 0),
        ("aws_key_id", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b", 0),
        ("google_key", r"\bAIza[\w-]{30,}", 0),
        ("slack_token", r"\bxox[baprs]-[\w-]{10,}", 0),
        ("slack_webhook", r"(hooks\.slack\.com)([\w/-]{11,})", 0),
        ("stripe_key", r"\b[sr]k_(?:live|test)_[A-Za-z0-9]{10,}|\bwhsec_[A-Za-z0-9]{10,}", 0),
        ("npm_token", r"\bnpm_[A-Za-z0-9]{30,}", 0),
        ("pypi_token", r"\bpypi-[\w-]{40,}", 0),
        ("huggingface_token", r"\bhf_[A-Za-z0-9]{20,}", 0),
        ("jwt", r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}", 0),
        ("connection_string", r"(\w://[^\s/?#:@\"']{0,256}:)([^\s/?#\"']{1,256})(?=@)", 0),
        ("bearer_token", r"\b(bearer\s+)([\w.~+/-]{8,}=*)", re.IGNORECASE),
        (
            "authorization",
            r"(authorization[\"']?\s*[:=]\s*[\"']?(?:basic|token|digest)\s+)([^\s\"']{4,})",
            re.IGNORECASE,
        ),
        (
            "assignment",
            r"(\b[\w-]{0,64}(?:passw(?:or)?d|passphrase|secret(?:[_-]?(?:access[_-]?)?key)?|token|api[_-]?key"
            r"|private[_-]?key)[\"']?\s?[=:]\s?[\"']?)"
            r"((?=[^\s\"'`,;&|]*\d|[^\s\"'`,;&|]{20})[^\s\"'`,;&|(){}\[\]<>$]{6,})",
            re.IGNORECASE,
        ),
    )
]

#: One of these is in every line that holds a secret, in lower case; most lines have none, and are not read.
_HINTS = tuple(
    hint.encode()
    for hint in (
        "passw passphrase secret authorization cookie bearer private_key private-key private.key privatekey api_key api-key"
        " api.key apikey sk- ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ glpat- akia asia aiza xox hooks.slack k_live_ k_test_"
        " whsec_ npm_ pypi- hf_ eyj -----begin"
    ).split()
) + (b"api key", b"private key")
#: `input_tokens` is in many lines and no secret.
_TOKEN = re.compile(rb"token(?![a-z])")


def _may_hold_secret(event: bytes) -> bool:
    lower = event.lower()
    if any(hint in lower for hint in _HINTS):
        return True
    return (b"://" in lower and b"@" in lower) or (b"token" in lower and _TOKEN.search(lower) is not None)


def line(event: bytes) -> bytes:
    """An event as JSON with a payload without secrets. The same event always becomes the same bytes."""
    if not _may_hold_secret(event):
        return event
    members = json.loads(event)
    members["data"] = value(members.get("data"))
    return json.dumps(members, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "replace")


def value(given: Any, rule: str | None = None) -> Any:
    """A value as JSON has it, without secrets; under the name of one, no text is left."""
    if isinstance(given, Mapping):
        return {text(str(name)): value(member, rule or named(str(name))) for name, member in given.items()}
    if isinstance(given, (list, tuple)):
        return [value(member, rule) for member in given]
    if isinstance(given, str):
        return text(given) if rule is None else f"[redacted:{rule}]"
    return given


def named(name: str) -> str | None:
    """What the mark is named after, when this is the name of a secret."""
    folded = _SEPARATORS.sub("", name.lower())
    return next((rule for ending, rule in _ENDINGS.items() if folded.endswith(ending)), None)


def text(given: str) -> str:
    for rule, form in _FORMS:
        given = form.sub(partial(_mark, rule), given)
    return given


def _mark(rule: str, found: re.Match[str]) -> str:
    kept = found[1] if found.re.groups else ""
    secret = found[found.re.groups]
    return found[0] if secret.startswith("[redacted:") else f"{kept}[redacted:{rule}]"
