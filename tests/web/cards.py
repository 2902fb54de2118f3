"""What contracts' pages say of a daemon, without a port."""

import asyncio
import re
from html.parser import HTMLParser

from starlette.requests import Request

from keeptime.testing.showable import FakeShowable
from keeptime.web.pages.contract import html_of
from keeptime.web.pages.overview import OverviewPage
from keeptime.web.pages.when import when_of


def pages(daemon: FakeShowable) -> str:
    """The page of every contract, one after the other."""
    snapshot = daemon.snapshot()
    when = when_of({}, snapshot.at)
    return "".join(html_of(snapshot, each, when) for each in snapshot.contracts)


def words(html: str) -> str:
    """The page's text as a reader has it, in single spaces."""

    class Reader(HTMLParser):
        text = ""

        def handle_data(self, data: str) -> None:
            self.text += f" {data}"

    reader = Reader()
    reader.feed(html)
    return re.sub(r"\s+", " ", reader.text)


def overview(daemon: FakeShowable, query: str = "") -> str:
    """The overview, as it is served."""
    asked = {"type": "http", "method": "GET", "path": "/", "query_string": query.encode(), "headers": []}
    answer = asyncio.run(OverviewPage(daemon).handle(Request(asked)))
    return bytes(answer.body).decode()
