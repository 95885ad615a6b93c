"""A small browser without scripts: it follows links, fills in forms and keeps cookies, as a person without JavaScript does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import requests
from lxml import html

Value = str | bool | Iterable[str] | tuple[str, bytes, str] | None


class PageError(Exception):
    """A page did not answer as the walk expects."""


@dataclass
class Page:
    """An answered page."""

    url: str
    status: int
    text: str
    tree: Any

    def words(self, xpath: str) -> list[str]:
        """The visible texts of the elements an XPath finds, spaces folded."""
        return [" ".join(str(node.text_content()).split()) for node in self.tree.xpath(xpath)]

    def links(self, containing: str) -> list[str]:
        """Addresses of links whose address contains a text, in page order."""
        found = [str(a.get("href")) for a in self.tree.xpath("//a[@href]") if containing in str(a.get("href"))]
        return [urljoin(self.url, href) for href in found]


class Browser:
    """One person at one work place: cookies, the current page, and forms."""

    def __init__(self, base: str, *, verify: bool | str = True, timeout: float = 60.0) -> None:
        self.base = base
        self.timeout = timeout
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.verify = verify
        self.http.headers["Accept-Language"] = "zh-CN"
        self.page = Page(base, 0, "", None)

    def open(self, address: str, expect: int = 200) -> Page:
        """GET a page; redirects are followed."""
        return self._take(self.http.get(urljoin(self.base, address), timeout=self.timeout), expect)

    def submit(
        self, values: Mapping[str, Value], *, form: str = "//main//form", button: str | None = None, expect: int = 200
    ) -> Page:
        """Fill in the first form an XPath finds on the current page and send it.

        `values`: text, True or False for check boxes, an iterable of texts for several choices, or
        `(file name, bytes, content type)`. Fields not named keep what the page shows. `button`: `name=value` to press.
        """
        forms = self.page.tree.xpath(form)
        if not forms:
            raise PageError(f"no form {form} on {self.page.url}")
        element = forms[0]
        data = [(str(k), str(v)) for k, v in element.form_values()]
        files = []
        for name, value in values.items():
            if isinstance(value, tuple) and len(value) == 3 and isinstance(value[1], bytes):
                files.append((name, value))
                continue
            known = element.inputs.keys() if hasattr(element.inputs, "keys") else ()
            if name not in known:
                raise PageError(f"no field {name} in the form of {self.page.url}")
            data = [(k, v) for k, v in data if k != name] + _pairs(name, value)
        if button:
            key, _, shown = button.partition("=")
            data = [(k, v) for k, v in data if k != key] + [(key, shown)]
        address = urljoin(self.page.url, element.get("action") or self.page.url)
        method = (element.get("method") or "get").lower()
        headers = {"Referer": self.page.url}
        if method == "get":
            answer = self.http.get(address, params=data, timeout=self.timeout)
        else:
            answer = self.http.post(address, data=data, files=files or None, headers=headers, timeout=self.timeout)
        return self._take(answer, expect)

    def fetch(self, address: str) -> tuple[int, str, bytes]:
        """GET anything (a picture, a PDF): status, content type, bytes."""
        answer = self.http.get(urljoin(self.base, address), timeout=self.timeout)
        return answer.status_code, answer.headers.get("Content-Type", ""), answer.content

    def _take(self, answer: requests.Response, expect: int) -> Page:
        tree = html.fromstring(answer.text or "<html></html>", base_url=answer.url)
        self.page = Page(answer.url, answer.status_code, answer.text, tree)
        if answer.status_code != expect:
            told = self.page.words("//*[@role='alert'] | //main//h1 | //main//p")[:6]
            raise PageError(f"{answer.request.method} {answer.url} answered {answer.status_code}: {' / '.join(told)}")
        return self.page


def _pairs(name: str, value: Value) -> list[tuple[str, str]]:
    if value is None or value is False:
        return []
    if value is True:
        return [(name, "true")]
    if isinstance(value, str):
        return [(name, value)]
    return [(name, str(item)) for item in value]
