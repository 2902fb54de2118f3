"""The routes of exclusions as they are described, and what they answer.

Guarantees: the kinds are those of the program.
"""

from keeptime.model.exclusion import ExclusionKind
from keeptime.web.api.described import CONTRACT, STORE, WRONG, Described, Parameter, page_parameters
from keeptime.web.api.posted import AT, AUTHOR, CALLED, CANNOT, NOTE, ROW, TEXT63
from keeptime.web.api.shapes import COUNT, INSTANT, TEXT, Schema, fields, many, needs, one_of, only, or_null, ref

EXCLUDED = (
    Described(
        "GET", "/api/v1/exclusions", "What was left out of a contract's counts, and why: newest day first.",
        ref("Exclusions"),
        parameters=(
            CONTRACT,
            Parameter("since", INSTANT, "Only days that are not over before."),
            Parameter("until", INSTANT, "Only days that begin before."),
            *page_parameters({**TEXT, "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}, 1000, 100),
        ),
        refusals=(WRONG, (404, "No contract has this name."), STORE),
    ),
    Described(
        "POST", "/api/v1/exclusions", "Declare that what is due in a span to come does not count.",
        ref("ExclusionDeclared"),
        posted=needs(
            only(contract=CALLED, objective=or_null(TEXT63), author=AUTHOR, reason={**AUTHOR, "maxLength": 200},
                 until=AT, **{"from": or_null(AT)}),
            "contract", "author", "reason", "until",
        ),
        refusals=(WRONG, CANNOT, STORE),
    ),
    Described(
        "POST", "/api/v1/exclusions/end", "End a declared exclusion before its time, in a minute.",
        ref("ExclusionDeclared"), posted=needs(only(id=ROW, author=AUTHOR, reason=or_null(NOTE)), "id", "author"),
        refusals=(WRONG, CANNOT, STORE),
    ),
)  # fmt: skip
"""In the order of the access table."""

EXCLUDED_ANSWERS: dict[str, Schema] = {
    "Exclusions": fields(
        contract=TEXT,
        exclusions=many(
            fields(
                objective=TEXT,
                day=TEXT,
                kind=one_of(ExclusionKind),
                reason=TEXT,
                author=or_null(TEXT),
                events=COUNT,
            )
        ),
        next=or_null(TEXT),
        declared=many(ref("DeclaredExclusion")),
    ),
    "DeclaredExclusion": fields(
        id=COUNT,
        contract=TEXT,
        objective=or_null(TEXT),
        author=TEXT,
        reason=TEXT,
        from_=INSTANT,
        until=INSTANT,
        state=one_of(("to come", "active", "over")),
        declared=INSTANT,
        ended_by=or_null(TEXT),
        ended_why=or_null(TEXT),
    ),
    "ExclusionDeclared": fields(exclusion=ref("DeclaredExclusion")),
}
"""Under the names that the routes refer to them by."""
