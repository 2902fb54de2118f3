"""Makes an endpoint ready to be probed.

Guarantees: all that can fail is done here, before a probe is due.
"""

import os
import ssl
from urllib.parse import urlsplit

from keeptime.contract.probed import Endpoint, Kind, Probe, TlsTerms
from keeptime.contract.secrets import resolve
from keeptime.errors import ProbeError
from keeptime.model.reach import host_refusal
from keeptime.model.sample import Connection
from keeptime.observe.attributes import declared
from keeptime.observe.expect import checks
from keeptime.observe.kinds import KINDS
from keeptime.observe.target import Resolve, Target, literal
from keeptime.observe.tokens import token_count

Contexts = dict[tuple[TlsTerms, str], ssl.SSLContext]
"""By what is spoken over them, too."""


def target_of(
    endpoint: Endpoint,
    probe: Probe,
    contexts: Contexts | None = None,
    secrets: Resolve = resolve,
) -> Target:
    """Raises ProbeError if certificates or expectations cannot be used, SecretError if a secret has no value.

    `contexts`: TLS contexts to share between targets (the system's roots take long to read).
    """
    endpoint, asking = KINDS[probe.kind](endpoint, probe)
    parts = urlsplit(endpoint.url)
    host = parts.hostname or ""
    if refusal := host_refusal(host):
        raise ProbeError(f"{endpoint.url.partition('?')[0]}: {refusal}")
    secure = parts.scheme == "https"
    shared = {} if contexts is None else contexts
    kind = (endpoint.tls, "h2" if probe.kind is Kind.GRPC else "http/1.1")
    if secure and kind not in shared:
        shared[kind] = _context(*kind)
    target = Target(
        endpoint=endpoint,
        host=host,
        port=parts.port or (443 if secure else 80),
        literal=literal(host, parts.port or (443 if secure else 80)),
        context=shared[kind] if secure else None,
        server_name=endpoint.tls.server_name or host.partition("%")[0],
        checks=checks(endpoint.expect),
        close=probe.connection is Connection.FRESH,
        resolve=secrets,
        attributes=declared(probe.attributes),
        tokens=token_count(endpoint.tokens),
        asking=asking,
    )
    target.refresh()
    return target


def _context(terms: TlsTerms, spoken: str) -> ssl.SSLContext:
    if terms.ca is not None and not os.access(terms.ca, os.R_OK):
        raise ProbeError(f"tls: the CA file {terms.ca} cannot be read")
    try:
        context = ssl.create_default_context(cafile=terms.ca)
        if terms.cert is not None:
            context.load_cert_chain(terms.cert, terms.key, password=_no_password)
    except (OSError, ValueError) as error:
        files = ", ".join(each for each in (terms.ca, terms.cert, terms.key) if each is not None)
        raise ProbeError(f"tls: the certificates cannot be used ({files}): {error}") from None
    context.set_alpn_protocols([spoken])
    return context


def _no_password() -> str:
    """Instead of a question on the terminal."""
    raise ValueError("the key is encrypted; expected one without a password")
