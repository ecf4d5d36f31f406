"""The class page in a real browser: sorting, finding, keys, dark mode, no network."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from must_run import needed
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright
from sample_grades import by_hand, complete, failing, not_started, passing, unreadable, withheld
from test_reports_student import HOSTILE

from grader.reports.classroom import class_html
from grader.types import Alike, Diagnosis, Grade, Text

WIDE: ViewportSize = {"width": 1280, "height": 900}
NARROW: ViewportSize = {"width": 390, "height": 844}
NAMES = "#class tbody tr:not([hidden]) .name"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    path = needed("chromium", "chromium-browser", "google-chrome")
    with sync_playwright() as playwright:
        # Its own sandbox does not run as root, and the page is ours.
        found = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield found
        found.close()


def mistaken(grade: Grade, name: str) -> Grade:
    said = Text(en=f"It does {name}.", ko=f"{name}.")
    made = Diagnosis(entry="f", kind="mistake", alternatives=((name,),), symptoms=(said,))
    return replace(grade, diagnoses=(made,))


SMALL = (
    passing("Ada"),
    mistaken(failing("bob"), "scale-by-d-model"),
    complete("Zoë"),
    mistaken(by_hand("김민준"), "mask-after-softmax"),
    not_started("s10"),
    unreadable("s9"),
    withheld("한지민"),
)


def written(grades: tuple[Grade, ...], folder: Path, language: str = "en") -> str:
    path = folder / "index.html"
    alike = (Alike(students=tuple(sorted(grade.student for grade in grades))[:2], percent=96),)
    path.write_text(class_html(grades, language, alike), encoding="utf-8")
    return path.as_uri()


def opened(
    browser: Browser, address: str, *, viewport: ViewportSize = WIDE, scheme: str = "light"
) -> Page:
    """The page, which must not complain of anything or ask for anything."""
    page = browser.new_page(viewport=viewport, color_scheme=scheme)  # type: ignore[arg-type]
    page.set_default_timeout(15_000)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: said.append(f"asked for {request.url}"))
    page.goto(address)
    page.wait_for_load_state("networkidle")
    assert said == [f"asked for {address}"]
    return page


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    found = opened(browser, written(SMALL, tmp_path))
    yield found
    found.close()


def names(page: Page) -> list[str]:
    return page.locator(NAMES).all_inner_texts()


def sort_by(page: Page, heading: str) -> None:
    page.get_by_role("button", name=heading, exact=True).click()


def test_a_click_on_a_heading_sorts_and_another_turns_it_round(page: Page) -> None:
    assert names(page) == ["Ada", "bob", "s10", "s9", "Zoë", "김민준", "한지민"]
    sort_by(page, "Student")
    assert names(page) == ["Ada", "bob", "s9", "s10", "Zoë", "김민준", "한지민"]
    head = page.locator("thead th").first
    assert head.get_attribute("aria-sort") == "ascending"
    sort_by(page, "Student")
    assert names(page)[-1] == "Ada" and head.get_attribute("aria-sort") == "descending"


def test_marks_are_sorted_as_numbers_and_no_mark_comes_first(page: Page) -> None:
    sort_by(page, "Mark")
    # A bonus apart, Ada's and Zoë's are whole; the two without a mark stand before a zero.
    assert names(page) == ["s9", "한지민", "s10", "bob", "김민준", "Ada", "Zoë"]
    assert page.locator("th[aria-sort]").count() == 1


def test_verdicts_are_sorted_from_the_best(page: Page) -> None:
    sort_by(page, "Values of the output")
    verdicts = page.locator("#class tbody tr td:nth-child(7)").all_inner_texts()
    told = [verdict for verdict in verdicts if verdict]
    assert told[0] == "Passed" and told[-1] == "Error"


def test_finding_a_name_a_mistake_a_status_or_a_criterion_narrows_the_table(page: Page) -> None:
    page.get_by_label("Find a name or a mistake").fill("ZOË")
    assert names(page) == ["Zoë"]
    assert page.locator("#shown").inner_text() == "1 / 7"
    page.get_by_label("Find a name or a mistake").fill("softmax")
    assert names(page) == ["김민준"]
    page.get_by_label("Find a name or a mistake").fill("nobody at all")
    assert names(page) == [] and page.locator("#nobody").is_visible()
    page.get_by_label("Find a name or a mistake").fill("")
    page.get_by_label("Status").select_option("withheld")
    assert names(page) == ["한지민"]
    page.get_by_label("Status").select_option("any")
    page.get_by_label("Does not pass").select_option("Padding has no effect")
    assert names(page) == ["bob", "s10", "s9", "김민준"]


def test_a_mistake_in_the_ranking_shows_who_made_it_in_the_table(page: Page) -> None:
    row = page.locator(".ranked li").filter(has_text="scale-by-d-model")
    row.get_by_role("button", name="show in the table").click()
    assert names(page) == ["bob"]
    assert page.evaluate("document.activeElement.id") == "find"


def test_everything_can_be_done_with_the_keyboard(page: Page) -> None:
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "find"
    page.keyboard.type("s")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.textContent") == names(page)[0]
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.textContent") == names(page)[1]
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.id") == "find"
    page.keyboard.press("Escape")
    assert len(names(page)) == len(SMALL) and page.locator("#find").input_value() == ""
    for _ in range(3):
        page.keyboard.press("Tab")
    while page.evaluate("document.activeElement.tagName") != "BUTTON":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator("th[aria-sort=ascending]").count() == 1


def test_a_name_leads_to_the_report(page: Page, tmp_path: Path) -> None:
    (tmp_path / "Ada").mkdir()
    (tmp_path / "Ada" / "report.html").write_text("<!doctype html><title>Ada's</title>")
    page.locator(NAMES).first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/Ada/report.html")
    assert page.title() == "Ada's"


def luminance(page: Page, selector: str, what: str) -> float:
    """Of a colour, 0 to 1."""
    script = f"getComputedStyle(document.querySelector({selector!r})).{what}"
    channels = page.evaluate(script).removeprefix("rgb(").removesuffix(")").split(",")
    linear = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (int(channel) / 255 for channel in channels)
    ]
    return sum(share * value for share, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_it_can_be_read_light_and_dark_wide_and_narrow(
    browser: Browser, tmp_path: Path, scheme: str, viewport: ViewportSize
) -> None:
    page = opened(browser, written(SMALL, tmp_path), viewport=viewport, scheme=scheme)
    ground = luminance(page, "body", "backgroundColor")
    assert (ground < 0.1) == (scheme == "dark")
    for selector in ("body", "a.name", ".soft", "thead button", ".controls label span"):
        ink = luminance(page, selector, "color")
        lighter, darker = max(ink, ground), min(ink, ground)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, selector
    # Only the table may be wider than the window, and then it scrolls by itself.
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    assert page.locator("td.v.pass").first.bounding_box()["height"] > 10  # type: ignore[index]
    page.close()


def test_without_scripts_the_page_is_whole_and_offers_nothing_that_does_not_work(
    browser: Browser, tmp_path: Path
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(written(SMALL, tmp_path))
    assert len(names(page)) == len(SMALL)
    assert not page.locator(".controls").is_visible()
    assert page.locator("button:visible").count() == 0
    assert page.get_by_text("scale-by-d-model").first.is_visible()
    context.close()


def test_hostile_names_run_nothing_and_are_found(browser: Browser, tmp_path: Path) -> None:
    grades = tuple(
        mistaken(failing(f"{text} {number}"), "m") for number, text in enumerate(HOSTILE)
    )
    page = opened(browser, written(grades, tmp_path))
    assert len(names(page)) == len(grades)
    sort_by(page, "Student")
    page.get_by_label("Find a name or a mistake").fill("<script")
    assert 0 < len(names(page)) < len(grades)
    page.close()


def test_the_policy_of_the_page_lets_no_other_script_run(page: Page) -> None:
    blocked: list[str] = []
    page.on("console", lambda message: blocked.append(message.text))
    page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "window.ran = true";
          document.body.append(script);
          const picture = new Image();
          picture.src = "http://127.0.0.1:9/x.png";
          document.body.append(picture);
        }"""
    )
    page.wait_for_timeout(200)
    assert page.evaluate("window.ran") is None
    assert any("script-src" in text for text in blocked) and any("img-src" in t for t in blocked)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_two_thousand_students_are_sorted_and_found(
    browser: Browser, tmp_path: Path, language: str
) -> None:
    made = (passing, complete, failing, by_hand)
    grades = tuple(made[number % 4](f"Student {number}") for number in range(2000))
    grades = (*grades[:-1], mistaken(grades[-1], "scale-by-d-model"))
    page = opened(browser, written(grades, tmp_path, language))
    assert (tmp_path / "index.html").stat().st_size < 3_000_000
    assert page.locator("#shown").inner_text() == "2000 / 2000"
    page.locator("thead button").first.click()
    first = page.locator("#class tbody .name")
    assert [first.nth(number).inner_text() for number in range(3)] == [
        "Student 0",
        "Student 1",
        "Student 2",
    ]
    page.locator("#find").fill("scale-by")
    assert page.locator("#shown").inner_text() == "1 / 2000"
    page.keyboard.press("Escape")
    assert page.locator("#shown").inner_text() == "2000 / 2000"
    page.close()
