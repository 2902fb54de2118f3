"""PromQL in contracts and in files of other tools: is it valid, is it a plain selector, what does it select?

Guarantees: an expression is parsed by a real PromQL parser; nothing here knows contracts or asks a server.
"""

import promql_parser as promql


def wrong_matchers(text: str) -> str:
    """What is wrong with label matchers such as `job="api",code=~"5.."`; "" if nothing is."""
    try:
        parsed = promql.parse("x{" + text + "}")
    except ValueError as error:
        return f"is not valid: {error}"
    if not isinstance(parsed, promql.VectorSelector) or parsed.offset is not None or parsed.at is not None:
        return "is more than label matchers"
    return ""


def wrong_vector(text: str) -> str:
    """What is wrong with an expression that must give an instant vector; "" if nothing is."""
    try:
        parsed = promql.parse(text)
    except ValueError as error:
        return f"is not valid PromQL: {error}"
    inner = parsed.expr if isinstance(parsed, promql.ParenExpr) else parsed
    if isinstance(inner, promql.NumberLiteral | promql.StringLiteral | promql.MatrixSelector | promql.SubqueryExpr):
        return "gives no instant vector"
    return ""


def is_selector(text: str) -> bool:
    """Whether an expression is a plain selector, to which a range can be put."""
    parsed = promql.parse(text)
    return isinstance(parsed, promql.VectorSelector) and parsed.offset is None and parsed.at is None


def select(metric: str, *matchers: str) -> str:
    """A selector of this metric with all these matchers; empty ones are left out."""
    inside = ",".join(each.strip().strip(",") for each in matchers if each.strip())
    return f"{metric}{{{inside}}}" if inside else metric
